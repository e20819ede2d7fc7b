"""Where a fit compares: k, R or wavelet space, as one matrix on chi(k) whose sum of squares is the misfit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from shortrange.errors import DataError, did_you_mean
from shortrange.numeric.wavelets import cauchy_transform, larch_order
from shortrange.numeric.windows import WINDOWS
from shortrange.numeric.xafs_fourier import fourier_matrix, k_window, larch_r_grid

__all__ = ["SPACES", "FitRange", "Space", "estimate_epsilon", "make_space"]

Array = NDArray[Any]
SpaceName = Literal["k", "r", "wavelet"]
SPACES: tuple[SpaceName, ...] = get_args(SpaceName)

_STEP = 0.05  # 1/angstrom, the grid of xraylarch and Artemis
_N_FFT = 2048


@dataclass(frozen=True, slots=True, kw_only=True)
class FitRange:
    """What is compared, and how it is weighted.

    Attributes
    ----------
    k_range, r_range
        1/angstrom; angstrom without phase correction.
    k_weights
        Powers of k, fitted together.
    dk, window
        Taper (1/angstrom) and kind of the window over k.
    space
        ``"k"``, ``"r"`` or ``"wavelet"``.
    """

    k_range: tuple[float, float]
    r_range: tuple[float, float]
    k_weights: tuple[float, ...] = (2.0,)
    dk: float = 1.0
    window: str = "hanning"
    space: str = "r"

    def __post_init__(self) -> None:
        where = "fit range"
        for name in ("k_range", "r_range"):
            low, high = getattr(self, name)
            if not 0 <= low < high:
                raise DataError(f"{name} is {low:g} to {high:g}", where=where, do="give 0 <= low < high")
        if self.space not in SPACES:
            raise DataError(
                f"there is no fit space {self.space!r}", where=where, do=did_you_mean(self.space, SPACES)
            )
        if self.window not in WINDOWS:
            raise DataError(
                f"there is no window {self.window!r}", where=where, do=did_you_mean(self.window, WINDOWS)
            )
        if not self.k_weights or len(set(self.k_weights)) != len(self.k_weights):
            raise DataError(
                f"k_weights are {list(self.k_weights)}", where=where, do="give one or more, each once"
            )

    @property
    def n_independent(self) -> float:
        """Independent points, 2 dk dr / pi + 1, as Artemis and xraylarch count them (Stern 1993 has + 2)."""
        return 1 + 2 * (self.r_range[1] - self.r_range[0]) * (self.k_range[1] - self.k_range[0]) / np.pi


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Space:
    """A matrix on chi(k), divided by the noise.

    Attributes
    ----------
    k
        Grid of chi, 1/angstrom, shape (n,).
    matrix
        Its product with chi has the sum of squares that the transformed points, divided by their noise, have;
        shape (m, n) with m of at most n.
    n_points
        Number of those points.
    epsilon_k
        Noise of chi(k) that was divided by, for each k-weight.
    n_independent
        Independent points.
    """

    k: Array
    matrix: Array
    n_points: int
    epsilon_k: tuple[float, ...]
    n_independent: float


def make_space(
    k: Array, chi: Array, wanted: FitRange, *, epsilon: float | None = None
) -> tuple[Space, Array]:
    """State the comparison of one chi(k), and return chi on its grid.

    Parameters
    ----------
    k, chi
        Data, 1/angstrom, shape (n,).
    wanted
        Ranges and weights.
    epsilon
        Noise of chi(k); None estimates it from chi(R) between 15 and 30 angstrom, for each k-weight.

    Raises
    ------
    DataError
        If the data do not reach the range.
    """
    if k[0] > wanted.k_range[0] + 1e-6 or k[-1] < wanted.k_range[1] - _STEP / 2:
        raise DataError(
            f"k_range is {wanted.k_range[0]:g} to {wanted.k_range[1]:g} 1/angstrom, "
            f"but the data reach from {k[0]:g} to {k[-1]:.2f}",
            where="fit range, k_range",
            do="narrow it to what was measured",
        )
    # Beyond the window nothing counts, and FEFF's tables may end.
    grid = _STEP * np.arange(int(1.01 + min(k[-1], wanted.k_range[1] + wanted.dk) / _STEP))
    own = np.interp(grid, k, chi)
    if not np.isfinite(own).all():
        raise DataError("chi(k) is not finite everywhere", where="data", do="repair or cut the data")
    noise = [
        estimate_epsilon(grid, own, wanted, weight) if epsilon is None else _to_r(wanted, weight, epsilon)
        for weight in wanted.k_weights
    ]
    gram = np.zeros((grid.size, grid.size))
    n_points = 0
    for weight, (epsilon_k, epsilon_r) in zip(wanted.k_weights, noise, strict=True):
        rows = _rows(grid, wanted, weight) / (epsilon_r if wanted.space == "r" else epsilon_k)
        stacked = np.concatenate([rows.real, rows.imag]) if np.iscomplexobj(rows) else rows
        gram += stacked.T @ stacked
        n_points += len(stacked)
    values, vectors = np.linalg.eigh(gram)
    keep = values > 1e-13 * values[-1]
    matrix = np.sqrt(values[keep])[:, None] * vectors[:, keep].T
    space = Space(
        k=grid, matrix=matrix, n_points=n_points, epsilon_k=tuple(e for e, _ in noise),
        n_independent=wanted.n_independent,
    )  # fmt: skip
    return space, own


def _rows(k: Array, wanted: FitRange, weight: float) -> Array:
    """Transform of chi(k) at the points that are compared, shape (points, n)."""
    window: dict[str, Any] = {"k_range": wanted.k_range, "dk": wanted.dk, "window": wanted.window}
    first, last = (int(0.01 + edge / _STEP) for edge in wanted.k_range)
    if wanted.space == "k":
        return np.asarray((np.eye(k.size) * k**weight)[first:last])
    r_step = np.pi / (_STEP * _N_FFT)
    low, high = (int(0.01 + edge / r_step) for edge in wanted.r_range)
    if wanted.space == "r":
        r = larch_r_grid(_STEP, r_max=wanted.r_range[1] + 1.0)[low:high]
        return fourier_matrix(k, r, k_weight=weight, **window)
    r = r_step * np.arange(max(low, 1), high)
    weighted = np.eye(k.size) * (k_window(k, **window) * k**weight)
    order = larch_order(_STEP)
    maps = cauchy_transform(k, weighted, r, order=order)[:, :, first:last]
    return maps.reshape(k.size, -1).T


def _scale(wanted: FitRange, weight: float) -> float:
    """Noise of chi(k) over that of k^n chi(R), by Parseval (Newville, Boyanov, Sayers 1999)."""
    w = 2 * weight + 1
    low, high = wanted.k_range
    return float(np.sqrt(2 * np.pi * w / (_STEP * (high**w - low**w))))


def _to_r(wanted: FitRange, weight: float, epsilon: float) -> tuple[float, float]:
    if not (np.isfinite(epsilon) and epsilon > 0):
        raise DataError(f"epsilon = {epsilon:g}", where="data, epsilon", do="give a positive noise of chi(k)")
    return epsilon, epsilon / (np.sqrt(2.0) * _scale(wanted, weight))


def estimate_epsilon(k: Array, chi: Array, wanted: FitRange, weight: float) -> tuple[float, float]:
    """Noise of chi(k), and of k^n chi(R), from chi(R) between 15 and 30 angstrom, as xraylarch has it."""
    window: dict[str, Any] = {"k_range": wanted.k_range, "dk": wanted.dk, "window": wanted.window}
    r = larch_r_grid(_STEP, r_max=30.0)
    r = r[int(0.01 + 15.0 / r[1]) :]
    high = fourier_matrix(k, r, k_weight=weight, **window) @ chi
    whole = _STEP * np.arange(_N_FFT)
    mean = k_window(whole, **window).sum() * _STEP / (wanted.k_range[1] - wanted.k_range[0])
    epsilon_r = float(np.sqrt(np.mean(np.abs(high) ** 2) / 2) / mean)
    return _scale(wanted, weight) * epsilon_r, epsilon_r
