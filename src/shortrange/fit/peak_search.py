"""The search for shells of distances: greedy, refined together, counted by evidence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

from shortrange.fit.peak_space import PeakSpace

__all__ = ["WIDTHS", "WITHIN", "State", "search"]

Array = NDArray[Any]

WIDTHS = (0.03, 0.6)
"""Allowed standard deviations of a shell, angstrom."""
WITHIN = 1.5
"""Standard deviations from the middle of a wide shell: what is nearer stands in it."""
EVIDENCE = 3.0
"""ln odds that a further shell must bring."""
_INSIDE = 6.0
"""ln odds that a narrow shell inside a wide one must bring: shells of one sample are alike in width."""
_TRIAL_WIDTHS = (0.05, 0.09, 0.16, 0.3)
_GRID = 0.03
_MOST = 16


@dataclass(frozen=True, slots=True, eq=False)
class State:
    """A refined set of shells.

    Attributes
    ----------
    shells
        Rows of distance, ln sigma, area, shape (k, 3).
    background
        Amplitudes of the background's parts, shape (n_b,).
    jacobian, residual
        Whitened, data first, then the priors of the background: shapes (m + n_b, 3 k + n_b) and (m + n_b,).
    chi2
        Of the data alone.
    log_evidence
        By Laplace.
    """

    shells: Array
    background: Array
    jacobian: Array
    residual: Array
    chi2: float
    log_evidence: float


def search(space: PeakSpace, r_range: tuple[float, float]) -> State:
    """Add shells one by one where the data ask for them most, refine all, keep what raises the evidence."""
    limits = _limits(space, r_range)
    best = _refine(space, np.empty((0, 3)), np.zeros(space.background.shape[1]), limits)
    misses = 0
    current = best
    while current.shells.shape[0] < _MOST and misses < 2:
        trial = _candidate(space, current, limits)
        if trial is None:
            break
        current = _refine(space, np.vstack([current.shells, trial]), current.background, limits)
        if current.log_evidence > best.log_evidence + EVIDENCE:
            best, misses = current, 0
        else:
            # Two shells together may explain what neither does alone: one step further is looked.
            misses += 1
    return _side_by_side(space, _prune(space, best, limits), limits)


def _side_by_side(space: PeakSpace, best: State, limits: tuple[Array, Array]) -> State:
    """Read a narrow shell inside a wide one as two beside each other, unless the evidence is against it.

    Where two distances are hardly resolved the first reading fits as well, and the greedy search ends there.
    """
    step = 1.5 * np.pi / space.q_max
    for narrow, wide in _nested(best.shells):
        (d, _, a), (far, _, b) = best.shells[narrow], best.shells[wide]
        trial = best.shells.copy()
        even = np.log(step / 2.0)
        trial[narrow] = d, even, 2.0 * (a + b) / 3.0
        trial[wide] = d + np.copysign(step, far - d), even, (a + b) / 3.0
        other = _refine(space, trial, best.background, limits)
        apart = not set(_nested(other.shells)) & {(narrow, wide), (wide, narrow)}
        if apart and other.log_evidence > best.log_evidence - _INSIDE:
            best = other
    return best


def _nested(shells: Array) -> list[tuple[int, int]]:
    """Pairs of a narrow shell and a wide one that it stands in."""
    d, widths = shells[:, 0], np.exp(shells[:, 1])
    inside = (np.abs(np.subtract.outer(d, d)) < WITHIN * widths) & (2.0 * widths[:, None] < widths)
    return [(int(i), int(j)) for i, j in np.argwhere(inside)]


def _prune(space: PeakSpace, best: State, limits: tuple[Array, Array]) -> State:
    """Leave out, one at a time, what is not missed: early shells stood in for several later ones."""
    k = best.shells.shape[0]
    while k > 1:
        others = [
            _refine(space, np.delete(best.shells, i, axis=0), best.background, limits) for i in range(k)
        ]
        leader = max(others, key=lambda state: state.log_evidence)
        if leader.log_evidence < best.log_evidence - EVIDENCE:
            return best
        best, k = leader, k - 1
    return best


def _limits(space: PeakSpace, r_range: tuple[float, float]) -> tuple[Array, Array]:
    """Lower and upper limits of one shell."""
    resolution = np.pi / space.q_max
    most = 60.0 * float(np.max(np.abs(space.g))) * r_range[1]
    low = np.array([max(0.3, r_range[0] - 0.5 * resolution), np.log(WIDTHS[0]), 0.0])
    return low, np.array([r_range[1] + 4.0 * resolution, np.log(WIDTHS[1]), most])


def _candidate(space: PeakSpace, state: State, limits: tuple[Array, Array]) -> Array | None:
    """Shell that would lower the misfit most, to first order."""
    r = np.arange(limits[0][0] + 0.01, limits[1][0], _GRID)
    grid = np.array([[x, np.log(w), 1.0] for w in _TRIAL_WIDTHS for x in r])
    shapes = space.whiten @ space.curves(grid)
    shapes = np.vstack([shapes, np.zeros((state.residual.size - shapes.shape[0], grid.shape[0]))])
    basis, _ = np.linalg.qr(state.jacobian)
    free = shapes - basis @ (basis.T @ shapes)
    size2 = np.sum(free**2, axis=0)
    along = -(state.residual @ free)
    # What the present unknowns could do as well is no candidate.
    distinct = size2 > 1e-3 * np.sum(shapes**2, axis=0)
    gain = np.where((along > 0) & distinct, along**2 / np.maximum(size2, 1e-300), 0.0)
    winner = int(np.argmax(gain))
    if gain[winner] < 4.0:
        return None
    grid[winner, 2] = min(along[winner] / size2[winner], 0.9 * limits[1][2])
    return np.asarray(grid[winner])


def _refine(space: PeakSpace, shells: Array, background: Array, limits: tuple[Array, Array]) -> State:
    """Least squares over all shells and the background."""
    k, n_b = shells.shape[0], space.background.shape[1]
    base = space.whiten @ space.background
    damped = space.whiten * space.damping
    project = damped @ space.kernel

    def residual(theta: Array) -> Array:
        own = project @ space.transform(theta[: 3 * k].reshape(k, 3)).sum(axis=1)
        return np.concatenate([own + base @ theta[3 * k :] - space.target, theta[3 * k :]])

    def jacobian(theta: Array) -> Array:
        own = project @ space.slopes(theta[: 3 * k].reshape(k, 3))
        below = np.hstack([np.zeros((n_b, 3 * k)), np.eye(n_b)])
        return np.vstack([np.hstack([own, base]), below])

    low = np.concatenate([np.tile(limits[0], k), np.full(n_b, -np.inf)])
    high = np.concatenate([np.tile(limits[1], k), np.full(n_b, np.inf)])
    start = np.concatenate([shells.ravel(), background])
    span = np.where(np.isfinite(high - low), high - low, 1.0)
    start = np.clip(start, low + 1e-9 * span, high - 1e-9 * span)
    scale = np.concatenate(
        [np.tile([0.05, 0.3, max(0.1, float(np.max(shells[:, 2], initial=0.1)))], k), np.ones(n_b)]
    )
    found = least_squares(residual, start, jac=jacobian, bounds=(low, high), x_scale=scale, max_nfev=60)
    j, theta = jacobian(found.x), found.x
    m = space.n_points
    chi2 = float(np.sum(found.fun[:m] ** 2))
    return State(
        shells=theta[: 3 * k].reshape(k, 3), background=theta[3 * k :], jacobian=j, residual=found.fun,
        chi2=chi2, log_evidence=_evidence(found.fun, j, limits, k),
    )  # fmt: skip


def _evidence(residual: Array, jacobian: Array, limits: tuple[Array, Array], k: int) -> float:
    """Ln of the evidence by Laplace; shells are alike, so their order does not count."""
    logdet = float(np.linalg.slogdet(jacobian.T @ jacobian + 1e-9 * np.eye(jacobian.shape[1]))[1])
    span = limits[1] - limits[0]
    # Areas have a flat prior up to what the largest G could hold in one shell.
    volume = k * float(np.log(span[0]) + np.log(span[1]) + np.log(span[2] / 60.0))
    n = jacobian.shape[1]
    background = 0.5 * (n - 3 * k) * np.log(2 * np.pi)  # the normal prior of the background
    fit = -0.5 * float(residual @ residual) - 0.5 * logdet
    return float(fit - volume - background + 0.5 * n * np.log(2 * np.pi))
