r"""Mean square variation of path lengths: the correlated Debye and the Einstein model.

Sevillano, Meuth and Rehr, Phys. Rev. B 20, 4908 (1979), with the constants of FEFF (sigms.f), so that values
are those of FEFF, Ifeffit and xraylarch.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.errors import SimulationError
from shortrange.simulate.paths.path import ScatteringPath

__all__ = ["correlated_debye", "einstein"]

Array = NDArray[Any]

_CONH = 72.7630804732553  # 3/2 hbar^2 / (k_B amu), angstrom^2 K
_CONR = 4.5693349700844  # (9 pi / 2)^(1/3) / bohr, bohr / angstrom
_EINSTEIN = _CONH / 3.0
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(120)
_W = 0.5 * (_NODES + 1.0)  # from 0 to 1


def correlated_debye(path: ScatteringPath, temperature: float, theta: float) -> tuple[float, float, float]:
    r"""Variance of a path's half length in the correlated Debye model, any number of legs.

    Parameters
    ----------
    path
        With its Norman radius, bohr.
    temperature, theta
        Of the sample and of Debye, K.

    Returns
    -------
    sigma2, by_temperature, by_theta
        angstrom^2, and its derivatives, angstrom^2/K.

    Raises
    ------
    SimulationError
        If a temperature is not positive, or the path has no Norman radius.
    """
    _check("Debye", temperature, theta)
    if path.rnorman <= 0:
        raise SimulationError(
            "the path has no Norman radius, which the Debye model needs",
            where=path.source or path.label,
            do="use a feffNNNN.dat file, or the Einstein model",
        )
    position, mass = path.positions, path.masses
    n = len(mass)
    following = np.roll(np.arange(n), -1)
    gaps = np.linalg.norm(position[:, None] - position[None], axis=2)
    masses = np.sqrt(np.outer(mass, mass))
    value, by_t, by_theta = (
        part / masses for part in _correlation(_CONR * gaps / path.rnorman, temperature, theta)
    )
    legs = position - position[following]
    units = legs / np.linalg.norm(legs, axis=1)[:, None]
    cosines = units @ units.T

    def variance(c: Array) -> float:
        pairs = c + c[np.ix_(following, following)] - c[:, following] - c[following, :]
        return float(np.sum(cosines * pairs) / 4.0)

    return variance(value), variance(by_t), variance(by_theta)


def einstein(path: ScatteringPath, temperature: float, theta: float) -> tuple[float, float, float]:
    r"""Variance in the Einstein model, :math:`\hbar^2/(2 k_B \mu\theta) \coth(\theta/2T)`.

    The reduced mass is that of all atoms of the path, as xraylarch has it. Parameters, results and errors as
    `correlated_debye`.
    """
    _check("Einstein", temperature, theta)
    reduced = 1.0 / np.sum(1.0 / path.masses)
    x = theta / (2.0 * temperature)
    front = _EINSTEIN / (reduced * theta)
    value = front / np.tanh(x)
    slope = -front / np.sinh(min(x, 300.0)) ** 2  # d value / d x at fixed front
    return float(value), float(-slope * x / temperature), float(slope * x / theta - value / theta)


def _check(model: str, temperature: float, theta: float) -> None:
    if not (np.isfinite([temperature, theta]).all() and temperature > 0 and theta > 0):
        raise SimulationError(
            f"the {model} model is asked for a temperature of {temperature:g} K and theta = {theta:g} K",
            where="sigma2",
            do="both must be positive: bound the parameter, for example theta = {value = 300, min = 20}",
        )


def _correlation(r: Array, temperature: float, theta: float) -> tuple[Array, Array, Array]:
    """Correlation of displacements times both masses' root, and derivatives; r: k_D times distance."""
    t = theta / temperature
    wave = np.sinc(np.multiply.outer(r, _W) / np.pi) * _W  # sin(w r) / r
    argument = np.minimum(_W * t / 2.0, 300.0)
    weights = 0.5 * _WEIGHTS
    integral = wave @ (weights / np.tanh(argument))
    by_ratio = wave @ (-weights * _W / 2.0 / np.sinh(argument) ** 2)
    front = _CONH / theta
    return (
        front * integral,
        front * by_ratio * (-t / temperature),
        front * (by_ratio / temperature - integral / theta),
    )
