"""What a perfect instrument would see of a true structure: chi(k) and F(Q), of one kind or of a mixture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from measurement import true_f, with_feff_error
from numpy.typing import NDArray
from truths import BASES, Change, Local, changed, draw_change, load_base, local

from shortrange.atoms import mean_form_factors
from shortrange.load import load_trajectory
from shortrange.simulate.exafs import ensemble_exafs, potentials_for
from shortrange.simulate.feff import Potentials

__all__ = ["Truth", "make_truth"]

Array = NDArray[Any]

Q = np.arange(0.65, 23.5, 0.015)
K = np.arange(0.0, 15.0, 0.05)
"""1/angstrom; K where there is no EXAFS."""
FEFF_ERROR = {"amplitude": 0.05, "phase": 0.06, "distance": 0.0037}
"""Of the true EXAFS, so that the first shell of a metal misfits as those of measured foils do, and its
distance is off as theirs (studies/theory_error.py)."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Truth:
    """A true structure, and what it scatters and absorbs.

    Attributes
    ----------
    number, kinds, share
        Which one; one kind or two; part of the atoms that belongs to the first.
    change
        Of the first kind.
    composition
        Atoms of each element.
    k, chi
        1/angstrom and EXAFS without S02.
    f
        Q [S(Q) - 1] at `Q`, 1/angstrom.
    local
        What surrounds a Ta in the mean.
    """

    number: int
    kinds: tuple[str, ...]
    share: float
    change: Change
    composition: Mapping[str, float]
    k: Array
    chi: Array
    f: Array
    local: Local


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Part:
    change: Change
    composition: Mapping[str, int]
    k: Array
    chi: Array
    f: Array
    local: Local


def make_truth(
    number: int, *, seed: int = 2026, scattering: bool = True, absorption: bool = True, mixture: bool = False
) -> Truth:
    """Make truth ``number``: every fifth is a mixture of two kinds, the others take turns.

    With ``mixture`` each is one. Without ``scattering`` its F(Q) is zero, without ``absorption`` its EXAFS,
    and the rest as with it.
    """
    rng = np.random.default_rng([seed, number])
    names = list(BASES)
    kinds, share = (names[number % 5 % 4],), 1.0
    if mixture or number % 5 == 4:
        first, second = rng.permutation(len(names))[:2]
        kinds, share = (names[first], names[second]), float(rng.uniform(0.25, 0.75))
    parts = [
        _part(kind, number // 5, rng=rng, scattering=scattering, absorption=absorption) for kind in kinds
    ]
    shares = np.array([share, 1.0 - share][: len(parts)])
    composition = _mean_composition(parts, shares)
    absorbers = shares * [p.composition["Ta"] / sum(p.composition.values()) for p in parts]
    chi = np.average([p.chi for p in parts], axis=0, weights=absorbers)
    weights = shares * np.array([mean_form_factors(p.composition, Q)[0] for p in parts]).T
    f = np.einsum("qi,iq->q", weights, np.array([p.f for p in parts])) / mean_form_factors(composition, Q)[0]
    return Truth(
        number=number,
        kinds=kinds,
        share=share,
        change=parts[0].change,
        composition=composition,
        k=parts[0].k,
        chi=with_feff_error(parts[0].k, chi, rng=rng, **FEFF_ERROR),
        f=f,
        local=Local(
            **{
                name: float(np.average([getattr(p.local, name) for p in parts], weights=absorbers))
                for name in ("bond", "sulphur", "bridged")
            }
        ),
    )


def _part(kind: str, turn: int, *, rng: np.random.Generator, scattering: bool, absorption: bool) -> _Part:
    bases = BASES[kind]
    base = load_base(bases[turn % len(bases)], rng=rng)
    change = draw_change(rng)
    snapshots = changed(base, change, rng=rng)
    k, chi = K, np.zeros(K.size)
    if absorption:
        seen = ensemble_exafs(
            snapshots, absorber="Ta", edge="L3", r_max=5.5, stretches=(0.0,), check=False,
            potentials=_potentials(bases[turn % len(bases)]),
        )  # fmt: skip
        k, chi = seen.k, seen.chi
    return _Part(
        change=change,
        composition=snapshots.composition,
        k=k,
        chi=chi,
        f=true_f(snapshots, Q, q_damp=0.04) if scattering else np.zeros(Q.size),
        local=local(snapshots),
    )


@cache
def _potentials(base: Path) -> Potentials:
    """Potentials of the unchanged snapshots; what differs between truths is left to the FEFF error."""
    return potentials_for(load_trajectory(base), absorber="Ta", edge="L3", r_max=5.5)


def _mean_composition(parts: list[_Part], shares: Array) -> dict[str, float]:
    total: dict[str, float] = {}
    for share, part in zip(shares, parts, strict=True):
        for element, count in part.composition.items():
            atoms = share * count / sum(part.composition.values())
            total[element] = total.get(element, 0.0) + float(atoms)
    return total
