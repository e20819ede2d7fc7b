r"""One scattering path and its EXAFS as a function of what an Artemis user floats, with derivatives.

.. math::
   \chi(k) = \mathrm{Im}\left[\frac{N S_0^2 F(q)}{q (R + \Delta R)^2}
   e^{-2 R\,\mathrm{Im}\,p - 2p^2\sigma^2 + \frac23 p^4 C_4
   + i(2qR + \varphi(q) + 2p(\Delta R - 2\sigma^2/R) - \frac43 p^3 C_3)}\right]

with :math:`q^2 = k^2 - E_0\,2m_e/\hbar^2` and FEFF's complex momentum p, as xraylarch and Ifeffit have it
(Newville, J. Synchrotron Rad. 8, 96 (2001)).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.errors import SimulationError
from shortrange.units import HBAR2_2ME

__all__ = ["PATH_PARAMETERS", "ScatteringPath", "path_chi"]

Array = NDArray[Any]

PATH_PARAMETERS = ("s02", "e0", "delr", "sigma2", "third", "fourth", "ei")
"""Amplitude factor; shift of the energy origin, eV; change of the half length, angstrom; mean square
variation of it, angstrom^2; third and fourth cumulant, angstrom^3 and angstrom^4; broadening, eV."""

_ETOK = 1.0 / HBAR2_2ME
_TINY = 1e-6  # eV-like: k^2 is kept off zero, where q has no derivative


@dataclass(frozen=True, eq=False)
class ScatteringPath:
    """What FEFF says of one path.

    Attributes
    ----------
    label
        For tables, such as ``"Cu-Cu 2.553"``.
    k
        Photoelectron wavenumber of the table, 1/angstrom, shape (n,).
    amplitude, phase
        F(k) with all losses but the mean free path, angstrom, and the whole phase but 2kR, radians, (n,).
    p
        Complex momentum, 1/angstrom, (n,).
    reff, degeneracy
        Half path length, angstrom, and number of equal paths.
    symbols, positions
        Elements of the absorber and of the atoms on the way, and where they are, angstrom, (n_legs, 3).
    rnorman
        Mean Norman radius of the cluster, bohr, for the correlated Debye model; 0 if unknown.
    source
        File or run.
    """

    label: str
    k: Array
    amplitude: Array
    phase: Array
    p: Array
    reff: float
    degeneracy: float
    symbols: tuple[str, ...]
    positions: Array
    rnorman: float = 0.0
    source: str = ""

    def __post_init__(self) -> None:
        shapes = {np.shape(x) for x in (self.k, self.amplitude, self.phase, self.p)}
        if len(shapes) != 1 or len(self.k) < 4 or not (np.diff(self.k) > 0).all():
            raise SimulationError(
                f"the table of the path has shapes {sorted(shapes)} or k that does not rise",
                where=self.source or self.label,
                do="run FEFF again",
            )
        if not self.reff > 0.5 or not self.degeneracy > 0:
            raise SimulationError(
                f"half length {self.reff:g} angstrom, degeneracy {self.degeneracy:g}",
                where=self.source or self.label,
                do="both must be positive (a path of at least 0.5 angstrom)",
            )

    @property
    def legs(self) -> int:
        """Number of legs."""
        return len(self.symbols)

    @property
    def masses(self) -> Array:
        """Atomic masses of `symbols`, g/mol."""
        from shortrange.atoms import atomic_mass

        return np.array([atomic_mass(symbol) for symbol in self.symbols])

    @cached_property
    def spline(self) -> Any:
        """Cubic spline through amplitude, phase, Re p and mean free path (angstrom)."""
        from scipy.interpolate import CubicSpline

        with np.errstate(divide="ignore"):
            free_path = np.minimum(1.0 / self.p.imag, 1e10)
        return CubicSpline(self.k, np.column_stack([self.amplitude, self.phase, self.p.real, free_path]))


def path_chi(path: ScatteringPath, k: Array, values: Array) -> tuple[Array, Array]:
    """Return chi(k) of a path and its derivatives.

    Parameters
    ----------
    path
        From FEFF.
    k
        1/angstrom, uniform, shape (n,). At the first point, if it is 0, values are extrapolated.
    values
        In the order of `PATH_PARAMETERS`, shape (7,).

    Returns
    -------
    chi, derivatives
        Shapes (n,) and (7, n).

    Raises
    ------
    SimulationError
        If k reaches beyond FEFF's table.
    """
    s02, e0, delr, sigma2, third, fourth, ei = (float(v) for v in values)
    q, dq_de0 = _shifted(k, e0)
    if q[-1] > path.k[-1] + 1e-6:
        raise SimulationError(
            f"k = {q[-1]:.2f} 1/angstrom is beyond the table of the path, which ends at {path.k[-1]:g}",
            where=path.source or path.label,
            do="lower the upper end of k_range, or run FEFF to higher k",
        )
    amplitude, phase, rep, free = path.spline(q).T
    d_amplitude, d_phase, d_rep, d_free = path.spline(q, 1).T
    bare = rep + 1j / free
    pp = bare**2 + 1j * ei * _ETOK
    p = np.sqrt(pp)
    reff = path.reff
    shift = delr - 2 * sigma2 / reff
    exponent = (
        -2 * reff * p.imag - 2 * pp * (sigma2 - pp * fourth / 3)
        + 1j * (2 * q * reff + phase + 2 * p * (shift - 2 * pp * third / 3))
    )  # fmt: skip
    unit = path.degeneracy * np.exp(exponent) / (q * (reff + delr) ** 2)
    whole = s02 * amplitude * unit

    def through_p(d_pp: Array) -> Array:
        """Give the derivative of the exponent with something that changes the square of the momentum."""
        d_p = d_pp / (2 * p)
        return np.asarray(
            -2 * reff * d_p.imag - 2 * d_pp * (sigma2 - 2 * pp * fourth / 3)
            + 1j * (2 * d_p * shift - 2 * p * d_pp * third)
        )  # fmt: skip

    along_q = through_p(2 * bare * (d_rep - 1j * d_free / free**2)) + 1j * (2 * reff + d_phase) - 1 / q
    derivatives = np.array(
        [
            amplitude * unit,
            (s02 * d_amplitude * unit + whole * along_q) * dq_de0,
            whole * (2j * p - 2 / (reff + delr)),
            whole * (-2 * pp - 4j * p / reff),
            whole * (-4j / 3 * p * pp),
            whole * (2 / 3 * pp**2),
            whole * through_p(np.full(k.shape, 1j * _ETOK)),
        ]
    )
    return _from_second(k, whole).imag, _from_second(k, derivatives).imag


def _shifted(k: Array, e0: float) -> tuple[Array, Array]:
    """Wavenumber q from the shifted origin (negative below it) and its derivative with the shift."""
    energy = k**2 - e0 * _ETOK
    energy = np.where(np.abs(energy) < _TINY, _TINY, energy)
    q = np.sign(energy) * np.sqrt(np.abs(energy))
    return q, -_ETOK / (2 * np.abs(q))


def _from_second(k: Array, values: Array) -> Array:
    if k[0] == 0.0 and k.size > 2:
        values[..., 0] = 2 * values[..., 1] - values[..., 2]
    return values
