"""Windows of a box-car refinement: where they lie, and how each is fitted."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from shortrange.errors import ProjectError, ShortrangeError
from shortrange.fit.phases import Book
from shortrange.fit.refine import Range
from shortrange.fit.refine_problem import Problem, Solution, solve
from shortrange.fit.window_store import WindowStore

__all__ = [
    "PRIORS",
    "Job",
    "Scan",
    "WindowFit",
    "fit_windows",
    "held_slopes",
    "window_edges",
    "with_common_u",
    "with_default_priors",
]

Array = NDArray[Any]
Scan = Literal["sliding", "growing", "shrinking"]

PRIORS = {"cell": 0.005, "angle": 0.5, "u_iso": 0.5, "u_floor": 0.005, "u_window": 0.25}
"""Standard deviations of the default priors about the crystal as it was given: of lengths (relative), angles
(degrees), and U (relative, and at least, angstrom^2); in a window U is held about that of the whole range
(relative). They hold the shape of a phase that a window has none of: free to deform, a crystal would fit
anything."""


def window_edges(
    r_range: tuple[float, float], *, window: float, step: float, scan: Scan = "sliding"
) -> list[tuple[float, float]]:
    """Lower and upper ends of the windows within a range.

    Raises
    ------
    ProjectError
        If no window fits, or width or step are impossible.
    """
    low, high = r_range
    where = "box-car windows"
    if not (0 <= low < high < np.inf):
        raise ProjectError(
            f"r_range is {low:g} to {high:g}", where=where, do="give 0 <= low < high, in angstrom"
        )
    if not 1.0 <= window < np.inf:
        raise ProjectError(f"a window of {window:g} angstrom is shorter than a peak and its ripples",
                           where=where, do="give 3 angstrom or more; 5 or 6 are usual")  # fmt: skip
    if not 0.05 <= step < np.inf:
        raise ProjectError(f"the step is {step:g} angstrom", where=where, do="give 0.05 or more; 1 is usual")
    if high - low < window - 1e-9:
        raise ProjectError(f"r_range is {high - low:g} angstrom wide, a window {window:g}", where=where,
                           do="widen r_range, or narrow the window")  # fmt: skip
    count = int((high - low - window) / step + 1e-6) + 1
    if count > 2000:
        raise ProjectError(f"there would be {count} windows", where=where, do="make the step larger")
    shifts = [round(k * step, 6) for k in range(count)]
    if scan == "sliding":
        return [(low + s, low + s + window) for s in shifts]
    if scan == "growing":
        return [(low, low + s + window) for s in shifts]
    if scan == "shrinking":
        return [(low + s, low + shifts[-1] + window) for s in shifts]
    raise ProjectError(f"unknown scan {scan!r}", where=where, do="choose sliding, growing or shrinking")


def with_default_priors(book: Book) -> Book:
    """Give lattice parameters and displacements without a prior one about their start."""
    free = []
    for p in book.free:
        own = p.name.rpartition(".")[2]
        sigma = None
        if p.prior is None and own in ("a", "b", "c"):
            sigma = PRIORS["cell"] * p.start
        elif p.prior is None and own == "stretch":
            sigma = PRIORS["cell"]
        elif p.prior is None and own in ("alpha", "beta", "gamma"):
            sigma = PRIORS["angle"]
        elif p.prior is None and own.startswith("u_iso"):
            sigma = max(PRIORS["u_iso"] * p.start, PRIORS["u_floor"])
        free.append(p if sigma is None else replace(p, prior=(p.start, sigma)))
    return replace(book, free=tuple(free))


def with_common_u(book: Book, said: Book) -> Book:
    """Hold displacements about where they start, unless ``said`` has a prior for them.

    Where a phase is absent its U would otherwise follow the noise, and the error of its scale, which is that
    for a given U, come out too small.
    """
    own = {p.name for p in said.free if p.prior is not None}
    free = [
        p if p.name in own or not p.name.rpartition(".")[2].startswith("u_iso")
        else replace(p, prior=(p.start, PRIORS["u_window"] * p.start))
        for p in book.free
    ]  # fmt: skip
    return replace(book, free=tuple(free))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Job:
    """What every window needs.

    Attributes
    ----------
    book
        Its free parameters are those of the windows.
    given
        Starts of the user, besides those of the book.
    over, curves
        The whole range and the phases on it.
    shared
        The parameters that were fitted to the whole range and are held here, and their covariance.
    store
        Where solved windows are kept.
    """

    book: Book
    given: Array
    over: Range
    curves: Mapping[str, Array]
    shared: tuple[Book, Array] | None = None
    store: WindowStore | None = None

    def problem(self, low: float, high: float) -> Problem:
        """Return the problem of one window."""
        return self.over.problem(self.book, self.book.start, self.curves, (low, high))

    def columns(self, problem: Problem) -> Array:
        """G of each phase where the book starts, for scales of 1, on the points of a window, shape (n_r, n).

        The window's model is the same there: what lies beyond it was added to make it so.
        """
        r = problem.data.r
        first = int(np.searchsorted(self.over.window.r, r[0] - 1e-9))
        return np.array([self.curves[name][first : first + r.size] for name in problem.models]).T


@dataclass(slots=True)
class WindowFit:
    """A window while it is being fitted."""

    low: float
    high: float
    problem: Problem | None = None
    solution: Solution | None = None
    reason: str = ""
    rw_fixed: float = float("nan")


def fit_windows(
    job: Job, edges: list[tuple[float, float]], *, workers: int | None,
    progress: Callable[[str], None] = lambda _: None,
) -> list[WindowFit]:  # fmt: skip
    """Fit all windows from the start, then from the results of their neighbours where those fit better.

    A window that cannot be fitted says why; the others do not suffer.
    """
    threads = max(1, min(workers or os.cpu_count() or 1, len(edges)))
    with ThreadPoolExecutor(threads) as pool:
        fits = []
        for fit in pool.map(lambda edge: _first(job, edge), edges):
            fits.append(fit)
            progress(f"fitted {len(fits)} of {len(edges)} windows")
        near = [
            [f.solution for f in (*fits[max(k - 1, 0) : k], *fits[k + 1 : k + 2])] for k in range(len(fits))
        ]
        again = list(pool.map(lambda pair: _again(job, *pair), zip(fits, near, strict=True)))
        for fit, solution in zip(fits, again, strict=True):
            fit.solution = solution
            if solution is not None:
                fit.reason = solution.reason
        list(pool.map(lambda fit: _add_shared_errors(job, fit), fits))
    if not job.over.known:
        _share_noise(fits)
    return fits


def _share_noise(fits: list[WindowFit]) -> None:
    """Let no window count on less noise than the windows that fit have on the whole.

    Noise of F(Q) is the same at all r, and the misfit of one window alone, with some thirty independent
    points, tells it to 15 %: one in twenty windows would be wrong by a third.
    """
    good = [f for f in fits if f.solution is not None and not f.solution.reason]
    if not good:
        return
    scales = np.array([f.solution.noise_scale for f in good if f.solution])
    level = float(np.sqrt(np.mean(scales[scales < 2 * scales.min()] ** 2)))
    for fit in good:
        found = fit.solution
        if found is not None and found.noise_scale < level:
            raised = found.covariance * (level / found.noise_scale) ** 2
            fit.solution = replace(found, covariance=raised, noise_scale=level)


def _add_shared_errors(job: Job, fit: WindowFit) -> None:
    """Add what the errors of the held parameters do to those of a window, first order."""
    problem, solution = fit.problem, fit.solution
    if job.shared is None or problem is None or solution is None or solution.reason:
        return
    covariance = job.shared[1]
    held = held_slopes(job, problem, solution.theta)
    own = problem.data.whiten @ problem.model(solution.theta)[1]
    known = np.isfinite(np.diag(solution.covariance))
    inverse = np.where(np.outer(known, known), solution.covariance, 0.0)
    moved = inverse @ own.T @ held / solution.noise_scale**2
    fit.solution = replace(solution, covariance=solution.covariance + moved @ covariance @ moved.T)


def held_slopes(job: Job, problem: Problem, theta: Array) -> Array:
    """Slopes of the whitened model by the parameters that the windows hold, shape (m, n_held)."""
    if job.shared is None:
        return np.zeros((problem.data.whiten.shape[0], 0))
    shared = job.shared[0]
    full = problem.book.all_values(theta)
    book = shared.started_at(dict(zip(shared.names, full, strict=True)))
    models = {
        name: phase.on(problem.data.r, job.over.tables[name], active=book.active(name))
        for name, phase in book.phases.items()
    }
    return problem.data.whiten @ Problem(data=problem.data, models=models, book=book).model(book.start)[1]


def _first(job: Job, edge: tuple[float, float]) -> WindowFit:
    """Fit one window from the better of two starts."""
    fit = WindowFit(*edge)
    try:
        problem = fit.problem = job.problem(*edge)
        columns = job.columns(problem)
        fit.rw_fixed = _rw(problem, columns)
        start = job.book.start
        # A phase that only some windows hold has no good values in the fit of the whole range.
        if not np.array_equal(job.given, start):
            scales = [job.book.all_values(start)[job.book.index(f"{name}.scale")] for name in problem.models]
            if _cost(problem, job.given, 1.0) < _misfit(problem, columns @ np.array(scales), start, 1.0):
                start = job.given
        kept = job.store.get(*edge) if job.store else None
        fit.solution = kept or solve(problem, start=start, errors_known=job.over.known)
        fit.reason = fit.solution.reason
        if job.store and kept is None:
            job.store.put(*edge, fit.solution)
    except ShortrangeError as error:
        fit.reason = f"{error.what} ({error.where})"
    return fit


def _again(job: Job, fit: WindowFit, near: list[Solution | None]) -> Solution | None:
    """Return the best solution of a window, trying those of its neighbours as starts."""
    best, problem = fit.solution, fit.problem
    if problem is None:
        return None
    good = best is not None and not best.reason
    noise = best.noise_scale if best is not None and good else 1.0
    own = np.inf
    if best is not None and good:
        own = best.chi2 / noise**2 + _pull(problem, best.theta)
    for other in near:
        if other is None or other.reason or _cost(problem, other.theta, noise) >= own:
            continue
        try:
            found = solve(problem, start=other.theta, errors_known=job.over.known)
        except ShortrangeError:
            continue
        cost = found.chi2 / noise**2 + _pull(problem, found.theta)
        if not found.reason and cost < own:
            best, own = found, cost
    return best


def _cost(problem: Problem, theta: Array, noise: float) -> float:
    try:
        return _misfit(problem, problem.curve(theta), theta, noise)
    except ShortrangeError:
        return np.inf


def _misfit(problem: Problem, g: Array, theta: Array, noise: float) -> float:
    misfit = problem.data.whiten @ (g - problem.data.g) / noise
    return float(misfit @ misfit) + _pull(problem, theta)


def _pull(problem: Problem, theta: Array) -> float:
    """Misfit of the priors."""
    held = [(v - p.prior[0]) / p.prior[1] for v, p in zip(theta, problem.book.free, strict=True) if p.prior]
    return float(np.sum(np.square(held)))


def _rw(problem: Problem, columns: Array) -> float:
    """Misfit of a fixed shape, of which ``columns`` are the parts: only the scales follow the window."""
    book, g = problem.book, problem.data.g
    places = [book.index(f"{name}.scale") for name in problem.models]
    scales = [k for k, p in enumerate(book.free) if p.name.endswith(".scale")]
    free = columns @ book.matrix[np.ix_(places, scales)]
    found = np.linalg.lstsq(free, g, rcond=None)[0]
    return float(np.linalg.norm(g - free @ found) / np.linalg.norm(g))
