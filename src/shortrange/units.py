"""Internal units: eV, angstrom, 1/angstrom, fs. Conversion happens at the border, here."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["HBAR2_2ME", "HC", "bragg_energy", "energy_from_k", "k_from_energy", "q_from_two_theta"]

HBAR2_2ME = 3.80998211616
"""hbar^2 / (2 m_e), eV angstrom^2 (CODATA 2018)."""

HC = 12398.419843320026
"""h c, eV angstrom (exact in the 2019 SI)."""


def k_from_energy(energy: ArrayLike, e0: float) -> NDArray[Any]:
    r"""Photoelectron wavenumber :math:`k = \sqrt{(E - E_0)\,2m_e/\hbar^2}`.

    Parameters
    ----------
    energy
        Photon energy, eV. Points below ``e0`` give 0.
    e0
        Absorption edge, eV.

    Returns
    -------
    ndarray
        k, 1/angstrom.
    """
    return np.sqrt(np.clip(np.asarray(energy, dtype=float) - e0, 0.0, None) / HBAR2_2ME)


def energy_from_k(k: ArrayLike, e0: float) -> NDArray[Any]:
    """Photon energy in eV of photoelectron wavenumbers ``k`` (1/angstrom) above ``e0`` (eV)."""
    return e0 + HBAR2_2ME * np.asarray(k, dtype=float) ** 2


def bragg_energy(two_theta: ArrayLike, d_spacing: float) -> NDArray[Any]:
    r"""Photon energy of a monochromator, :math:`E = hc / (2 d \sin\theta)`.

    Parameters
    ----------
    two_theta
        Scattering angle, degrees.
    d_spacing
        Lattice plane distance, angstrom.
    """
    return HC / (2.0 * d_spacing * np.sin(np.radians(np.asarray(two_theta, dtype=float) / 2.0)))


def q_from_two_theta(two_theta: ArrayLike, wavelength: float) -> NDArray[Any]:
    r"""Momentum transfer :math:`Q = 4\pi\sin\theta/\lambda`, 1/angstrom, of angles in degrees."""
    return 4.0 * np.pi * np.sin(np.radians(np.asarray(two_theta, dtype=float) / 2.0)) / wavelength
