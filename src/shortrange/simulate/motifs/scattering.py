r"""G(r) of the pairs within a motif, of which all atoms of the metal in a sample are part.

With x the part of the sample's atoms that are the metal, and n of them in the motif,

.. math::
    F(Q) = \frac{2 x}{n} \sum_{i<j} \frac{f_i f_j}{\langle f \rangle^2} e^{-Q^2 \sigma_{ij}^2 / 2}
           \frac{\sin(Q r_{ij} - Q^3 c_{ij} / 6)}{r_{ij}}

is what these pairs contribute; the mean amplitude is that of the sample. What lies between units is not in
it: `shortrange.simulate.motifs.surroundings`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.atoms import cations_first
from shortrange.errors import SimulationError
from shortrange.numeric.sine import Window, gauss_nodes, sine_kernel, window_values
from shortrange.simulate.motifs.build import Motif
from shortrange.simulate.motifs.hypothesis import MotifHypothesis
from shortrange.simulate.pdf_weights import scattering_amplitude

__all__ = ["PAIR_KINDS", "MotifGr"]

Array = NDArray[Any]

PAIR_KINDS = ("bond", "metal", "octahedron", "across")
"""Bonds; metal-metal; other pairs within one octahedron; other pairs between the two."""

_EXTENT = 12.0  # angstrom, longer than any motif
_HELD = 64


class MotifGr:
    """Callable G(r; structure, widths, scale) of the pairs within a motif, below a millisecond.

    Parameters
    ----------
    hypothesis
        The motif and what of it is free.
    r
        Where G is wanted, angstrom, shape (n,).
    q_range
        Of F(Q) that is transformed, 1/angstrom.
    composition
        Of the sample: atoms of each element, on any scale.
    energy, window, q_damp
        As `shortrange.simulate.pdf.PdfModel`.

    Raises
    ------
    SimulationError
        If the sample does not hold the metal.
    """

    def __init__(
        self, hypothesis: MotifHypothesis, *, r: Array, q_range: tuple[float, float],
        composition: Mapping[str, float], energy: float | None = None, window: Window | None = None,
        q_damp: float = 0.0,
    ) -> None:  # fmt: skip
        self.hypothesis, self.r = hypothesis, r
        unit = hypothesis.start
        metal = unit.species[0]
        if not composition.get(metal, 0.0) > 0.0:
            raise SimulationError(
                f"the metal of the motif is {metal}, which the sample does not hold",
                where="motif",
                do=f"name {metal} among the atoms of the sample, or another metal",
            )
        self._q, weight = gauss_nodes(*q_range, r_total=_EXTENT + float(np.max(r)))
        weight = weight * window_values(self._q, q_max=q_range[1], window=window)
        self._kernel = sine_kernel(self._q, weight, r) * np.exp(-0.5 * (r[:, None] * q_damp) ** 2)
        self._first, self._second = np.triu_indices(len(unit.species), 1)
        kinds = _kinds(unit, self._first, self._second)
        pairs = [
            tuple(sorted((unit.species[i], unit.species[j]), key=cations_first))
            for i, j in zip(self._first, self._second, strict=True)
        ]
        groups = sorted(set(zip(kinds, pairs, strict=True)))
        members = [[each == group for each in zip(kinds, pairs, strict=True)] for group in groups]
        self._members = np.array(members, dtype=complex)
        self._kind = np.array([PAIR_KINDS.index(kind) for kind, _ in groups])
        self.labels = tuple("-".join(pair) for _, pair in groups)
        part = composition[metal] / sum(composition.values()) / len(unit.metals)
        self._weights = 2.0 * part * _amplitudes([pair for _, pair in groups], composition, self._q, energy)
        self._held: dict[tuple[float, ...], tuple[Array, Array]] = {}

    def __call__(
        self, structure: Mapping[str, float], *, sigma2: Mapping[str, float], c3_bond: float = 0.0,
        scale: float = 1.0,
    ) -> Array:  # fmt: skip
        """G at ``r``, angstrom^-2, shape (n,).

        Parameters
        ----------
        structure
            Values of all structural parameters of the hypothesis, by name.
        sigma2
            Mean square variation of the distances of each of `PAIR_KINDS`, angstrom^2.
        c3_bond
            Third cumulant of the lengths of bonds, angstrom^3.
        scale
            Factor of G.
        """
        return np.asarray(scale * (self._kernel @ self._scattered(structure, sigma2, c3_bond).sum(axis=0)))

    def contributions(
        self, structure: Mapping[str, float], *, sigma2: Mapping[str, float], c3_bond: float = 0.0,
        scale: float = 1.0,
    ) -> dict[str, Array]:  # fmt: skip
        """Parts of G by pair of elements; parameters as for a call."""
        total: dict[str, Array] = {}
        scattered = self._scattered(structure, sigma2, c3_bond)
        for label, part in zip(self.labels, scattered @ self._kernel.T, strict=True):
            total[label] = total.get(label, np.zeros(self.r.size)) + scale * part
        return total

    def _scattered(
        self, structure: Mapping[str, float], sigma2: Mapping[str, float], c3_bond: float
    ) -> Array:
        """F(Q) of each group of pairs, (n_groups, n_q)."""
        sines, cosines = self._sums(tuple(structure[p.name] for p in self.hypothesis.structural))
        widths = np.array([sigma2[kind] for kind in PAIR_KINDS])[self._kind]
        lag = np.outer(np.where(self._kind == 0, c3_bond, 0.0), self._q**3) / 6.0
        waves = sines * np.cos(lag) - cosines * np.sin(lag)
        return np.asarray(self._weights * np.exp(-0.5 * np.outer(widths, self._q**2)) * waves)

    def _sums(self, values: tuple[float, ...]) -> tuple[Array, Array]:
        """Sum sin(Q r) / r and cos(Q r) / r over each group of pairs."""
        if values not in self._held:
            names = (p.name for p in self.hypothesis.structural)
            positions = self.hypothesis.build(dict(zip(names, values, strict=True))).positions
            distance = np.linalg.norm(positions[self._first] - positions[self._second], axis=1)
            waves = np.exp(1j * np.outer(distance, self._q)) / distance[:, None]
            found = self._members @ waves
            if len(self._held) > _HELD:
                self._held.clear()
            self._held[values] = found.imag, found.real
        return self._held[values]


def _kinds(unit: Motif, first: Array, second: Array) -> list[str]:
    """Which of `PAIR_KINDS` each pair of atoms is."""
    bonds = {frozenset(bond) for bond in unit.bonds}
    around = [{atom for m, atom in unit.bonds if m == metal} for metal in unit.metals]
    found = []
    for pair in zip(first.tolist(), second.tolist(), strict=True):
        if frozenset(pair) in bonds:
            found.append("bond")
        elif set(pair) <= set(unit.metals):
            found.append("metal")
        elif any(set(pair) <= ligands for ligands in around):
            found.append("octahedron")
        else:
            found.append("across")
    return found


def _amplitudes(
    pairs: list[tuple[str, ...]], composition: Mapping[str, float], q: Array, energy: float | None
) -> Array:
    """Re f_a f_b* over the squared mean amplitude of the sample, shape (n_pairs, n_q)."""
    symbols = {symbol for pair in pairs for symbol in pair} | set(composition)
    f = {symbol: scattering_amplitude(symbol, q, "xray", energy) for symbol in symbols}
    mean = sum(n * f[symbol] for symbol, n in composition.items()) / sum(composition.values())
    return np.array([(f[a] * np.conj(f[b])).real / np.abs(mean) ** 2 for a, b in pairs])
