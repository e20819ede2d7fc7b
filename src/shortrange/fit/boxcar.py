"""Box-car refinement: crystal phases fitted to a sliding window of G(r), one window beside the other.

After Qiu, Proffen, Mitchell and Billinge, Phys. Rev. Lett. 94, 177203 (2005).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from shortrange.crystal import Crystal
from shortrange.errors import ProjectError, ShortrangeError
from shortrange.fit.coherence import Coherence, coherence
from shortrange.fit.gr_points import GrData, prepare_gr
from shortrange.fit.phases import Book, Wishes, make_book
from shortrange.fit.refine import (
    Range,
    Refinement,
    begin,
    conclude,
    make_range,
    scaled_start,
    with_resolution,
)
from shortrange.fit.refine_problem import Problem, Solution, solve
from shortrange.fit.trend import Trend, fit_trend
from shortrange.quantities import GR, Step
from shortrange.quantities import step as record
from shortrange.simulate.crystal_gr import Peaks
from shortrange.simulate.pdf_weights import Weights

__all__ = ["Boxcar", "BoxcarWindow", "boxcar", "window_edges"]

Array = NDArray[Any]
Scan = Literal["sliding", "growing", "shrinking"]

PRIORS = {"cell": 0.005, "angle": 0.5, "u_iso": 0.5, "u_floor": 0.005}
"""Standard deviations of the default priors about the crystal as it was given: of lengths (relative), angles
(degrees), and U (relative, and at least, angstrom^2). They hold the shape of a phase that a window has none of:
free to deform, a crystal would fit anything."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BoxcarWindow:
    """One window.

    Attributes
    ----------
    r_min, r_max
        angstrom.
    refinement
        The fit, or None if it failed.
    reason
        Empty, or why there is no fit.
    rw_fixed
        Misfit of the model that fits the whole range, in this window: a companion without free parameters.
    """

    r_min: float
    r_max: float
    refinement: Refinement | None
    reason: str = ""
    rw_fixed: float = float("nan")

    @property
    def r_center(self) -> float:
        """Middle of the window, angstrom."""
        return 0.5 * (self.r_min + self.r_max)

    def share(self, phase: str, kind: str = "mass") -> tuple[float, float]:
        """Fraction of a phase and its standard error; nan where there is none."""
        found = self.refinement.fractions.get(kind) if self.refinement else None
        if found is None:
            return float("nan"), float("nan")
        k = found.phases.index(phase)
        return float(found.values[k]), float(found.sigma[k])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Boxcar:
    """All windows, the fit through all of them at once, and how far each phase is ordered.

    Attributes
    ----------
    phases
        Names.
    windows
        In order of r.
    window, step, scan
        Width and step, angstrom, and how the windows move.
    overlap
        Part of its data that a window shares with the next: their results are correlated by about this.
    trend
        Scales as piecewise linear functions of r in one fit to the whole range, with their covariance; None if
        it failed.
    coherence
        Of each phase, from the trend.
    warnings
        What to doubt.
    """

    phases: tuple[str, ...]
    windows: tuple[BoxcarWindow, ...]
    window: float
    step: float
    scan: str
    trend: Trend | None
    coherence: Mapping[str, Coherence] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    history: tuple[Step, ...] = ()

    @property
    def overlap(self) -> float:
        """Part of its data that a window shares with the next."""
        return max(0.0, 1.0 - self.step / self.window)


def boxcar(
    gr: GR,
    phases: Mapping[str, Crystal],
    *,
    r_range: tuple[float, float],
    window: float = 6.0,
    step: float = 1.0,
    scan: Scan = "sliding",
    q_range: tuple[float, float] | None = None,
    free: Sequence[str] = ("scale", "u_iso"),
    values: Mapping[str, float] | None = None,
    ties: Mapping[str, str] | None = None,
    bounds: Mapping[str, tuple[float, float]] | None = None,
    priors: Mapping[str, tuple[float, float]] | None = None,
    shared: Sequence[str] | None = None,
    isotropic: Sequence[str] = (),
    weights: Weights | Mapping[str, float] = "xray",
    energy: float | None = None,
    composition: Mapping[str, float] | None = None,
    peaks: Peaks = "debye",
    trend: bool = True,
    workers: int | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> Boxcar:
    """Refine crystal phases in a window that moves along r.

    Parameters
    ----------
    gr, phases, q_range, values, ties, bounds, isotropic, weights, energy, composition, peaks
        See `shortrange.fit.refine.refine_gr`.
    r_range
        Where the windows lie, angstrom.
    window, step
        Width of a window and the distance from one to the next, angstrom.
    scan
        ``"sliding"``; ``"growing"`` windows all begin at the lower end; ``"shrinking"`` ones all end at the upper.
    free
        Parameters free in each window.
    priors
        By name; lattice parameters and U without one get `PRIORS`.
    shared
        Parameters that are fitted once to the whole range and then held in all windows. By default the lattice
        parameters and delta2 of every phase, as far as they are not free in the windows: a crystal has one
        lattice, whatever the window.
    trend
        Also fit all windows at once, with scales piecewise linear in r, and estimate coherence lengths.
    workers
        Threads, by default one for each processor. The result does not depend on it.
    progress
        Told what is being done.

    Returns
    -------
    Boxcar
        A window that could not be fitted has a reason and no values.

    Raises
    ------
    DataError, ProjectError
        If the data or what is asked for are impossible.
    """
    edges = window_edges(r_range, window=window, step=step, scan=scan)
    models = begin(gr, phases, r_range=(edges[0][0], edges[-1][1]), isotropic=isotropic, weights=weights,
                   energy=energy, composition=composition, peaks=peaks)  # fmt: skip
    values = with_resolution(gr, values)
    own = make_book(models, Wishes(free=tuple(free), values=values, ties=ties, bounds=bounds, priors=priors))
    shared = _shared_by_default(own, values, ties) if shared is None else list(shared)
    wishes = Wishes(free=(*free, *shared), values=values, ties=ties, bounds=bounds, priors=priors)
    book = with_default_priors(make_book(models, wishes))
    data = prepare_gr(gr, q_range=q_range, r_cut=0.75 * min(m.shells.shortest for m in models.values()))
    progress("fit the whole range")
    over = make_range(models, data, (min(low for low, _ in edges), max(high for _, high in edges)))
    curves = over.curves(book, book.start)
    book = scaled_start(book, over.window, curves, fixed=values)
    joint = fit_trend(book, over, curves, knots=_knots(edges, window))
    start = book.started_at(joint.values).held(shared)
    given = np.array([p.prior[0] if p.prior else p.start for p in start.free])
    job = _Job(book=start, given=given, over=over, curves=over.curves(start, start.start))
    progress(f"fit {len(edges)} windows")
    fitted = _fit_windows(job, edges, workers)
    found_trend = joint if trend and not joint.reason else None
    return _gather(gr, fitted, found_trend, joint.reason, job, window=window, step=step, scan=scan,
                   settings=_settings(book, shared, data, r_range, peaks, weights))  # fmt: skip


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


def _shared_by_default(book: Book, values: Mapping[str, float], ties: Mapping[str, str] | None) -> list[str]:
    """Lattice parameters and delta2 of every phase, unless something else is said of them."""
    said = {place for p in book.free for place in p.targets}
    said |= {place for name in (*values, *(ties or {})) for place in book.places(name)}
    shared = []
    for phase, model in book.phases.items():
        # A lattice of which the user wants one part free is his to describe.
        cell = set(book.places(f"{phase}.cell"))
        for name, places in (("cell", cell), ("delta2", {book.index(f"{phase}.delta2")})):
            if not places & said and not (name == "delta2" and book.index(f"{phase}.delta1") in said):
                shared.append(f"{phase}.{name}")
    return shared


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


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Job:
    """What every window needs."""

    book: Book
    given: Array
    over: Range
    curves: Mapping[str, Array]

    def problem(self, low: float, high: float) -> Problem:
        return self.over.problem(self.book, self.book.start, self.curves, (low, high))


@dataclass(slots=True)
class _Fit:
    """A window while it is being fitted."""

    low: float
    high: float
    problem: Problem | None = None
    solution: Solution | None = None
    reason: str = ""
    rw_fixed: float = float("nan")


def _fit_windows(job: _Job, edges: list[tuple[float, float]], workers: int | None) -> list[_Fit]:
    """Fit all windows from the start, then from the results of their neighbours where those fit better."""
    known = job.over.known

    def first(edge: tuple[float, float]) -> _Fit:
        fit = _Fit(*edge)
        try:
            fit.problem = job.problem(*edge)
            fit.rw_fixed = _rw(fit.problem, job.book.start)
            # A phase that only some windows hold has no good values in the fit of the whole range.
            start = min((job.book.start, job.given), key=lambda x: _cost(fit.problem, x, 1.0))
            fit.solution = solve(fit.problem, start=start, errors_known=known)
            fit.reason = fit.solution.reason
        except ShortrangeError as error:
            fit.reason = f"{error.what} ({error.where})"
        return fit

    def again(k: int) -> Solution | None:
        fit = fits[k]
        if fit.problem is None:
            return None
        best = fit.solution
        for near in (k - 1, k + 1):
            other = fits[near].solution if 0 <= near < len(fits) else None
            if other is None or other.reason:
                continue
            noise = best.noise_scale if best is not None and not best.reason else other.noise_scale
            if (
                best is None
                or best.reason
                or _cost(fit.problem, other.theta, noise) < _cost(fit.problem, best.theta, noise)
            ):
                try:
                    found = solve(fit.problem, start=other.theta, errors_known=known)
                except ShortrangeError:
                    continue
                better = best is None or best.reason or found.chi2 < best.chi2
                best = found if not found.reason and better else best
        return best

    threads = max(1, min(workers or os.cpu_count() or 1, len(edges)))
    with ThreadPoolExecutor(threads) as pool:
        fits = list(pool.map(first, edges))
        for fit, solution in zip(fits, list(pool.map(again, range(len(fits)))), strict=True):
            fit.solution = solution
            if solution is not None:
                fit.reason = solution.reason
    return fits


def _cost(problem: Problem, theta: Array, noise: float) -> float:
    try:
        g, _, _ = problem.model(theta)
    except ShortrangeError:
        return np.inf
    misfit = problem.data.whiten @ (g - problem.data.g) / noise
    prior = [(v - p.prior[0]) / p.prior[1] for v, p in zip(theta, problem.book.free, strict=True) if p.prior]
    return float(misfit @ misfit + np.sum(np.square(prior)))


def _rw(problem: Problem, theta: Array) -> float:
    """Misfit of a fixed shape: only the scales follow the window."""
    _, jac, _ = problem.model(theta)
    scales = [k for k, p in enumerate(problem.book.free) if p.name.endswith(".scale")]
    g = problem.data.g
    found = np.linalg.lstsq(jac[:, scales], g, rcond=None)[0]
    return float(np.linalg.norm(g - jac[:, scales] @ found) / np.linalg.norm(g))


def _knots(edges: list[tuple[float, float]], window: float) -> Array:
    """Knots every half window between the first and the last centre."""
    first, last = 0.5 * sum(edges[0]), 0.5 * sum(edges[-1])
    return np.linspace(first, last, max(2, round((last - first) / (window / 2)) + 1))


def _settings(
    book: Book, shared: Sequence[str], data: GrData, r_range: tuple[float, float], peaks: str, weights: Any
) -> dict[str, Any]:
    return {
        "r_range": list(r_range),
        "q_range": list(data.q_range),
        "noise": data.noise,
        "peaks": peaks,
        "weights": weights if isinstance(weights, str) else dict(weights),
        "shared": list(shared),
        "parameters": [
            {"name": p.name, "unit": p.unit, "start": p.start, "lower": p.lower, "upper": p.upper,
             "prior": list(p.prior) if p.prior else None}
            for p in book.free
        ],
    }  # fmt: skip


def _gather(
    gr: GR, fits: list[_Fit], trend: Trend | None, reason: str, job: _Job, *, window: float, step: float,
    scan: str, settings: dict[str, Any],
) -> Boxcar:  # fmt: skip
    models = job.book.phases
    phases = tuple(models)
    windows = []
    for fit in fits:
        good = fit.problem is not None and fit.solution is not None and not fit.reason
        found = conclude(fit.problem, fit.solution, job.over.data) if good else None  # type: ignore[arg-type]
        windows.append(BoxcarWindow(r_min=fit.low, r_max=fit.high, refinement=found, reason=fit.reason,
                                    rw_fixed=fit.rw_fixed))  # fmt: skip
    ranges = {}
    warnings = [] if not reason else [f"the fit of all windows at once failed: {reason}"]
    if trend is not None:
        ranges = {
            name: coherence(trend.knots, trend.mass[k], trend.mass_covariance[k])
            for k, name in enumerate(phases)
        }
    failed = [w for w in windows if w.refinement is None]
    if failed:
        warnings.append(f"{len(failed)} of {len(windows)} windows failed, the first: {failed[0].reason}")
    done = record("box-car refinement", window=window, step=step, scan=scan, **settings)
    history = (*gr.history, *(s for model in models.values() for s in model.history), done)
    return Boxcar(
        phases=phases, windows=tuple(windows), window=window, step=step, scan=scan, trend=trend, coherence=ranges,
        warnings=tuple(dict.fromkeys(warnings)), settings=settings, history=history,
    )  # fmt: skip
