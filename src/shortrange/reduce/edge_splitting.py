r"""Splitting of a white line, read from the two minima of the second derivative of mu(E).

Every way to smooth gives another second derivative, so the splitting is found with many (`SMOOTHINGS`). Their
errors by the noise of the data, with all covariances, come from simulated noise on a smooth copy of the data.
What differs beyond that is bias of the smoothing, a power series in its width with unknown coefficients: the
result is extrapolated to no smoothing at all, and what the extrapolation leaves open is part of its error.

What is measured is the distance of the two minima of the second derivative of mu(E) itself. It is not quite
the distance of two lines: their wings and the edge move the minima.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.errors import DataError
from shortrange.numeric.extrapolate import extrapolate
from shortrange.quantities import Step, step
from shortrange.reduce.normalise import Normalised
from shortrange.reduce.second_derivative import REPLICAS, SMOOTHINGS, find, measure, prepare
from shortrange.shown import Shown

__all__ = [
    "SMOOTHINGS",
    "Smoothed",
    "Splitting",
    "SplittingDifference",
    "compare_splittings",
    "edge_splitting",
]

Array = NDArray[Any]
_BIAS = {(4, 4): 30.0, (4, 6): 150.0, (6, 6): 100.0, (6, 8): 400.0}
"""Degree and power of the width (both in units of the splitting): prior size of the coefficient of the bias,
from pairs of Voigt lines with an arctan edge (`studies/edge_splitting.py`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Smoothed:
    """Result of one way to smooth.

    Attributes
    ----------
    degree, width
        Of the local polynomial, and eV.
    minima
        Energies of the two minima, eV.
    sigma
        Error of their distance by the noise of the data alone, eV.
    """

    degree: int
    width: float
    minima: tuple[float, float]
    sigma: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Splitting(Shown):
    """Result of `edge_splitting`.

    Attributes
    ----------
    value, sigma
        Distance of the minima and its standard error, eV; the choice of the smoothing is in it.
    sigma_noise, sigma_smoothing
        The two parts of the error.
    minima, sigma_minima
        Their energies and errors, eV; the calibration of the energy axis is not in them.
    significance
        Standard errors by which the saddle between the minima stands out.
    smoothings
        What each way to smooth gave.
    energy, second_derivative, sigma_second_derivative
        The curve of the clearest smoothing, eV and 1/eV^2.
    """

    value: float
    sigma: float
    sigma_noise: float
    sigma_smoothing: float
    minima: tuple[float, float]
    sigma_minima: tuple[float, float]
    significance: float
    smoothings: tuple[Smoothed, ...]
    energy: Array
    second_derivative: Array
    sigma_second_derivative: Array
    history: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SplittingDifference(Shown):
    """Result of `compare_splittings`.

    Attributes
    ----------
    value, sigma
        Second minus first, and its standard error, eV. Both spectra were smoothed alike.
    z, p
        ``value / sigma``, and the probability of a value as large as this were there no difference (normal
        errors, two-sided).
    """

    value: float
    sigma: float
    z: float
    p: float


def edge_splitting(
    data: Normalised,
    *,
    window: tuple[float, float] = (-6.0, 14.0),
    separation: tuple[float, float] = (1.0, 6.0),
) -> Splitting:
    """Distance of the two deepest minima of the second derivative of the normalised absorption.

    Parameters
    ----------
    data
        With ``sigma``: from repeats, or the noise of a single scan as `merge` estimates it.
    window
        Where the minima are looked for, eV relative to E0.
    separation
        Smallest and largest distance that is looked for, eV.

    Raises
    ------
    DataError
        If the noise is not known, there are too few points, or the data show no two minima: the saddle
        between them must stand out by 4 standard errors.
    """
    where = f"edge_splitting(label={data.label!r})"
    part = prepare(data, window, where)
    clearest = find(part, separation, where)
    found = measure(part, clearest, where)
    split, noise = np.diff(found.energies)[:, 0], np.diff(found.errors, axis=1)[:, 0]
    terms = _bias_terms(found.keys, float(np.median(split)))
    scatter = _scatter(part.gap)
    weights, value, sigma = extrapolate(split, noise, terms, scatter=scatter)
    # Each minimum moves by half of what the splitting is biased by.
    ends = [
        extrapolate(found.energies[:, i], found.errors[:, i], terms / 2.0, scatter=scatter)[1:]
        for i in (0, 1)
    ]
    own = float(np.linalg.norm(weights @ noise))
    operator = part.operators[clearest.key]
    done = step(
        "measure the splitting of the second derivative",
        window_eV=list(window),
        smoothing="local polynomials under Gaussian weights (Savitzky-Golay on any grid), no smoothing by "
        "extrapolation",
        degree_and_width_eV=[list(key) for key in found.keys],
        weights=[round(float(w), 4) for w in weights],
        replicas=REPLICAS,
    )
    return Splitting(
        value=value,
        sigma=sigma,
        sigma_noise=min(own, sigma),
        sigma_smoothing=float(np.sqrt(max(0.0, sigma**2 - own**2))),
        minima=(ends[0][0], ends[1][0]),
        sigma_minima=(ends[0][1], ends[1][1]),
        significance=clearest.contrast,
        smoothings=tuple(
            Smoothed(
                degree=k[0], width=k[1], minima=(float(e[0]), float(e[1])), sigma=float(np.linalg.norm(s))
            )
            for k, e, s in zip(found.keys, found.energies, noise, strict=True)
        ),
        energy=part.at,
        second_derivative=operator @ part.norm,
        sigma_second_derivative=np.linalg.norm(operator * part.sigma, axis=1),
        history=(*data.history, done),
    )


def compare_splittings(
    first: Normalised,
    second: Normalised,
    *,
    window: tuple[float, float] = (-6.0, 14.0),
    separation: tuple[float, float] = (1.0, 6.0),
) -> SplittingDifference:
    """Difference of two splittings; both spectra are smoothed in the same ways, so that much bias cancels.

    Parameters
    ----------
    first, second
        Two samples at the same edge; their grids may differ.
    window, separation
        As for `edge_splitting`.

    Raises
    ------
    DataError
        As `edge_splitting`, or if no smoothing shows two minima in both.
    """
    from scipy.special import erfc

    found, gaps = [], []
    for data in (first, second):
        where = f"compare_splittings(label={data.label!r})"
        part = prepare(data, window, where)
        gaps.append(part.gap)
        found.append(measure(part, find(part, separation, where), where))
    keys = [key for key in found[0].keys if key in found[1].keys]
    if not keys:
        raise DataError(
            "no smoothing shows two minima in both spectra",
            where="compare_splittings",
            do="measure both on grids of similar spacing and with similar noise",
        )
    places = [[each.keys.index(key) for key in keys] for each in found]
    split = [np.diff(each.energies[p])[:, 0] for each, p in zip(found, places, strict=True)]
    noise = [np.diff(each.errors[p], axis=1)[:, 0] for each, p in zip(found, places, strict=True)]
    terms = _bias_terms(keys, float(np.median(split[0] + split[1])) / 2.0)
    scatter = _scatter(max(gaps))
    _, value, sigma = extrapolate(split[1] - split[0], np.concatenate(noise, axis=1), terms, scatter=scatter)
    z = value / sigma
    return SplittingDifference(value=value, sigma=sigma, z=z, p=float(erfc(abs(z) / np.sqrt(2.0))))


def _scatter(gap: float) -> tuple[float, ...]:
    """Sizes (eV) of what is left between the smoothings; on a coarse grid never less than 5 % of a step."""
    return tuple(float(size) for size in np.geomspace(max(0.015, 0.05 * gap), 0.3, 9))


def _bias_terms(keys: Sequence[tuple[int, float]], scale: float) -> Array:
    """Basis of the bias of each smoothing in units of its prior standard deviation, eV, shape (n, 4).

    A polynomial of degree 4 (of 6) leaves a bias that begins with the 4th (6th) power of the width.
    """
    degree, width = np.array([k[0] for k in keys]), np.array([k[1] for k in keys]) / scale
    terms = [np.where(degree == first, size * width**power, 0.0) for (first, power), size in _BIAS.items()]
    return np.stack(terms, axis=1) * scale
