"""Diffusion against temperature, and conductivity from diffusion, with errors and the arithmetic in words."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from shortrange.errors import DataError

__all__ = ["Arrhenius", "ConductivityCheck", "arrhenius", "check_conductivity", "nernst_einstein"]

Array = NDArray[Any]

BOLTZMANN = 1.380649e-23
"""J/K (exact in the 2019 SI)."""
CHARGE = 1.602176634e-19
"""C (exact in the 2019 SI)."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Arrhenius:
    """D = D0 exp(-Ea / kT).

    Attributes
    ----------
    activation_energy, sigma_activation_energy
        eV.
    log_d0
        Natural logarithm of D0 in cm2/s.
    covariance
        Of (log_d0, activation_energy), shape (2, 2); the error of each is the root of its diagonal.
    chi2_reduced
        Of the fit; None without errors of the data, whose scatter then gives the errors.
    temperatures, diffusion
        The data, K and cm2/s.
    """

    activation_energy: float
    sigma_activation_energy: float | None
    log_d0: float
    covariance: Array | None
    chi2_reduced: float | None
    temperatures: Array
    diffusion: Array

    def at(self, temperature: float) -> tuple[float, float | None]:
        """D at a temperature, cm2/s, and its standard error (relative error of ln D, times D)."""
        row = np.array([1.0, -1.0 / _kt(temperature)])
        value = math.exp(float(row @ [self.log_d0, self.activation_energy]))
        if self.covariance is None:
            return value, None
        return value, value * math.sqrt(float(row @ self.covariance @ row))


def arrhenius(temperatures: ArrayLike, diffusion: ArrayLike, sigma: ArrayLike | None = None) -> Arrhenius:
    """Fit ln D against 1/kT by least squares.

    Parameters
    ----------
    temperatures
        K, shape (n,), at least two different.
    diffusion
        cm2/s, shape (n,).
    sigma
        Standard errors of ``diffusion``; without them all points of ln D weigh the same and their scatter
        about the line gives the errors (none for two points).

    Raises
    ------
    DataError
        If a value is not positive, the lengths differ, or the temperatures are all the same.
    """
    t, d = np.asarray(temperatures, dtype=float), np.asarray(diffusion, dtype=float)
    if t.ndim != 1 or t.shape != d.shape:
        raise DataError(
            f"{t.size} temperatures and {d.size} diffusion coefficients",
            where="arrhenius",
            do="give one D for each temperature",
        )
    for name, values in (("temperature", t), ("D", d)):
        if not (np.isfinite(values) & (values > 0)).all():
            raise DataError(
                f"a {name} is not above zero: {values.tolist()}", where="arrhenius", do="leave this run out"
            )
    if np.unique(t).size < 2:
        raise DataError(
            f"all runs are at {t[0] if t.size else 'no'} K",
            where="arrhenius",
            do="give two temperatures or more",
        )
    errors = None if sigma is None else np.asarray(sigma, dtype=float)
    if errors is not None and (errors.shape != d.shape or not (np.isfinite(errors) & (errors > 0)).all()):
        raise DataError(
            "an error of D is not above zero", where="arrhenius", do="give one for each D, or none"
        )
    return _line(t, d, errors)


def _line(t: Array, d: Array, errors: Array | None) -> Arrhenius:
    design = np.column_stack([np.ones(t.size), [-1.0 / _kt(x) for x in t]])
    weight = np.ones(t.size) if errors is None else d / errors
    covariance = np.linalg.inv((design * weight[:, None] ** 2).T @ design)
    solution = covariance @ (design.T @ (weight**2 * np.log(d)))
    chi2 = float((((np.log(d) - design @ solution) * weight) ** 2).sum())
    free = t.size - 2
    known: Array | None = covariance
    if errors is None:
        known = covariance * (chi2 / free) if free else None
    return Arrhenius(
        activation_energy=float(solution[1]),
        sigma_activation_energy=None if known is None else math.sqrt(known[1, 1]),
        log_d0=float(solution[0]),
        covariance=known,
        chi2_reduced=chi2 / free if errors is not None and free else None,
        temperatures=t,
        diffusion=d,
    )


def _kt(temperature: float) -> float:
    return BOLTZMANN / CHARGE * temperature


def nernst_einstein(
    diffusion: float, *, carrier_density: float, temperature: float, charge: float = 1.0
) -> float:
    r"""Conductivity :math:`\sigma = n (zq)^2 D / k_B T` of carriers that move independently, S/cm.

    Parameters
    ----------
    diffusion
        D, cm2/s.
    carrier_density
        Carriers per cubic angstrom.
    temperature
        K.
    charge
        z.

    Raises
    ------
    DataError
        If the density or the temperature is not above zero.
    """
    for name, value in (("carrier density", carrier_density), ("temperature", temperature)):
        if not 0 < value < math.inf:
            raise DataError(f"the {name} is {value}", where="nernst_einstein", do="give a number above zero")
    return carrier_density * 1e24 * (charge * CHARGE) ** 2 * diffusion / (BOLTZMANN * temperature)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConductivityCheck:
    """Whether a stated conductivity follows from a stated D.

    Attributes
    ----------
    expected
        Conductivity by Nernst and Einstein, S/cm.
    stated
        As given, S/cm.
    volume_per_carrier, implied_volume
        Of the composition, and the one that the stated conductivity would need, cubic angstrom.
    follows
        Whether they agree within a tenth.
    arithmetic
        The calculation, in one line.
    """

    expected: float
    stated: float
    volume_per_carrier: float
    implied_volume: float
    follows: bool
    arithmetic: str


def check_conductivity(
    stated: float, *, diffusion: float, volume_per_carrier: float, temperature: float, charge: float = 1.0
) -> ConductivityCheck:
    """Compare a stated conductivity with the Nernst-Einstein value of a stated diffusion coefficient.

    Parameters
    ----------
    stated
        S/cm.
    diffusion
        cm2/s.
    volume_per_carrier
        Cubic angstrom for each mobile ion.
    temperature
        K.
    charge
        Of the ion.

    Raises
    ------
    DataError
        If one of the numbers is not above zero.
    """
    if not (0 < stated < math.inf and 0 < diffusion < math.inf and 0 < volume_per_carrier < math.inf):
        raise DataError(
            f"conductivity {stated}, D {diffusion}, volume {volume_per_carrier}",
            where="check_conductivity",
            do="give numbers above zero",
        )
    expected = nernst_einstein(
        diffusion, carrier_density=1.0 / volume_per_carrier, temperature=temperature, charge=charge
    )
    implied = volume_per_carrier * expected / stated
    follows = abs(math.log(expected / stated)) < math.log(1.1)
    text = (
        f"sigma = n q^2 D / kT with n = 1/{volume_per_carrier:.4g} A^3 = "
        f"{1e24 / volume_per_carrier:.3e} cm^-3, q = {abs(charge):g} x {CHARGE:.4e} C, "
        f"D = {diffusion:.3e} cm2/s, kT = {BOLTZMANN * temperature:.4e} J ({temperature:g} K): "
        f"{expected:.2e} S/cm; "
        f"the stated {stated:.2e} S/cm "
        + ("follows" if follows else f"does not follow: it needs one carrier in {implied:.0f} A^3")
    )
    return ConductivityCheck(
        expected=expected,
        stated=stated,
        volume_per_carrier=volume_per_carrier,
        implied_volume=implied,
        follows=follows,
        arithmetic=text,
    )
