"""Which pairs of atoms are bonds, and which bonds meet in an atom."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.analyse.cutoffs import Cutoff

__all__ = ["bond_limits", "same_owner_pairs"]

Array = NDArray[Any]


def bond_limits(centre: str, ligands: tuple[str, ...], cutoffs: Mapping[str, Cutoff]) -> dict[str, float]:
    """Length at which a bond from ``centre`` to each ligand element ends, angstrom; only real bonds."""
    out = {}
    for ligand in ligands:
        cutoff = cutoffs.get(f"{centre}-{ligand}") or cutoffs.get(f"{ligand}-{centre}")
        if cutoff is not None and cutoff.r is not None and cutoff.bonded:
            out[ligand] = cutoff.r
    return out


def same_owner_pairs(owner: Array) -> list[tuple[Array, Array]]:
    """All pairs of rows (i, j), i < j, with the same owner, where equal owners stand together."""
    pairs = []
    lag = 1
    while lag < owner.size:
        i = np.flatnonzero(owner[:-lag] == owner[lag:])
        if not i.size:
            break
        pairs.append((i, i + lag))
        lag += 1
    return pairs
