"""G(r) of an ensemble against measured G(r): the parameters a user would float, and the known errors."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.errors import DataError
from shortrange.fit.modes import pdf_modes
from shortrange.fit.parameters import Parameter
from shortrange.fit.term import Term, require_points, shrunk_covariance_of_mean
from shortrange.numeric.bands import noise_in_band, pdf_band
from shortrange.quantities import GR
from shortrange.simulate.bond_shells import bond_shells
from shortrange.simulate.pdf import PdfModel

__all__ = ["PDF_PARAMETERS", "arbitrary_scale", "measured_covariance", "pdf_term"]

Array = NDArray[Any]

PDF_PARAMETERS = (
    Parameter(name="scale", unit="1", value=1.0, lower=0.5, upper=1.5, prior=(1.0, 0.05)),
    Parameter(name="q_damp", unit="1/angstrom", value=0.03, lower=0.0, upper=0.12, prior=(0.03, 0.02)),
    Parameter(name="delta_u", unit="angstrom^2", value=0.0, lower=-0.004, upper=0.01, prior=(0.0, 0.001)),
    Parameter(name="stretch", unit="1", value=0.0, lower=-0.03, upper=0.03, prior=(0.0, 0.01)),
)
"""An absolute scale is good to 5 %; a pair's width is the sum of two U, hence half of the EXAFS prior."""


def arbitrary_scale(parameters: tuple[Parameter, ...], *, estimate: float) -> tuple[Parameter, ...]:
    """Widen the prior of the scale for G(r) whose scale is arbitrary, as PDFgetX3 leaves it."""
    scale = Parameter(
        name="scale",
        unit="1",
        value=estimate,
        lower=0.05 * estimate,
        upper=10.0 * estimate,
        prior=(estimate, 0.5 * estimate),
    )
    return (scale, *parameters[1:])


def pdf_term(
    data: GR,
    model: PdfModel,
    *,
    measurement: str,
    r_range: tuple[float, float],
    q_range: tuple[float, float],
    parameters: tuple[Parameter, ...] = PDF_PARAMETERS,
) -> Term:
    """State the comparison of G(r) with that of an ensemble.

    Parameters
    ----------
    data
        Measured G(r) with its covariance or standard error.
    model
        Simulated ensemble on the points of ``data.r`` inside ``r_range``, with the Q-range of the data.
    measurement
        Name for reports.
    r_range
        Where models are compared, angstrom.
    q_range
        The band of the data, 1/angstrom.
    parameters
        scale, q_damp (1/angstrom), delta_u (angstrom^2), stretch, in this order.

    Raises
    ------
    DataError
        If the data have no error estimate or too few independent points, or the model is on other points.
    """
    inside = (data.r >= r_range[0] - 1e-9) & (data.r <= r_range[1] + 1e-9)
    r = data.r[inside]
    if model.r.shape != r.shape or not np.allclose(model.r, r):
        raise DataError(
            "model and data are on different points",
            where=f"measurement {measurement!r}",
            do="simulate on data.r",
        )
    covariance = measured_covariance(data, inside, q_range=q_range, measurement=measurement)
    modes = pdf_modes(r, q_range=q_range)
    require_points(modes.shape[1], len(parameters), measurement=measurement, ranges="r_range and q_range")
    return Term(
        measurement=measurement,
        technique="total-scattering",
        x=r,
        curve=data.g[inside],
        modes=modes,
        noise=modes.T @ covariance @ modes,
        sampling=_sampling(model, modes),
        model=lambda theta: _g(model, theta),
        parameters=parameters,
        spread=partial(_spread, model, bond_shells(model.histograms)),
        contributions=lambda theta: _parts(model, theta),
        fit_range=r_range,
    )


def _g(model: PdfModel, theta: Array) -> Array:
    scale, q_damp, delta_u, stretch = theta
    return np.asarray(model(scale=scale, q_damp=q_damp, u_iso=delta_u, stretch=stretch))


def _spread(model: PdfModel, shells: Mapping[str, tuple[float, float]], theta: Array) -> Array:
    scale, q_damp, delta_u, stretch = theta
    found = model.spread_derivatives(shells, scale=scale, q_damp=q_damp, u_iso=delta_u, stretch=stretch)
    return np.array([*found.values()]).reshape(-1, model.r.size).T


def _parts(model: PdfModel, theta: Array) -> Mapping[str, Array]:
    scale, q_damp, delta_u, stretch = theta
    return model.contributions(scale=scale, q_damp=q_damp, u_iso=delta_u, stretch=stretch)


def _sampling(model: PdfModel, modes: Array) -> Array:
    """Covariance of the ensemble average in the modes; none for too few frames to tell."""
    if model.histograms.n_frames < 3:
        return np.zeros((modes.shape[1],) * 2)
    return shrunk_covariance_of_mean(model.frames() @ modes)


def measured_covariance(data: GR, inside: Array, *, q_range: tuple[float, float], measurement: str) -> Array:
    """Covariance of the points of G(r) that are compared; errors alone are those of noise within the band.

    Parameters
    ----------
    data
        With its covariance or standard error.
    inside
        Mask of the points.
    q_range
        The band of the data, 1/angstrom.
    measurement
        For the message.

    Raises
    ------
    DataError
        If the data have no error estimate.
    """
    if data.cov is not None:
        return np.asarray(data.cov[np.ix_(inside, inside)])
    if data.sigma is not None:
        return noise_in_band(data.sigma[inside], pdf_band(data.r[inside], q_range=q_range))
    raise DataError(
        "G(r) has no error estimate",
        where=f"measurement {measurement!r}",
        do="give the raw pattern, or a .gr file with a column of errors",
    )
