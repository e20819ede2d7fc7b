"""Series of normalised spectra: linear combinations of references, and how many components there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.errors import DataError
from shortrange.numeric.splines import interpolation_weights
from shortrange.reduce.normalise import Normalised

__all__ = ["Combination", "Components", "combine_references", "principal_components", "white_line_area"]

Array = NDArray[Any]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Combination:
    """Result of `combine_references`.

    Attributes
    ----------
    weights, sigmas
        By name of the reference. A weight held at 0 has the error 0.
    total
        Sum of the weights: 1 if the references are complete and normalised alike.
    reduced_chi2
        In units of the noise of all spectra; errors are scaled by its root where it exceeds 1.
    r_factor
        Sum of squared residuals over that of the data.
    energy, fit, residual
        eV, and the curves, shape (n,).
    """

    weights: Mapping[str, float]
    sigmas: Mapping[str, float]
    total: float
    reduced_chi2: float
    r_factor: float
    energy: Array
    fit: Array
    residual: Array


def _on(data: Normalised, energy: Array, where: str) -> tuple[Array, Array]:
    """Normalised absorption and its variance on other energies."""
    if energy[0] < data.energy[0] - 1e-6 or energy[-1] > data.energy[-1] + 1e-6:
        raise DataError(
            f"{data.label!r} covers {data.energy[0]:.1f} to {data.energy[-1]:.1f} eV only",
            where=where,
            do="choose a window that all spectra cover",
        )
    index, weight = interpolation_weights(
        data.energy, np.clip(energy, data.energy[0], data.energy[-1]), gain=4.0
    )
    sigma = np.zeros(data.energy.size) if data.sigma is None else data.sigma / data.edge_step
    variance = (weight**2 * sigma[index] ** 2).sum(axis=1)
    return (weight * data.norm[index]).sum(axis=1), variance


def combine_references(
    data: Normalised,
    references: Mapping[str, Normalised],
    *,
    window: tuple[float, float] | None = None,
    sum_to_one: bool = False,
    non_negative: bool = True,
) -> Combination:
    """Describe a spectrum as a sum of references, by weighted least squares.

    Parameters
    ----------
    data
        With ``sigma``.
    references
        By name; their energies should be calibrated alike, nothing is shifted here.
    window
        eV; by default 20 eV below to 60 eV above E0.
    sum_to_one, non_negative
        Constraints on the weights.

    Raises
    ------
    DataError
        If there are no references, they are too alike to be told apart, or do not cover the window.
    """
    from scipy.optimize import nnls

    where = f"combine_references(label={data.label!r})"
    if not references or data.sigma is None:
        raise DataError(
            f"{len(references)} references, noise {'un' if data.sigma is None else ''}known",
            where=where,
            do="give at least one reference, and data merged by reduce_xas",
        )
    low, high = window or (data.e0 - 20.0, data.e0 + 60.0)
    inside = (data.energy >= low) & (data.energy <= high)
    energy, y = data.energy[inside], data.norm[inside]
    if energy.size < len(references) + 5:
        raise DataError(f"{energy.size} points in the window", where=where, do="widen the window")
    parts = [_on(reference, energy, where) for reference in references.values()]
    design = np.stack([values for values, _ in parts], axis=1)
    variance = (data.sigma[inside] / data.edge_step) ** 2
    if np.linalg.cond(design / np.linalg.norm(design, axis=0)) > 1e4:
        raise DataError(
            "the references are too alike to be told apart", where=where, do="leave out all but one of them"
        )
    fit = np.zeros(len(parts))
    for _ in range(4):  # the noise of the references counts with their weights
        total = variance + np.sum([w**2 * v for w, (_, v) in zip(fit, parts, strict=True)], axis=0)
        a, b = design / np.sqrt(total)[:, None], y / np.sqrt(total)
        rows, aims = (a, b)
        if sum_to_one:
            # A row of very large weight holds the sum; its error is no part of the fit.
            strong = 1e4 * np.linalg.norm(a)
            rows, aims = np.vstack([a, np.full((1, a.shape[1]), strong)]), np.append(b, strong)
        fit = nnls(rows, aims)[0] if non_negative else np.linalg.lstsq(rows, aims, rcond=None)[0]
    free = fit != 0 if non_negative else np.ones(fit.size, dtype=bool)
    covariance = np.zeros((fit.size, fit.size))
    covariance[np.ix_(free, free)] = np.linalg.inv(rows[:, free].T @ rows[:, free])
    chi2 = float(np.sum((b - a @ fit) ** 2)) / max(1, energy.size - int(free.sum()) + int(sum_to_one))
    sigmas = np.sqrt(np.diag(covariance)) * max(1.0, np.sqrt(chi2))
    model = design @ fit
    return Combination(
        weights=dict(zip(references, fit.tolist(), strict=True)),
        sigmas=dict(zip(references, sigmas.tolist(), strict=True)),
        total=float(fit.sum()),
        reduced_chi2=chi2,
        r_factor=float(np.sum((y - model) ** 2) / np.sum(y**2)),
        energy=energy,
        fit=model,
        residual=y - model,
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Components:
    """Result of `principal_components`.

    Attributes
    ----------
    energy
        eV, shape (n,).
    components
        Orthonormal, the strongest first, shape (m, n).
    scores
        Of each spectrum, shape (m spectra, m components).
    variances
        Squared singular values over their sum, shape (m,).
    n_significant
        Components that stand out of the noise: singular values above those of noise of the stated size alone
        (Gavish and Donoho's edge, sqrt(n) + sqrt(m)).
    """

    energy: Array
    components: Array
    scores: Array
    variances: Array
    n_significant: int


def principal_components(
    spectra: Sequence[Normalised], *, window: tuple[float, float] | None = None
) -> Components:
    """Principal components of a series (no mean is subtracted, as in Athena), on the energies of the first.

    Raises
    ------
    DataError
        For fewer than two spectra, unknown noise, or spectra that do not cover the window.
    """
    where = "principal_components"
    if len(spectra) < 2 or any(data.sigma is None for data in spectra):
        raise DataError(
            f"{len(spectra)} spectra, or some of unknown noise",
            where=where,
            do="give two or more spectra merged by reduce_xas",
        )
    first = spectra[0]
    low, high = window or (first.e0 - 20.0, first.e0 + 60.0)
    energy = first.energy[(first.energy >= low) & (first.energy <= high)]
    if energy.size < len(spectra):
        raise DataError(f"{energy.size} points in the window", where=where, do="widen the window")
    parts = [_on(data, energy, where) for data in spectra]
    sigma = np.sqrt(np.mean([variance for _, variance in parts], axis=0))
    left, singular, right = np.linalg.svd(np.array([values for values, _ in parts]), full_matrices=False)
    whitened = np.linalg.svd(
        np.array([values for values, _ in parts]) / np.maximum(sigma, 1e-12), compute_uv=False
    )
    edge = np.sqrt(energy.size) + np.sqrt(len(spectra))
    return Components(
        energy=energy,
        components=right,
        scores=left * singular,
        variances=singular**2 / np.sum(singular**2),
        n_significant=int(np.sum(whitened > edge)),
    )


def white_line_area(
    data: Normalised, *, window: tuple[float, float] = (-10.0, 15.0), step_width: float = 1.0
) -> dict[str, float]:
    """Area (eV) and centroid (eV) of the white line above an arctan step at E0, with errors.

    The area is the integral over ``window`` (eV relative to E0) of the normalised absorption less
    ``1/2 + arctan((E - E0) / step_width) / pi``. The error holds the noise, that of the edge step, and what a
    step moved by ``step_width`` would change: the larger part, common to spectra treated alike.

    Parameters
    ----------
    data
        Normalised absorption with its noise.
    window
        Range of the integral, eV relative to E0.
    step_width
        Of the arctan step, eV.

    Returns
    -------
    dict
        ``area``, ``sigma_area``, ``sigma_area_noise``, ``centroid``, ``sigma_centroid``.

    Raises
    ------
    DataError
        If the noise is not known, the window is not covered, or there is no white line.
    """
    where = f"white_line_area(label={data.label!r})"
    low, high = data.e0 + window[0], data.e0 + window[1]
    inside = (data.energy >= low) & (data.energy <= high)
    if data.sigma is None or inside.sum() < 10:
        raise DataError(
            f"{inside.sum()} points in the window, or unknown noise",
            where=where,
            do="scan the white line finely, and merge the scans with reduce_xas",
        )
    energy, norm = data.energy[inside], data.norm[inside]
    weights = np.gradient(energy)

    def above(shift: float) -> Array:
        return norm - 0.5 - np.arctan((energy - data.e0 - shift) / step_width) / np.pi

    excess = above(0.0)
    area = float(weights @ excess)
    relative = data.sigma[inside] / data.edge_step
    counted = float(np.linalg.norm(weights * relative))
    if area <= 4.0 * counted:
        raise DataError(
            f"there is no white line: area {area:.3g} eV, noise {counted:.2g} eV", where=where, do="check E0"
        )
    noise = float(np.hypot(counted, area * data.sigma_edge_step / data.edge_step))
    moved = [float(weights @ above(shift)) for shift in (-step_width, step_width)]
    centroid = float(weights @ (excess * energy)) / area
    centroids = [
        float(weights @ (above(s) * energy)) / a
        for s, a in zip((-step_width, step_width), moved, strict=True)
    ]
    slope = weights * (energy - centroid) / area
    return {
        "area": area,
        "sigma_area": float(np.hypot(noise, np.ptp(moved) / 2.0)),
        "sigma_area_noise": noise,
        "centroid": centroid,
        "sigma_centroid": float(np.hypot(np.linalg.norm(slope * relative), np.ptp(centroids) / 2.0)),
    }
