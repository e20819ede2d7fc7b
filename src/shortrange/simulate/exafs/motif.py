"""EXAFS of a motif as a function of its angle and distances, from the tables of path amplitudes."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from shortrange.errors import SimulationError
from shortrange.simulate.exafs.envelopes import bin_centres
from shortrange.simulate.exafs.layout import Shapes, Surroundings, Tables, find_shapes, make_tables
from shortrange.simulate.exafs.model import ExafsModel
from shortrange.simulate.exafs.sums import sum_paths
from shortrange.simulate.exafs.tables import K_GRID
from shortrange.simulate.feff import Cluster, Potentials, feff_potentials
from shortrange.simulate.motifs import Motif, MotifHypothesis

__all__ = ["MotifExafs"]

Array = NDArray[Any]

_BOND_MAX = 3.0  # angstrom; single scattering below it is from bonds
_DRAWS = 128


class MotifExafs:
    """Callable chi(k; structure, widths, S02, dE0) of a motif, a few milliseconds for a new structure.

    Paths are those of `ensemble_exafs`, up to ``r_max``, averaged over both metals. Motion is a mean square
    variation of half path lengths for each of three kinds: bonds, metal-metal, everything else.

    Parameters
    ----------
    hypothesis
        The motif and what of it is free.
    absorber, edge
        The metal, and its edge.
    r_max
        Longest half path length, angstrom.
    potentials
        To share with other models; default those of the motif at the mean of its priors.

    Raises
    ------
    SimulationError
        If the absorber is not the metal, the potentials lack an element, or FEFF fails.
    """

    def __init__(
        self, hypothesis: MotifHypothesis, *, absorber: str, edge: str, r_max: float = 5.5,
        potentials: Potentials | None = None,
    ) -> None:  # fmt: skip
        start = hypothesis.start
        if start.species[0] != absorber:
            raise SimulationError(
                f"the metal of the motif is {start.species[0]}, the absorber is {absorber}",
                where="motif",
                do=f"set metal = {absorber!r}, or leave out the measurement",
            )
        self.hypothesis = hypothesis
        self._r_max = r_max
        if potentials is None:
            potentials = feff_potentials(_cluster(start), edge=edge)
        lacking = sorted(set(start.species) - {absorber} - set(potentials.kinds))
        if lacking or (len(start.metals) > 1 and absorber not in potentials.kinds):
            raise SimulationError(
                f"the potentials have no {', '.join(lacking) or absorber}",
                where="motif",
                do="make them from a model with all its elements",
            )
        self.potentials = potentials
        self._held: dict[tuple[float, ...], tuple[tuple[str, ...], Array]] = {}
        draws = (self._shapes(self._around(unit)) for unit in _draws(hypothesis))
        self._seen = reduce(lambda a, b: a | b, draws)
        self._tables = self._make_tables()

    def __call__(
        self, k: ArrayLike, structure: Mapping[str, float], *, sigma2_bond: float, sigma2_metal: float,
        sigma2_far: float, s02: float = 1.0, delta_e0: float = 0.0,
    ) -> Array:  # fmt: skip
        """Chi at the data's wavenumbers, shape (n,).

        Parameters
        ----------
        k
            1/angstrom.
        structure
            Values of all structural parameters of the hypothesis, by name.
        sigma2_bond, sigma2_metal, sigma2_far
            Mean square variation of half path lengths, angstrom^2: single scattering from bonds, between
            metals, and all other paths.
        s02, delta_e0
            As `ExafsModel`.
        """
        envelopes = self._envelopes(structure, sigma2_bond, sigma2_metal, sigma2_far).sum(axis=0)
        return _wave(envelopes, k, s02, delta_e0)

    def contributions(
        self, k: ArrayLike, structure: Mapping[str, float], *, sigma2_bond: float, sigma2_metal: float,
        sigma2_far: float, s02: float = 1.0, delta_e0: float = 0.0,
    ) -> dict[str, Array]:  # fmt: skip
        """Parts of chi(k) by kind of path; parameters as for a call."""
        envelopes = self._envelopes(structure, sigma2_bond, sigma2_metal, sigma2_far)
        return {
            label: _wave(part, k, s02, delta_e0)
            for label, part in zip(self._tables.labels, envelopes, strict=True)
        }

    def _envelopes(self, structure: Mapping[str, float], bond: float, metal: float, far: float) -> Array:
        """Path sums with the widths applied, (n_labels, n_bins, n_k)."""
        labels, parts = self._sums(tuple(structure[p.name] for p in self.hypothesis.structural))
        centres = bin_centres(parts.shape[1])
        single = {name for name in labels if name.count("-") == 1 and " " not in name}
        absorber = self.potentials.absorber
        widths = np.full(parts.shape[:2], far)
        for i, label in enumerate(labels):
            if label == f"{absorber}-{absorber}":
                widths[i] = metal
            elif label in single:
                widths[i, centres < _BOND_MAX] = bond
        return np.asarray(parts * np.exp(-2.0 * K_GRID**2 * widths[:, :, None]))

    def _sums(self, values: tuple[float, ...]) -> tuple[tuple[str, ...], Array]:
        if values not in self._held:
            names = (p.name for p in self.hypothesis.structural)
            around = self._around(self.hypothesis.build(dict(zip(names, values, strict=True))))
            shapes = self._shapes(around)
            if (shapes.marked & ~self._seen.marked).any() or shapes.closest < self._seen.closest:
                self._seen = self._seen | shapes
                self._tables = self._make_tables()
                self._held.clear()
            sums = sum_paths(
                self._tables, around, n_kinds=len(self.potentials.kinds), r_max=self._r_max,
                r_max_ms=self._r_max, scales=np.ones(1),
            )  # fmt: skip
            if len(self._held) > 64:
                self._held.clear()
            self._held[values] = self._tables.labels, sums.parts[:, :, 0] / (around.offsets.size - 1)
        return self._held[values]

    def _around(self, unit: Motif) -> Surroundings:
        """Neighbours of the metals within ``r_max``."""
        offsets, kinds, vectors = [0], [], []
        for metal in unit.metals:
            apart = unit.positions - unit.positions[metal]
            near = np.flatnonzero(np.linalg.norm(apart, axis=1) <= self._r_max)
            near = near[near != metal]
            vectors.append(apart[near])
            kinds += [self.potentials.kinds.index(unit.species[i]) for i in near]
            offsets.append(len(kinds))
        stacked = np.ascontiguousarray(np.vstack(vectors))
        return Surroundings(np.array(offsets), np.array(kinds), stacked, np.linalg.norm(stacked, axis=1))

    def _shapes(self, around: Surroundings) -> Shapes:
        return find_shapes(
            around, r_max_ms=self._r_max, scales=np.ones(1), n_kinds=len(self.potentials.kinds)
        )

    def _make_tables(self) -> Tables:
        return make_tables(
            self.potentials, self._seen, r_max=self._r_max, r_max_ms=self._r_max, scales=np.ones(1),
            workers=None,
        )  # fmt: skip


def _wave(envelopes: Array, k: ArrayLike, s02: float, delta_e0: float) -> Array:
    model = ExafsModel(envelopes[:, None, :], np.zeros(1))
    return model(k, s02=s02, delta_e0=delta_e0)


def _cluster(unit: Motif) -> Cluster:
    return Cluster(unit.species[0], unit.species[1:], unit.positions[1:] - unit.positions[0])


def _draws(hypothesis: MotifHypothesis) -> list[Motif]:
    """Members at the corners of the limits and within: the tables shall cover what a fit may ask for."""
    limits = np.array([(p.lower, p.upper) for p in hypothesis.structural])
    inside = np.random.default_rng(0).uniform(limits[:, 0], limits[:, 1], size=(_DRAWS, len(limits)))
    names = [p.name for p in hypothesis.structural]
    found = []
    for values in (*itertools.product(*limits), *inside):
        try:
            found.append(hypothesis.build(dict(zip(names, values, strict=True))))
        except SimulationError:
            continue  # distances that cannot meet
    return found
