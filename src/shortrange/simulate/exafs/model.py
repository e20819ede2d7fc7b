"""An ensemble's chi(k) as a function of what a fit floats."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from shortrange.errors import SimulationError
from shortrange.simulate.exafs.envelopes import bin_centres
from shortrange.simulate.exafs.tables import K_GRID
from shortrange.units import HBAR2_2ME

__all__ = ["ExafsModel"]

Array = NDArray[Any]


class ExafsModel:
    """Callable chi(k; S02, dE0, stretch, dsigma2) of an ensemble, a fraction of a millisecond a call.

    Parameters
    ----------
    envelopes
        (n_bins, n_stretches, n_k) on the table's wavenumbers, complex.
    stretches
        Distance scales less one at which the envelopes were summed.
    bonds
        Envelopes of the bonds of a pair, (n_bins, 4, n_k): lengthened by (-1, 1) times the first of
        ``bond_steps``, and, by (-1, 1) times the third of them, their differences from the second.
    bond_steps
        angstrom, angstrom, and relative.
    bond_lengths
        Mean bond by pair, angstrom.
    """

    def __init__(
        self,
        envelopes: Array,
        stretches: Array,
        *,
        bonds: Mapping[str, Array] | None = None,
        bond_steps: tuple[float, float, float] = (1.0, 1.0, 1.0),
        bond_lengths: Mapping[str, float] | None = None,
        where: str = "EXAFS",
    ) -> None:
        self._envelopes = _Spline(envelopes)
        self._stretches = np.array(stretches, dtype=float)
        self._bonds = {pair: _Spline(values) for pair, values in (bonds or {}).items()}
        self._bond_steps = bond_steps
        self._bond_lengths = dict(bond_lengths or {})
        self._where = where

    def __call__(
        self,
        k: ArrayLike,
        *,
        s02: float = 1.0,
        delta_e0: float = 0.0,
        stretch: float = 0.0,
        delta_sigma2: float = 0.0,
    ) -> Array:
        r"""Chi at the data's wavenumbers.

        Parameters
        ----------
        k
            1/angstrom, of the data, shape (n,).
        s02
            Amplitude factor.
        delta_e0
            eV, as in Artemis and xraylarch: theory is evaluated at
            :math:`q = \sqrt{k^2 - \Delta E_0\,2m_e/\hbar^2}`, so a positive value moves the theory's k = 0
            to higher energy. Points below it are given the value at q = 0.
        stretch
            All distances are multiplied by 1 + stretch. Interpolated between the stretches summed.
        delta_sigma2
            Extra mean square variation of path lengths, angstrom^2: a factor exp(-2 q^2 delta_sigma2).

        Raises
        ------
        SimulationError
            If the stretch or the wavenumbers lie outside what was simulated.
        """
        q = self._theory_k(k, delta_e0)
        chi = self._envelopes.wave(q, self._lagrange(stretch), stretch)
        return np.asarray(s02 * np.exp(-2.0 * q**2 * delta_sigma2) * chi)

    def bond_spread(
        self, k: ArrayLike, *, s02: float = 1.0, delta_e0: float = 0.0, delta_sigma2: float = 0.0
    ) -> dict[str, Array]:
        """Change of chi with the relative spread of the bonds of each pair about their mean, which stays.

        Every bond is lengthened by its difference from the mean of its pair.

        Returns
        -------
        dict
            Pair to d chi / d spread, of shape (n,). Single scattering only.
        """
        q = self._theory_k(k, delta_e0)
        factor = s02 * np.exp(-2.0 * q**2 * delta_sigma2)
        h, about, s = self._bond_steps
        result = {}
        for pair, spline in self._bonds.items():
            low, high, short, long = np.eye(4)
            shift = (spline.wave(q, high, 0.0) - spline.wave(q, low, 0.0)) / (2 * h)
            spread = (spline.wave(q, long, s) - spline.wave(q, short, -s)) / (2 * s)
            result[pair] = factor * (spread + (about - self._bond_lengths[pair]) * shift)
        return result

    def _theory_k(self, k: ArrayLike, delta_e0: float) -> Array:
        q = np.sqrt(np.clip(np.asarray(k, dtype=float) ** 2 - delta_e0 / HBAR2_2ME, 0.0, None))
        if q.size and not q.max() <= K_GRID[-1]:
            raise SimulationError(
                f"theory is wanted at k = {q.max():.3f} 1/angstrom but ends at {K_GRID[-1]:g}",
                where=self._where,
                do="lower the upper limit of k, or bound delta_e0",
            )
        return q

    def _lagrange(self, stretch: float) -> Array:
        """Weights of the polynomial through all stretches."""
        nodes = self._stretches
        if not nodes.min() - 1e-9 <= stretch <= nodes.max() + 1e-9:
            raise SimulationError(
                f"stretch {stretch:g} is outside what was simulated, {nodes.min():g} to {nodes.max():g}",
                where=self._where,
                do="bound it in the fit, or simulate with wider stretches",
            )
        gaps = np.subtract.outer(nodes, nodes) + np.eye(nodes.size)
        ratios = np.where(np.eye(nodes.size, dtype=bool), 1.0, (stretch - nodes)[None, :] / gaps)
        return np.asarray(np.prod(ratios, axis=1))


class _Spline:
    """Cubic spline in k of envelopes (n_bins, n_variants, n_k), mixed over variants first."""

    def __init__(self, envelopes: Array) -> None:
        from scipy.interpolate import CubicSpline

        # Coefficients: (4, n_intervals, n_bins, n_variants).
        self._c = np.ascontiguousarray(CubicSpline(K_GRID, np.moveaxis(envelopes, -1, 0), axis=0).c)
        self._centres = bin_centres(envelopes.shape[0])

    def wave(self, q: Array, weights: Array, stretch: float) -> Array:
        """Im sum over bins of the weighted sum over variants times exp(2 i q R_bin (1 + stretch)), (n,)."""
        c = self._c @ weights
        i = np.clip(np.searchsorted(K_GRID, q, side="right") - 1, 0, K_GRID.size - 2)
        x = (q - K_GRID[i])[:, None]
        values = ((c[0, i] * x + c[1, i]) * x + c[2, i]) * x + c[3, i]
        carrier = np.exp(2j * np.outer(q, self._centres * (1.0 + stretch)))
        return np.asarray(np.sum(values * carrier, axis=1).imag)
