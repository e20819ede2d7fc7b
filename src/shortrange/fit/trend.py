"""All windows at once: phases whose scales are piecewise linear functions of r, with one covariance.

Knots lie closer than the data can tell apart. Their scales are held together by being smooth along r, as far
as the data ask for (`shortrange.fit.smoothness`): straight for a phase that goes through, bent for one that
ends. The errors are those of that posterior.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import inf
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.errors import DataError
from shortrange.fit.coherence import crossings
from shortrange.fit.fractions import amounts, log_slopes, share_slopes, shares
from shortrange.fit.phases import Book, Free
from shortrange.fit.ramps import Ramps, fit_ramps
from shortrange.fit.refine import Range
from shortrange.fit.refine_problem import Problem, Solution, solve
from shortrange.fit.smoothness import RELATIVE, Linear, Smoothed, find_widths, second_differences

__all__ = ["Trend", "fit_trend"]

Array = NDArray[Any]

_LOOSE = 0.5
"""Width of the smoothness before the data say it, in sums of all scales."""
_ROUNDS = 4
TRIANGLES = 0.1
"""Angstrom between the points of ramps."""
_NEAR = 1.5
"""Angstrom, standard deviation of the weight with which the misfit around a point counts for it."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Trend:
    """Scales of the phases as piecewise linear functions of r.

    Attributes
    ----------
    phases
        Names.
    knots
        Distances between which the scales are linear; beyond the first and last they are constant. Angstrom,
        shape (k,).
    scales
        Shape (n_phases, k).
    covariance
        Of the scales, raveled, shape (n_phases k, n_phases k).
    mass, mass_covariance
        Mass fractions at the knots, shape (n_phases, k), and their covariance, shape (n_phases, k, k).
    total
        Mass of all phases together at the knots, up to a factor, shape (k,).
    widths
        How much each scale bends, as the data ask for, 1 / angstrom^1.5, shape (n_phases,).
    values
        All other parameters by name, the same for all r.
    shape, shape_covariance
        Names of those that were free, and their covariance, shape (n_shape, n_shape).
    rw, noise_scale, points
        As in `shortrange.fit.refine.Refinement`.
    misfit
        Root mean square misfit around each knot in errors of the data, before they were raised, shape (k,).
    ramps
        For each phase that falls to half where it ends if its order falls in a straight line, else None.
    reason
        Empty, or why the fit failed.
    """

    phases: tuple[str, ...]
    knots: Array
    scales: Array
    covariance: Array
    mass: Array
    mass_covariance: Array
    total: Array
    widths: Array
    values: Mapping[str, float]
    shape: tuple[str, ...]
    shape_covariance: Array
    rw: float
    noise_scale: float
    points: int
    misfit: Array
    ramps: tuple[Ramps | None, ...] = ()
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _TrendProblem(Problem):
    """A problem whose last free parameters are scales at knots, phase by phase, smooth along r.

    Attributes
    ----------
    knots
        angstrom, shape (k,).
    rows
        From `shortrange.fit.smoothness.second_differences`, shape (k - 2, k).
    widths
        Of the smoothness of each phase, shape (n_phases,).
    """

    knots: Array
    rows: Array
    widths: Array

    @property
    def curves(self) -> list[slice]:
        """Places of the scales of each phase among the free parameters."""
        n, k, end = self.widths.size, self.knots.size, len(self.book.free)
        return [slice(end - (n - p) * k, end - (n - p - 1) * k) for p in range(n)]

    @property
    def has_priors(self) -> bool:
        """Always: that of the smoothness."""
        return True

    def restraint_rows(self, theta: Array) -> tuple[Array, Array]:
        """Misfits of the smoothness and their slopes."""
        m = self.rows.shape[0]
        slopes = np.zeros((m * self.widths.size, theta.size))
        for p, (own, width) in enumerate(zip(self.curves, self.widths, strict=True)):
            slopes[p * m : (p + 1) * m, own] = self.rows / width
        return slopes @ theta, slopes

    def evaluate(self, theta: Array) -> tuple[Array, Array, dict[str, Array]]:
        """See `Problem.model`."""
        book, n, k = self.book, self.widths.size, self.knots.size
        full = book.all_values(theta)
        slopes = np.zeros((self.data.r.size, full.size))
        parts, columns = {}, []
        for row, (phase, window) in zip(theta[-n * k :].reshape(n, k), self.models.items(), strict=True):
            own = book.of_phase(phase)
            places = [own.start + window.phase.index(name) for name in window.active]
            found, slopes[:, places] = window.varied(full[own], self.hats(window.grid), row)
            parts[phase] = found @ row
            columns.append(found)
        jacobian = slopes @ book.matrix
        jacobian[:, -n * k :] = np.hstack(columns)
        return np.sum(list(parts.values()), axis=0), jacobian, parts

    def hats(self, r: Array) -> Array:
        """Weight of each knot at each r, shape (n, k)."""
        return np.array([np.interp(r, self.knots, row) for row in np.eye(self.knots.size)]).T

    def linear(self, theta: Array, noise: float) -> Linear:
        """Return data and priors of single parameters around ``theta``, without the smoothness."""
        g, jac, _ = self.model(theta)
        slopes = self.data.whiten @ jac / noise
        pull = slopes.T @ (self.data.whiten @ (self.data.g - g) / noise + slopes @ theta)
        curvature = slopes.T @ slopes
        for k, parameter in enumerate(self.book.free):
            if parameter.prior:
                mean, sigma = parameter.prior
                curvature[k, k] += sigma**-2
                pull[k] += mean * sigma**-2
        return Linear(curvature=curvature, pull=pull, curves=self.curves, rows=self.rows)


def fit_trend(book: Book, over: Range, curves: Mapping[str, Array], *, knots: Array) -> Trend:
    """Fit a whole range with scales that vary along r; the other parameters are common to all of it.

    Parameters
    ----------
    book
        Started parameters; where scales are free they become piecewise linear.
    over
        The whole range.
    curves
        G of the phases at the start.
    knots
        angstrom, increasing, shape (k,).
    """
    phases, window = tuple(book.phases), over.window
    scales = [p for p in book.free if p.name.endswith(".scale")]
    if len(scales) < len(phases):
        raise DataError("a scale is fixed or tied", where="box-car", do='free "scale" of every phase')
    shape = [p for p in book.free if not p.name.endswith(".scale")]
    at_knots = [
        Free(name=f"{p.name} at {r:g}", unit="1", start=p.start, lower=-inf, upper=inf, prior=p.prior,
             size=p.size, targets=())
        for p in sorted(scales, key=lambda p: phases.index(p.name.removesuffix(".scale"))) for r in knots
    ]  # fmt: skip
    varied = replace(book, free=(*shape, *at_knots))
    plain = over.problem(varied, varied.start, curves)
    loose = np.full(len(phases), _LOOSE * sum(abs(p.start) for p in scales))
    problem = _TrendProblem(data=window, models=plain.models, book=varied, knots=knots,
                            rows=second_differences(knots), widths=loose)  # fmt: skip
    problem, solution, smoothed, misfit = _solve(problem, over)
    theta = solution.theta
    n, k = len(phases), knots.size
    values = varied.all_values(theta)
    found = theta[-n * k :].reshape(n, k)
    weights, by_shape = amounts(varied, theta, "mass"), log_slopes(varied, theta, "mass")[:, : len(shape)]
    means = {f"{phase}.scale": float(row.mean()) for phase, row in zip(phases, found, strict=True)}
    model, _, _ = problem.model(theta)
    covariance = smoothed.covariance if smoothed else solution.covariance
    mass, mass_covariance = _masses(found, covariance, weights, by_shape)
    return Trend(
        phases=phases, knots=knots, scales=found, covariance=covariance[-n * k :, -n * k :], mass=mass,
        mass_covariance=mass_covariance, total=weights @ found, widths=problem.widths,
        values={**{name: float(v) for name, v in zip(book.names, values, strict=True)}, **means},
        shape=tuple(p.name for p in shape), shape_covariance=solution.covariance[: len(shape), : len(shape)],
        rw=float(np.sqrt(np.sum((window.g - model) ** 2) / np.sum(window.g**2))),
        noise_scale=solution.noise_scale, points=solution.points,
        misfit=np.interp(knots, over.data.r, misfit), reason=solution.reason,
        ramps=() if solution.reason else _ramps(problem, solution, theta, weights),
    )  # fmt: skip


def _ramps(
    problem: _TrendProblem, solution: Solution, theta: Array, weights: Array
) -> tuple[Ramps | None, ...]:
    """Fit ramps to the end of each phase that falls to half; ``weights`` are masses for a scale of 1."""
    n, k, book = problem.widths.size, problem.knots.size, problem.book
    shape = book.free[: theta.size - n * k]
    scales, full = theta[-n * k :].reshape(n, k), book.all_values(theta)
    total = weights @ scales
    whiten = problem.data.whiten / solution.noise_scale
    g, jacobian, parts = problem.model(theta)
    y, slopes = whiten @ problem.data.g, whiten @ jacobian[:, : len(shape)]
    held = np.array([1 / p.prior[1] if p.prior else 0.0 for p in shape])
    away = np.array([p.prior[0] - v if p.prior else 0.0 for p, v in zip(shape, theta, strict=False)])
    misfit = float(np.sum((whiten @ (problem.data.g - g)) ** 2) + np.sum((away * held) ** 2))
    found: list[Ramps | None] = []
    for p, (name, window) in enumerate(problem.models.items()):
        mass = weights[p] * scales[p] / total
        near = float(crossings(problem.knots, mass[None], total)[0])
        if not np.isfinite(near):
            found.append(None)
            continue
        points = np.arange(window.grid[0], window.grid[-1] + TRIANGLES, TRIANGLES)
        hats = np.array([np.interp(window.grid, points, row) for row in np.eye(points.size)]).T
        columns = window.varied(full[book.of_phase(name)], hats, np.zeros(points.size))[0]
        beside = float(np.interp(near, problem.knots, total - weights[p] * scales[p]))
        rest = [whiten @ part for other, part in parts.items() if other != name]
        others = np.column_stack([*rest, slopes])
        known = np.concatenate([np.zeros(len(rest)), held**2])
        found.append(fit_ramps(
            whiten @ columns, points, others, y, near=near, smooth=(misfit, solution.effective),
            amounts=(float(weights[p]), beside),
            prior=(known, known * np.concatenate([np.zeros(len(rest)), away])),
        ))  # fmt: skip
    return tuple(found)


def _solve(problem: _TrendProblem, over: Range) -> tuple[_TrendProblem, Solution, Smoothed | None, Array]:
    """Fit with loose scales, let the misfit raise the noise where it is large, then find the widths.

    The misfit around each point of the data is returned as well.
    """
    n, k = problem.widths.size, problem.knots.size
    solution, smoothed = solve(problem, errors_known=over.known), None
    if solution.reason:
        return problem, solution, None, np.ones(over.data.r.size)
    # A model that misfits a part of the range must not speak there as loudly as where it fits.
    misfit = _local_misfit(over, problem, solution.theta)
    raised = over.data.raised(misfit)
    problem = replace(problem, data=raised.window(float(over.window.r[0]), float(over.window.r[-1])))
    for _ in range(_ROUNDS):
        levels = np.sqrt(np.mean(solution.theta[-n * k :].reshape(n, k) ** 2, axis=1))
        levels = np.maximum(levels, 1e-3 * levels.max())  # a phase that is not there has a width all the same
        smoothed = find_widths(
            problem.linear(solution.theta, solution.noise_scale), np.outer(levels, RELATIVE)
        )
        settled = np.all(np.abs(np.log(smoothed.widths / problem.widths)) < np.log(RELATIVE[1] / RELATIVE[0]))
        problem = replace(problem, widths=smoothed.widths)
        solution = solve(problem, start=solution.theta, errors_known=over.known)
        if solution.reason or settled:
            break
    theta = solution.theta.copy()
    if smoothed is not None:
        theta[-n * k :] += smoothed.shift[-n * k :]
    return problem, replace(solution, theta=theta), smoothed, misfit


def _local_misfit(over: Range, problem: Problem, theta: Array) -> Array:
    """Root mean square misfit around each point in units of its error, for all points of the data."""
    window, data = over.window, over.data
    inside = np.searchsorted(data.r, window.r - 1e-9)
    misfit = ((window.g - problem.model(theta)[0]) / data.sigma[inside]) ** 2
    near = np.exp(-0.5 * ((window.r[:, None] - window.r[None, :]) / _NEAR) ** 2)
    local = np.sqrt(near @ misfit / near.sum(axis=1))
    if over.known:
        local = np.maximum(local, 1.0)
    return np.asarray(np.interp(data.r, window.r, local))


def _masses(scales: Array, covariance: Array, weights: Array, by_shape: Array) -> tuple[Array, Array]:
    """Mass fractions at the knots (n, k) and their covariance for each phase (n, k, k).

    The covariance is that of the parameters that shape the phases, n_shape of them, and then of the scales;
    ``by_shape`` (n, n_shape) is d ln(weights) by the former.
    """
    (n, k), n_shape = scales.shape, by_shape.shape[1]
    mass = np.zeros((n, k))
    slopes = np.zeros((n, k, n_shape + n * k))
    known = np.any(by_shape, axis=0)
    for j in range(k):
        mass[:, j], slope = shares(scales[:, j], weights)
        slopes[:, j, :n_shape] = share_slopes(mass[:, j]) @ by_shape
        slopes[:, j, n_shape + j :: k] = slope
    # What the data do not determine has no error; it matters where it moves a mass.
    idle = np.concatenate([~known, np.zeros(n * k, dtype=bool)])
    covariance = np.where(idle[:, None] | idle[None, :], 0.0, covariance)
    return mass, np.einsum("pax,xy,pby->pab", slopes, covariance, slopes)
