r"""Wavelet maps of EXAFS: which distances show at which k, and how strongly, with errors.

Amplitudes: :math:`k^n\chi(k) = A\sin(2kR_0 + \varphi)` gives :math:`|W(k, R_0)| = A` far from its ends,
whatever the wavelet. Xraylarch's map is ours times `shortrange.numeric.wavelets.larch_factor`, which depends
on the end of its grid of R.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from shortrange.errors import DataError, did_you_mean
from shortrange.numeric.wavelets import cauchy_transform, larch_order, morlet_transform, pywavelets_transform
from shortrange.numeric.xafs_fourier import k_window
from shortrange.quantities import ChiK, Step, step
from shortrange.shown import Shown

__all__ = ["Lobe", "WaveletMap", "map_difference", "measure_lobe", "wavelet"]

Array = NDArray[Any]
Kind = Literal["cauchy", "morlet"]

_REPLICAS = 200


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WaveletMap(Shown):
    """Wavelet transform of k^n chi(k).

    Attributes
    ----------
    k, r
        1/angstrom, shape (n_k,); angstrom without phase correction, shape (n_r,).
    values
        Complex, angstrom^-n for k-weight n, shape (n_r, n_k).
    k_weight, k_range
        The power of k, and the window that was laid over it, 1/angstrom; None for no window.
    settings
        Kind of the wavelet and its parameters.
    """

    k: Array
    r: Array
    values: Array
    k_weight: float
    k_range: tuple[float, float] | None
    settings: dict[str, Any]
    label: str = ""
    history: tuple[Step, ...] = ()

    def __post_init__(self) -> None:
        for name in ("k", "r", "values"):
            own = np.array(getattr(self, name))
            own.setflags(write=False)
            object.__setattr__(self, name, own)

    @property
    def magnitude(self) -> Array:
        """|W|, shape (n_r, n_k)."""
        return np.abs(self.values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lobe:
    """Result of `measure_lobe`; every number with its standard error, None where the noise is not known.

    Attributes
    ----------
    k, r
        Place of the maximum, 1/angstrom and angstrom without phase correction.
    strength
        |W| there.
    width_k, width_r
        Full widths at half of it, along k and along R through the maximum; NaN where a side does not fall
        to a half.
    """

    k: float
    r: float
    strength: float
    width_k: float
    width_r: float
    sigma_k: float | None
    sigma_r: float | None
    sigma_strength: float | None
    sigma_width_k: float | None
    sigma_width_r: float | None


def wavelet(
    chi: ChiK,
    *,
    k_weight: float = 2.0,
    k_range: tuple[float, float] | None = None,
    kind: Kind = "cauchy",
    r_max: float = 6.0,
    r_step: float = 0.05,
    r: Array | None = None,
    order: int | None = None,
    eta: float = 8.0,
    sigma: float = 1.0,
    engine: Literal["direct", "pywavelets"] = "direct",
) -> WaveletMap:
    """Wavelet map of k^n chi(k).

    Parameters
    ----------
    chi
        On a uniform grid.
    k_weight
        Power of k.
    k_range
        1/angstrom; with a window over this range (Kaiser, 1 1/angstrom wide), as `xftf` has, or without any.
    kind
        ``"cauchy"`` as in xraylarch, or ``"morlet"`` (complex).
    r_max, r_step
        Grid of R from ``r_step``, angstrom.
    r
        Other distances, increasing and positive, angstrom.
    order
        Of the Cauchy wavelet: its width in R is R over the root of it. By default that of xraylarch with its
        ``rmax_out`` of 10 angstrom (326 for a spacing of 0.05), whatever ``r_max`` is.
    eta, sigma
        Of the Morlet wavelet: its width in R is R / (eta sigma).
    engine
        Who computes the Morlet wavelet: Fourier sums, or PyWavelets as a reference (slower, and up to half a
        step of k off).

    Raises
    ------
    DataError
        For an unknown kind, a grid that is not uniform, or settings out of range.
    """
    where = f"wavelet(label={chi.label!r})"
    if kind not in ("cauchy", "morlet"):
        raise DataError(
            f"there is no wavelet {kind!r}", where=where, do=did_you_mean(kind, ["cauchy", "morlet"])
        )
    if r is None:
        r = r_step * np.arange(1, int(np.floor(r_max / r_step + 1e-6)) + 1)
    r = np.asarray(r, dtype=float)
    if r.size == 0 or r[0] <= 0 or np.any(np.diff(r) <= 0):
        raise DataError("R is not positive and increasing", where=where, do="choose r_max > r_step > 0")
    settings = _settings(kind, chi, order, eta, sigma, engine, where)
    weight = _weight(chi.k, k_weight, k_range)
    values = _transform(chi.k, chi.chi * weight, r, settings)
    done = step(
        "transform to a wavelet map", k_weight=k_weight, k_range=k_range, amplitude="of a wave", **settings
    )
    return WaveletMap(
        k=chi.k,
        r=r,
        values=values,
        k_weight=k_weight,
        k_range=k_range,
        settings=settings,
        label=chi.label,
        history=(*chi.history, done),
    )


def _weight(k: Array, k_weight: float, k_range: tuple[float, float] | None) -> Array:
    weight = k**k_weight
    return np.asarray(weight if k_range is None else weight * k_window(k, k_range=k_range))


def _settings(
    kind: Kind, chi: ChiK, order: int | None, eta: float, sigma: float, engine: str, where: str
) -> dict[str, Any]:
    if kind == "cauchy":
        order = larch_order(float(chi.k[1] - chi.k[0])) if order is None else order
        if order < 1:
            raise DataError(f"order = {order}", where=where, do="choose 1 or more")
        return {"kind": kind, "order": order, "engine": "direct"}
    if engine not in ("direct", "pywavelets"):
        raise DataError(
            f"there is no engine {engine!r}", where=where, do=did_you_mean(engine, ["direct", "pywavelets"])
        )
    if eta <= 0 or sigma <= 0 or eta * sigma < 5.0:
        raise DataError(
            f"eta = {eta:g}, sigma = {sigma:g}: this wavelet answers to a constant too",
            where=where,
            do="choose positive values with a product of 5 or more",
        )
    return {"kind": kind, "eta": eta, "sigma": sigma, "engine": engine}


def _transform(k: Array, y: Array, r: Array, settings: dict[str, Any]) -> Array:
    if settings["kind"] == "cauchy":
        return cauchy_transform(k, y, r, order=settings["order"])
    if settings["engine"] == "pywavelets":
        return pywavelets_transform(k, y, r, eta=settings["eta"], sigma=settings["sigma"])
    return morlet_transform(k, y, r, eta=settings["eta"], sigma=settings["sigma"])


def map_difference(first: WaveletMap, second: WaveletMap) -> Array:
    """Return |W| of the second map minus that of the first, shape (n_r, n_k).

    Raises
    ------
    DataError
        If grids, weight or wavelet differ.
    """
    same = all(getattr(first, name) == getattr(second, name) for name in ("settings", "k_weight", "k_range"))
    if not same or first.values.shape != second.values.shape or not np.allclose(first.r, second.r):
        raise DataError(
            f"the maps differ in more than the data: {first.settings}, k^{first.k_weight:g}, "
            f"{first.k_range}, {first.values.shape}; {second.settings}, k^{second.k_weight:g}, "
            f"{second.k_range}, {second.values.shape}",
            where="map_difference",
            do="make both with the same settings and on the same grid of k",
        )
    return second.magnitude - first.magnitude


def measure_lobe(
    chi: ChiK, data: WaveletMap, *, near: tuple[float, float], reach: tuple[float, float] = (1.5, 0.5)
) -> Lobe:
    """Place, strength and widths of one lobe of a map, with errors by the noise of chi(k).

    Parameters
    ----------
    chi
        What the map was made from; errors need its ``cov`` or ``sigma``.
    data
        The map.
    near
        About where, k (1/angstrom) and R (angstrom).
    reach
        How far from there its maximum may lie, 1/angstrom and angstrom.

    Raises
    ------
    DataError
        If the largest value in reach lies at the edge of the reach: there is no lobe there.
    """
    k_part = np.abs(data.k - near[0]) <= reach[0]
    r_part = np.abs(data.r - near[1]) <= reach[1]
    wide = np.abs(data.r - near[1]) <= reach[1] + 1.0
    where = f"measure_lobe(label={data.label!r})"
    if k_part.sum() < 3 or r_part.sum() < 3:
        raise DataError(
            f"k = {near[0]:g}, R = {near[1]:g} lies outside the map",
            where=where,
            do="choose a place within it",
        )
    boxes = (np.flatnonzero(k_part), np.flatnonzero(r_part[wide]))
    own = _lobe(data.k, data.r[wide], data.magnitude[wide], boxes)
    if own is None:
        raise DataError(
            f"there is no lobe within {reach[0]:g} 1/angstrom and {reach[1]:g} angstrom of "
            f"k = {near[0]:g}, R = {near[1]:g}",
            where=where,
            do="look at the map, and choose another place or reach",
        )
    errors = _lobe_errors(chi, data, wide, boxes)
    return Lobe(
        k=own[0],
        r=own[1],
        strength=own[2],
        width_k=own[3],
        width_r=own[4],
        sigma_k=errors[0],
        sigma_r=errors[1],
        sigma_strength=errors[2],
        sigma_width_k=errors[3],
        sigma_width_r=errors[4],
    )


def _lobe_errors(chi: ChiK, data: WaveletMap, wide: Array, boxes: tuple[Array, Array]) -> list[float | None]:
    """Spread over replicas of the data with their noise; a tenth of them may lose the lobe."""
    if chi.cov is not None:
        values, vectors = np.linalg.eigh(chi.cov)
        factor = vectors * np.sqrt(np.maximum(values, 0.0))
    elif chi.sigma is not None:
        factor = np.diag(chi.sigma)
    else:
        return [None] * 5
    noise = np.random.default_rng(0).normal(size=(_REPLICAS, factor.shape[1])) @ factor.T
    found = []
    settings = {**data.settings, "engine": "direct"}
    for replica in (chi.chi + noise) * _weight(chi.k, data.k_weight, data.k_range):
        magnitude = np.abs(_transform(chi.k, replica, data.r[wide], settings))
        lobe = _lobe(data.k, data.r[wide], magnitude, boxes)
        if lobe is not None:
            found.append(lobe)
    if len(found) < 0.9 * _REPLICAS:
        return [float("inf")] * 5
    table = np.array(found)
    return [float(np.nanstd(column)) if np.isfinite(column).mean() > 0.9 else np.nan for column in table.T]


def _lobe(
    k: Array, r: Array, magnitude: Array, boxes: tuple[Array, Array]
) -> tuple[float, float, float, float, float] | None:
    """Maximum within the boxes, refined by parabolas, and widths at half height; None at an edge."""
    ks, rs = boxes
    inside = magnitude[rs[0] : rs[-1] + 1, ks[0] : ks[-1] + 1]
    row, column = np.unravel_index(int(np.argmax(inside)), inside.shape)
    if not (0 < row < inside.shape[0] - 1 and 0 < column < inside.shape[1] - 1):
        return None
    i, j = int(row) + int(rs[0]), int(column) + int(ks[0])
    along_r, along_k = magnitude[:, j], magnitude[i]
    shift_r, gain_r = _vertex(along_r[i - 1 : i + 2])
    shift_k, gain_k = _vertex(along_k[j - 1 : j + 2])
    top = float(magnitude[i, j]) + gain_r + gain_k
    return (
        float(k[j] + shift_k * (k[1] - k[0])),
        float(r[i] + shift_r * (r[1] - r[0])),
        top,
        _width(k, along_k, j, top / 2.0),
        _width(r, along_r, i, top / 2.0),
    )


def _vertex(three: Array) -> tuple[float, float]:
    """Place (in steps) and height above the middle of the parabola through three points."""
    left, middle, right = (float(v) for v in three)
    curvature = left - 2.0 * middle + right
    if curvature >= 0:
        return 0.0, 0.0
    shift = 0.5 * (left - right) / curvature
    return shift, 0.25 * (right - left) * shift


def _width(x: Array, y: Array, top: int, half: float) -> float:
    """Distance of the crossings of ``half`` on both sides of a maximum; NaN if there is none on a side."""
    below = np.flatnonzero(y < half)
    left, right = below[below < top], below[below > top]
    if not left.size or not right.size:
        return float("nan")
    a, b = int(left[-1]), int(right[0])
    low = x[a] + (half - y[a]) / (y[a + 1] - y[a]) * (x[a + 1] - x[a])
    high = x[b - 1] + (half - y[b - 1]) / (y[b] - y[b - 1]) * (x[b] - x[b - 1])
    return float(high - low)
