"""What I(Q) is made of: form factors and Compton scattering of a composition, and the measured patterns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.atoms import compton, mean_form_factors
from shortrange.units import HC

__all__ = ["Terms", "compton_intensity", "scattering_terms"]

Array = NDArray[Any]

_LAMBDA_C = 0.0242631023867  # Compton wavelength of the electron, angstrom


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Terms:
    r"""What I(Q) is made of, each of shape (n_q,), electron units per atom except what was measured.

    Attributes
    ----------
    q
        1/angstrom.
    intensity
        Measured, of the sample.
    empty
        Measured without the sample, by name: ``"background"``, ``"air"``.
    mean_f_squared, mean_f2
        :math:`|\langle f\rangle|^2` and :math:`\langle |f|^2\\rangle`.
    compton
        Incoherent scattering as tabulated.
    """

    q: Array
    intensity: Array
    empty: Mapping[str, Array] = field(default_factory=dict)
    mean_f_squared: Array
    mean_f2: Array
    compton: Array


def compton_intensity(
    composition: Mapping[str, float], q: Array, *, wavelength: float, power: float = 2.0
) -> Array:
    r"""Incoherent intensity per atom, electron units: Hubbell (1975) times the Breit-Dirac recoil factor.

    Parameters
    ----------
    composition
        Atoms of each element.
    q
        1/angstrom, shape (n_q,).
    wavelength
        angstrom.
    power
        Of E'/E = 1 / [1 + 2 (\lambda_C / \lambda) sin^2 theta]: 2 for a photon-counting detector, 3 for one
        that measures energy, 0 for no recoil factor.
    """
    total = sum(composition.values())
    bound = sum(n / total * compton(symbol, q) for symbol, n in composition.items())
    sine2 = (q * wavelength / (4.0 * np.pi)) ** 2
    return np.asarray(bound / (1.0 + 2.0 * _LAMBDA_C / wavelength * sine2) ** power)


def scattering_terms(
    q: Array,
    intensity: Array,
    empty: Mapping[str, Array],
    *,
    composition: Mapping[str, float],
    wavelength: float,
    anomalous: bool = True,
    recoil_power: float = 2.0,
    charges: Mapping[str, int] | None = None,
) -> Terms:
    """Tables for a composition at ``q``, beside the measured intensities.

    Parameters
    ----------
    q, intensity, empty
        See `Terms`.
    composition
        Atoms of each element.
    wavelength
        angstrom.
    anomalous
        Add f' and f'' at the wavelength.
    recoil_power
        See `compton_intensity`.
    charges
        Ionic charge of elements whose form factor is that of an ion.
    """
    squared, mean, recoil = _tables(
        np.asarray(q, dtype=float).tobytes(), tuple(composition.items()), wavelength, anomalous,
        recoil_power, tuple((charges or {}).items()),
    )  # fmt: skip
    return Terms(q=q, intensity=intensity, empty=empty, mean_f_squared=squared, mean_f2=mean, compton=recoil)


@lru_cache(maxsize=8)
def _tables(
    q_bytes: bytes,
    composition: tuple[tuple[str, float], ...],
    wavelength: float,
    anomalous: bool,
    recoil_power: float,
    charges: tuple[tuple[str, int], ...],
) -> tuple[Array, Array, Array]:
    """<f>^2, <f^2> and Compton scattering: the same for all patterns of a series."""
    q, atoms = np.frombuffer(q_bytes), dict(composition)
    squared, mean = mean_form_factors(
        atoms, q, energy=HC / wavelength if anomalous else None, charges=dict(charges)
    )
    tables = (squared, mean, compton_intensity(atoms, q, wavelength=wavelength, power=recoil_power))
    for table in tables:
        table.setflags(write=False)
    return tables
