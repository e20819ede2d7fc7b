"""Supercells of crystals whose sites are shared or partly empty: whole atoms, distributed at random."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.crystal import Crystal
from shortrange.errors import DataError
from shortrange.quantities import Trajectory, step

__all__ = ["sample_occupancies"]

Array = NDArray[Any]

_SAME_PLACE = 0.01  # angstrom


def sample_occupancies(
    crystal: Crystal, *, repeat: Sequence[int], seed: int, frames: int = 1, tolerance: float = 0.02
) -> Trajectory:
    """Fill the sites of a supercell with whole atoms, without short-range order.

    Every frame has the same composition: of the ``m`` copies of a site with occupancy ``o``, the whole number
    nearest to ``o m`` is occupied. So pairs of two atoms of one kind of site are rarer by ``1 / m`` than
    for independent filling.

    Parameters
    ----------
    crystal
        From `shortrange.load.crystals.load_crystal`. Atoms at one place share it: at most one is there.
    repeat
        Cells along a, b and c.
    seed
        Of the random numbers: the same seed gives the same frames.
    frames
        Fillings, independent of each other.
    tolerance
        By how much the occupancy of a site may differ from that wanted, since atoms are whole.

    Returns
    -------
    Trajectory
        Atoms at their mean places: the displacements are to be added by ``u_iso`` of the simulation.

    Raises
    ------
    DataError
        If this is a molecule, places are occupied more than once, or the supercell is too small for the
        tolerance.
    """
    if not crystal.periodic:
        raise DataError("a molecule cannot be repeated", where=crystal.source or crystal.label,
                        do="give a structure with a cell")  # fmt: skip
    cells, copies = _cells(repeat, frames)
    rng = np.random.default_rng(seed)
    species: list[str] = []
    chosen: list[Array] = []
    made: dict[str, float] = {}
    for kind, places in _kinds(crystal).items():
        size = len(places) * copies
        numbers = _whole(crystal, kind, size, tolerance)
        every = (crystal.positions[places][:, None] + cells[None]).reshape(-1, 3)
        order = np.array([rng.permutation(size)[: sum(numbers)] for _ in range(frames)])
        chosen.append(every[order])
        for (label, symbol, _), number in zip(kind, numbers, strict=True):
            species += [symbol] * number
            made[f"{label or symbol} ({symbol})"] = number / size
    from diffpy.structure import Lattice

    base = np.asarray(Lattice(*crystal.lattice).base)
    done = step(
        "sample occupancies", repeat=list(repeat), frames=frames, seed=seed, occupancies=made,
        short_range_order="none",
    )  # fmt: skip
    return Trajectory(
        species=tuple(species), positions=np.concatenate(chosen, axis=1) @ base,
        cells=np.repeat((base * np.array(repeat)[:, None])[None], frames, axis=0),
        source=crystal.source, label=crystal.label, history=(*crystal.history, done),
    )  # fmt: skip


Kind = tuple[tuple[str, str, float], ...]


def _cells(repeat: Sequence[int], frames: int) -> tuple[Array, int]:
    if len(repeat) != 3 or any(int(n) != n or n < 1 for n in repeat) or frames < 1:
        raise DataError(
            f"repeat = {tuple(repeat)}, frames = {frames}", where="sample_occupancies",
            do="give three whole numbers of 1 or more, such as (4, 4, 4), and one frame or more",
        )  # fmt: skip
    return np.array(list(product(*(range(int(n)) for n in repeat))), dtype=float), int(np.prod(repeat))


def _kinds(crystal: Crystal) -> dict[Kind, list[int]]:
    """Places that are filled alike: label, element and occupancy of each who shares them, to site indices."""
    from diffpy.structure import Lattice

    base = np.asarray(Lattice(*crystal.lattice).base)
    labels = crystal.labels or crystal.species
    left = list(range(len(crystal.species)))
    kinds: dict[Kind, list[int]] = {}
    while left:
        first = left[0]
        away = crystal.positions[left] - crystal.positions[first]
        near = np.linalg.norm((away - np.rint(away)) @ base, axis=1) < _SAME_PLACE
        here = [site for site, same in zip(left, near, strict=True) if same]
        left = [site for site, same in zip(left, near, strict=True) if not same]
        kind = tuple(sorted((labels[i], crystal.species[i], float(crystal.occupancies[i])) for i in here))
        kinds.setdefault(kind, []).append(first)
    return kinds


def _whole(crystal: Crystal, kind: Kind, size: int, tolerance: float) -> list[int]:
    """Atoms of each who shares ``size`` places, by largest remainders."""
    where = crystal.source or crystal.label or "crystal"
    wanted = np.array([occupancy for _, _, occupancy in kind]) * size
    if wanted.sum() > size * (1 + 1e-3):
        raise DataError(
            f"site {kind[0][0]} is occupied {wanted.sum() / size:g} times", where=where,
            do="correct the occupancies of the atoms that share it: their sum is at most 1",
        )  # fmt: skip
    total = min(size, round(float(wanted.sum())))
    numbers = np.floor(wanted + 1e-9).astype(int)
    for k in np.argsort(numbers - wanted)[: max(0, total - int(numbers.sum()))]:
        numbers[k] += 1
    off = float(np.abs(numbers - wanted).max()) / size
    if off > tolerance:
        raise DataError(
            f"{size} copies of site {kind[0][0]} cannot be filled to within {tolerance:g} of its occupancy",
            where=where, do=f"give a larger repeat, or tolerance={off + 1e-3:.3f}",
        )  # fmt: skip
    return [int(n) for n in numbers]
