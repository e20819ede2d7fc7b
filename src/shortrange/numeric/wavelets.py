r"""Wavelet transforms of k^n chi(k): Cauchy and complex Morlet, by banded Fourier sums.

A wavelet at distance R passes frequencies around :math:`\omega = 2R`. The amplitude convention is the same
for both: :math:`A\sin(2kR_0 + \varphi)`, far from its ends, gives :math:`|W(k, R_0)| = A`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.numeric.windows import uniform_step

__all__ = [
    "cauchy_transform",
    "larch_factor",
    "larch_order",
    "morlet_transform",
    "pywavelets_transform",
]

Array = NDArray[Any]

_REACH = 6.0  # widths of a filter beyond which it is zero: exp(-18)
_TAIL = 7.0  # widths of a wavelet in k that must fit beyond the data before it comes round again


def larch_order(k_step: float, r_max: float = 10.0) -> int:
    """Order that xraylarch takes for a spacing of k (1/angstrom) and the end of its grid of R (angstrom)."""
    return int(np.round((r_max - 1e-7) * k_step * 2048 / np.pi))


def larch_factor(order: int) -> float:
    r"""Factor from our amplitude to that of xraylarch, :math:`\pi n^n e^{-n} / n!`, about sqrt(pi / 2n)."""
    from scipy.special import gammaln

    return float(np.exp(np.log(np.pi) + order * np.log(order) - order - gammaln(order + 1)))


@dataclass(frozen=True, slots=True)
class _Band:
    """Distances whose filters share a grid of frequencies."""

    rows: slice
    forward: Array
    filters: Array
    back: Array


def cauchy_transform(k: Array, y: Array, r: Array, *, order: int, every: int = 1) -> Array:
    r"""Cauchy wavelet transform :math:`\int \hat y(\omega)\,H(\omega / 2R)\,e^{i\omega k}\,d\omega/2\pi`.

    The filter is :math:`H(x) = 2\,(x\,e^{1-x})^n` for positive frequencies (Munoz, Argoul, Farges, Am.
    Mineral. 88, 694 (2003), but for the factor); its relative width is :math:`1/\sqrt n`.

    Parameters
    ----------
    k
        Uniform, 1/angstrom, shape (n_k,).
    y
        k^n chi(k) on it; beyond it is zero. Shape (n_k,) or (..., n_k).
    r
        Increasing, not negative, angstrom, shape (n_r,).
    order
        n of the filter, at least 1.
    every
        Give every so many points of ``k`` only: the transform varies more slowly than the data.

    Returns
    -------
    ndarray
        Complex, shape (..., n_r, n_k / every).
    """
    return _transform(k, y, r, ("cauchy", float(order)), every)


def morlet_transform(k: Array, y: Array, r: Array, *, eta: float, sigma: float, every: int = 1) -> Array:
    r"""Complex Morlet transform, with the wavelet :math:`\psi(t) \sim e^{i\eta t - t^2 / 2\sigma^2}`.

    The scale at R is :math:`\eta / 2R`, so that the resolution in k is :math:`\sigma\eta / 2R` and that in R
    is :math:`R / \sigma\eta` (Funke, Scheinost, Chukalina, Phys. Rev. B 71, 094110 (2005)). The filter is
    :math:`H(x) = 2\,e^{-(\sigma\eta)^2(1-x)^2/2}`.

    Parameters
    ----------
    k, y, r, every
        As for `cauchy_transform`.
    eta, sigma
        Of the wavelet, dimensionless; only their product, at least 5, matters here.

    Returns
    -------
    ndarray
        Complex, shape (..., n_r, n_k / every).
    """
    return _transform(k, y, r, ("morlet", float(eta * sigma)), every)


def _transform(k: Array, y: Array, r: Array, shape: tuple[str, float], every: int) -> Array:
    y = np.asarray(y, dtype=float)
    bands = _bands(k.tobytes(), r.tobytes(), shape, every)
    out = np.zeros((*y.shape[:-1], r.size, k[::every].size), dtype=complex)
    for band in bands:
        spectrum = y @ band.forward
        np.matmul(spectrum[..., None, :] * band.filters, band.back, out=out[..., band.rows, :])
    return out


@lru_cache(maxsize=8)
def _bands(k_bytes: bytes, r_bytes: bytes, shape: tuple[str, float], every: int) -> tuple[_Band, ...]:
    """Make the kernels of one pair of grids. Wider wavelets (small R) need a finer grid of frequencies."""
    k, r = np.frombuffer(k_bytes), np.frombuffer(r_bytes)
    step = uniform_step(k, where="wavelet transform")
    kind, number = shape
    width = 1.0 / np.sqrt(number) if kind == "cauchy" else 1.0 / number
    bands = []
    start = int(np.searchsorted(r, 0.0, side="right"))  # at R = 0 the transform is zero
    while start < r.size:
        low = float(r[start])
        stop = int(np.searchsorted(r, 1.5 * low, side="right"))
        period = float(np.ptp(k)) + step + _TAIL / (2.0 * low * width)
        spacing = 2.0 * np.pi / period
        top = min(2.0 * float(r[stop - 1]) * _edge(width), np.pi / step)
        bottom = 2.0 * low * max(0.0, 1.0 - _REACH * width)
        omega = spacing * np.arange(max(1, int(bottom / spacing)), int(top / spacing) + 2)
        omega = omega[omega < np.pi / step]
        x = omega / (2.0 * r[start:stop, None])
        power = number * (np.log(x) + 1.0 - x) if kind == "cauchy" else -0.5 * (number * (1.0 - x)) ** 2
        filters = 2.0 * np.exp(power)
        bands.append(
            _Band(
                slice(start, stop),
                step * np.exp(-1j * np.outer(k, omega)),
                filters,
                np.exp(1j * np.outer(omega, k[::every])) * (spacing / (2.0 * np.pi)),
            )
        )
        start = stop
    return tuple(bands)


def _edge(width: float) -> float:
    """Upper end of a filter: it falls more slowly there than a normal curve."""
    return 1.0 + _REACH * width + (_REACH * width) ** 2 / 3.0


def pywavelets_transform(k: Array, y: Array, r: Array, *, eta: float, sigma: float) -> Array:
    r"""Do what `morlet_transform` does with PyWavelets: slower, and up to half a step of ``k`` off.

    Parameters
    ----------
    k, y, r, eta, sigma
        As for `morlet_transform`; ``y`` of shape (n_k,), ``r`` positive.
    """
    import pywt

    step = uniform_step(k, where="wavelet transform")
    scales = eta / (2.0 * r) / step
    wavelet = pywt.ContinuousWavelet(f"cmor{2.0 * sigma**2}-{eta / (2.0 * np.pi)}")
    # The default ends of its table, -8 and 8, are not wide enough for every sigma.
    wavelet.lower_bound, wavelet.upper_bound = -6.0 * sigma, 6.0 * sigma
    coefficients, _ = pywt.cwt(y, scales, wavelet, method="fft", precision=14)
    # PyWavelets keeps the energy of the wavelet, we keep the amplitude of a wave; and it averages the wavelet
    # over each step of the grid, which weakens a wave by sin(R dk) / (R dk).
    factor = 2.0 / np.sqrt(scales) / np.sinc(r * step / np.pi)
    return np.asarray(coefficients * factor[:, None])
