r"""Corrections of I(Q) that depend on the angle: polarisation, absorption of a capillary, oblique incidence.

Each is a factor of the measured intensity; a pattern is divided by it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

from shortrange.errors import DataError
from shortrange.quantities import IQ, step

__all__ = ["absorption_factor", "correct_pattern", "oblique_factor", "polarisation_factor", "two_theta"]

Array = NDArray[Any]

_NODES = 48  # along the radius, and twice as many around: 1e-4 of the factor up to mu R = 3


def two_theta(q: Array, wavelength: float) -> Array:
    """Scattering angle in radians of ``q`` (1/angstrom) at a wavelength (angstrom), shape of ``q``."""
    return np.asarray(2.0 * np.arcsin(np.clip(q * wavelength / (4.0 * np.pi), -1.0, 1.0)))


def polarisation_factor(angle: Array, *, degree: float) -> Array:
    r"""Factor :math:`[1 + \cos^2 2\theta + P \sin^2 2\theta] / 2`, shape of ``angle``.

    Parameters
    ----------
    angle
        2theta, radians.
    degree
        0 for whole rings (the azimuth averages any linear polarisation out) and for a tube; 0.95 to 1 for a
        scan in the vertical plane of a synchrotron, -1 for one in its horizontal plane.
    """
    cosine2 = np.cos(angle) ** 2
    return np.asarray(0.5 * (1.0 + cosine2 + degree * (1.0 - cosine2)))


def absorption_factor(angle: Array, *, mu_r: float) -> Array:
    """Part of the scattering that leaves a full cylinder bathed in the beam, shape of ``angle``.

    exp(-mu (way in + way out)) averaged over the circular section, by Gauss quadrature in radius and equal
    steps in angle. Scattering is taken in the plane of the section.

    Parameters
    ----------
    angle
        2theta, radians.
    mu_r
        Linear absorption coefficient times radius of the cylinder.
    """
    if mu_r == 0:
        return np.ones_like(angle)
    x, w = np.polynomial.legendre.leggauss(_NODES)
    radius, weight = 0.5 * (x + 1.0), 0.5 * w * 0.5 * (x + 1.0)
    around = 2.0 * np.pi * (np.arange(2 * _NODES) + 0.5) / (2 * _NODES)
    px, py = np.outer(radius, np.cos(around)), np.outer(radius, np.sin(around))
    way_in = px + np.sqrt(1.0 - py**2)  # the beam runs along x
    knots = np.linspace(0.0, np.pi, 91)
    factor = np.empty(knots.size)
    for k, out in enumerate(knots):
        along = px * np.cos(out) + py * np.sin(out)
        across = py * np.cos(out) - px * np.sin(out)
        way_out = np.sqrt(1.0 - across**2) - along
        factor[k] = weight @ np.exp(-mu_r * (way_in + way_out)).mean(axis=1) * 2.0
    return np.asarray(CubicSpline(knots, factor)(angle))


def oblique_factor(angle: Array, *, stopped: float) -> Array:
    r"""Efficiency of a flat detector across the beam, relative to its middle, shape of ``angle``.

    :math:`[1 - (1 - a)^{1/\cos 2\theta}] / a`: an oblique ray runs a longer way in the sensitive layer.

    Parameters
    ----------
    angle
        2theta, radians, below pi / 2.
    stopped
        Part a of the beam that is stopped at normal incidence, 0 to 1.
    """
    return np.asarray((1.0 - (1.0 - stopped) ** (1.0 / np.cos(angle))) / stopped)


def correct_pattern(
    iq: IQ, *, polarisation: float | None = None, mu_r: float = 0.0, detector: float | None = None
) -> IQ:
    """Divide a pattern by the factors that it was not corrected for; the same pattern if there are none.

    Parameters
    ----------
    iq
        With its wavelength.
    polarisation
        See `polarisation_factor`; None leaves it.
    mu_r
        See `absorption_factor`; 0 leaves it.
    detector
        See `oblique_factor`; None leaves it.

    Raises
    ------
    DataError
        If a value is impossible, the wavelength is not known, or a flat detector cannot see the angles.
    """
    if polarisation is None and mu_r == 0 and detector is None:
        return iq
    where = iq.source or iq.label or "correct_pattern"
    if iq.wavelength is None:
        raise DataError("corrections need the wavelength", where=where, do="give it in angstrom")
    _check(where, polarisation, mu_r, detector)
    angle = two_theta(iq.q, iq.wavelength)
    factor = absorption_factor(angle, mu_r=mu_r)
    if polarisation is not None:
        factor = factor * polarisation_factor(angle, degree=polarisation)
    if detector is not None:
        if angle[-1] > 0.95 * np.pi / 2.0:
            raise DataError(
                f"the pattern reaches 2theta = {np.degrees(angle[-1]):.0f} degrees, beyond a flat detector",
                where=where,
                do="leave the correction for oblique incidence out",
            )
        factor = factor * oblique_factor(angle, stopped=detector)
    done = step(
        "correct the angles", polarisation=polarisation, mu_r=mu_r, detector=detector,
        factor_at_ends=[float(factor[0]), float(factor[-1])],
    )  # fmt: skip
    return iq.after(
        done, intensity=iq.intensity / factor, sigma=None if iq.sigma is None else iq.sigma / factor
    )


def _check(where: str, polarisation: float | None, mu_r: float, detector: float | None) -> None:
    if polarisation is not None and not -1.0 <= polarisation <= 1.0:
        raise DataError(f"polarisation = {polarisation:g}", where=where, do="give a degree from -1 to 1")
    if not 0.0 <= mu_r <= 3.0:
        raise DataError(
            f"mu_r = {mu_r:g}",
            where=where,
            do="give absorption coefficient times radius, 0 to 3; thin the sample",
        )
    if detector is not None and not 0.0 < detector < 1.0:
        raise DataError(
            f"detector = {detector:g}", where=where, do="give the part of the beam that it stops, 0 to 1"
        )
