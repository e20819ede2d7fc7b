"""S(Q) to G(r) with its covariance."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy.linalg import blas

from shortrange.errors import DataError
from shortrange.numeric.sine import (
    Window,
    cosine_sums,
    even_step,
    factored_kernel,
    phases,
    sine_kernel,
    trapezoid_weights,
    window_values,
)
from shortrange.quantities import GR, SQ, step

__all__ = ["gr_from_sq"]

Array = NDArray[Any]


def gr_from_sq(
    sq: SQ,
    *,
    r: Array,
    q_range: tuple[float, float] | None = None,
    window: Window | None = None,
    covariance: bool = True,
) -> GR:
    """Transform S(Q) to G(r), carrying its covariance.

    Parameters
    ----------
    sq
        Structure factor.
    r
        angstrom, shape (n_r,).
    q_range
        Part of F(Q) that is transformed, 1/angstrom; by default all.
    window
        None, ``"lorch"`` or ``"soft"``; see `shortrange.numeric.sine.window_values`.
    covariance
        Whether G carries its full covariance (n_r, n_r), or only its standard error.

    Raises
    ------
    DataError
        If ``q_range`` does not lie in the data.
    """
    low, high = (sq.q[0], sq.q[-1]) if q_range is None else q_range
    inside = (sq.q >= low - 1e-9) & (sq.q <= high + 1e-9)
    slack = float(np.max(np.diff(sq.q))) if sq.q.size > 1 else 0.0
    if inside.sum() < 2 or low < sq.q[0] - slack or high > sq.q[-1] + slack:
        raise DataError(
            f"q_range {low:g} to {high:g} does not lie in S(Q), {sq.q[0]:g} to {sq.q[-1]:g} 1/angstrom",
            where=sq.label or "gr_from_sq",
            do="choose q_range within the data",
        )
    q = sq.q[inside]
    r = np.asarray(r, dtype=float)
    plan = _plan(q.tobytes(), r.tobytes(), float(high), window)
    # What points have in common is transformed beside S - 1, in one product of matrices.
    common = np.empty((q.size, 0)) if sq.shared is None or sq.cov is not None else sq.shared[inside]
    both = plan.transform(np.column_stack([sq.s[inside] - 1.0, common]))
    cov = _covariance(sq, inside, plan, both[:, 1:]) if covariance or sq.cov is not None else None
    variance = np.diag(cov) if cov is not None else _variance(sq, inside, plan, both[:, 1:])
    done = step("transform S(Q) to G(r)", q_min=float(q[0]), q_max=float(q[-1]), window=window)
    # At r = 0 nothing is left but rounding, of either sign.
    sigma = None if variance is None else np.sqrt(np.clip(variance, 0.0, None))
    return GR(
        r=r, g=both[:, 0], cov=cov if covariance else None, sigma=sigma,
        q_min=float(q[0]), q_max=float(q[-1]), composition=sq.composition, number_density=sq.number_density,
        label=sq.label, history=(*sq.history, done),
    )  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class _Plan:
    """What depends on the two grids and the window alone; ``power`` and phases only where r is uniform."""

    spread: Array | None  # (n_r, k), or None for k = n_r and the identity
    kernel: Array  # (k, n_q)
    power: Array | None  # 2 (2 / pi)^2 weight^2 / 4, (n_q,)
    minus: tuple[Array, Array] | None  # phases at r - r', as from `phases`
    plus: tuple[Array, Array] | None  # phases at r + r'
    twice: tuple[Array, Array] | None  # phases at 2 r

    def transform(self, columns: Array) -> Array:
        """G at the points of r for F / Q in ``columns`` (n_q, m), shape (n_r, m)."""
        inner = self.kernel @ columns
        return inner if self.spread is None else np.asarray(self.spread @ inner)


@lru_cache(maxsize=2)
def _plan(q_bytes: bytes, r_bytes: bytes, q_max: float, window: Window | None) -> _Plan:
    """Kernel of a transform; patterns of a series share it, so the last two are kept."""
    q, r = np.frombuffer(q_bytes), np.frombuffer(r_bytes)
    weight = trapezoid_weights(q) * window_values(q, q_max=q_max, window=window) * q
    step_r = even_step(r)
    if step_r is None:
        return _Plan(None, sine_kernel(q, weight, r), None, None, None, None)
    spread: Array | None
    spread, kernel = factored_kernel(q, weight, r)
    if spread.size + kernel.size > r.size * q.size:
        spread, kernel = None, sine_kernel(q, weight, r)
    start, n = float(r[0]), r.size
    return _Plan(
        spread, kernel, 2.0 / np.pi**2 * weight**2, phases(q, start=0.0, step=step_r, n=n),
        phases(q, start=2.0 * start, step=step_r, n=2 * n - 1),
        phases(q, start=2.0 * start, step=2.0 * step_r, n=n),
    )  # fmt: skip


def _covariance(sq: SQ, inside: Array, plan: _Plan, common: Array) -> Array | None:
    """Covariance of G, shape (n_r, n_r); ``common`` is the transform of what points have in common."""
    own = sq.independent_variance
    if sq.cov is not None:
        cov = plan.transform(plan.transform(sq.cov[np.ix_(inside, inside)]).T)
    elif own is not None:
        cov = _of_points(own[inside], plan)
        # Added in place: a matrix of this size takes longer to come by than to fill. It is symmetric, and
        # BLAS wants the other order.
        blas.dgemm(1.0, common, common, beta=1.0, c=cov.T, trans_b=True, overwrite_c=True)
    else:
        return None
    cov.setflags(write=False)
    return np.asarray(cov)


def _variance(sq: SQ, inside: Array, plan: _Plan, common: Array) -> Array | None:
    """Diagonal of the covariance, shape (n_r,), without the rest of it."""
    own = sq.independent_variance
    if own is None:
        return None
    variance = np.sum(common**2, axis=1)
    if plan.power is None or plan.twice is None:
        return np.asarray(variance + plan.kernel**2 @ own[inside])
    power = plan.power * own[inside]
    return np.asarray(variance + power.sum() - cosine_sums(plan.twice, power, n=variance.size))


def _of_points(variance: Array, plan: _Plan) -> Array:
    """Covariance from points that are independent.

    2 sin(Q r) sin(Q r') = cos(Q (r - r')) - cos(Q (r + r')): on a uniform grid it is the difference of a
    Toeplitz and a Hankel matrix, whose 3 n_r numbers cost less than a product of matrices.
    """
    if plan.power is None or plan.minus is None or plan.plus is None:
        return np.ascontiguousarray((plan.kernel * variance) @ plan.kernel.T)
    n = (plan.kernel if plan.spread is None else plan.spread).shape[0]
    power = plan.power * variance
    minus = cosine_sums(plan.minus, power, n=n)
    plus = cosine_sums(plan.plus, power, n=2 * n - 1)
    toeplitz = sliding_window_view(np.concatenate([minus[:0:-1], minus]), n)[::-1]
    out = np.empty((n, n))  # in rows, whatever order the views suggest: it is added to in place
    np.subtract(toeplitz, sliding_window_view(plus, n), out=out)
    return out
