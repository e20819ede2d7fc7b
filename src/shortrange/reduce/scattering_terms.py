"""What I(Q) is made of: form factors and Compton scattering of a composition, and the measured patterns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import combinations_with_replacement
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
    pair_weights, pair_shares
        :math:`2 c_i c_j |f_i f_j| / |\\langle f\\rangle|^2` of each kind of pairs over its mean, weighted
        with Q, shape (n_pairs, n_q); and these means over their sum, shape (n_pairs,).
    """

    q: Array
    intensity: Array
    empty: Mapping[str, Array] = field(default_factory=dict)
    mean_f_squared: Array
    mean_f2: Array
    compton: Array
    pair_weights: Array
    pair_shares: Array


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
    squared, mean, recoil, weights, shares = _tables(
        np.asarray(q, dtype=float).tobytes(), tuple(composition.items()), wavelength, anomalous,
        recoil_power, tuple((charges or {}).items()),
    )  # fmt: skip
    return Terms(
        q=q, intensity=intensity, empty=empty, mean_f_squared=squared, mean_f2=mean, compton=recoil,
        pair_weights=weights, pair_shares=shares,
    )  # fmt: skip


@lru_cache(maxsize=8)
def _tables(
    q_bytes: bytes,
    composition: tuple[tuple[str, float], ...],
    wavelength: float,
    anomalous: bool,
    recoil_power: float,
    charges: tuple[tuple[str, int], ...],
) -> tuple[Array, ...]:
    """<f>^2, <f^2>, Compton scattering and weights of pairs: the same for all patterns of a series."""
    q, atoms = np.frombuffer(q_bytes), dict(composition)
    energy, ions = HC / wavelength if anomalous else None, dict(charges)
    squared, mean = mean_form_factors(atoms, q, energy=energy, charges=ions)
    total = sum(atoms.values())
    own = [
        n / total * np.sqrt(mean_form_factors({a: 1.0}, q, energy=energy, charges=ions)[0])
        for a, n in atoms.items()
    ]
    pairs = combinations_with_replacement(range(len(own)), 2)
    weights = np.stack([(1.0 if i == j else 2.0) * own[i] * own[j] / squared for i, j in pairs])
    means = weights @ q / q.sum()
    tables = (
        squared, mean, compton_intensity(atoms, q, wavelength=wavelength, power=recoil_power),
        weights / means[:, None], means / means.sum(),
    )  # fmt: skip
    for table in tables:
        table.setflags(write=False)
    return tables
