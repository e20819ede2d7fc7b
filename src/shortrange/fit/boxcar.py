"""Box-car refinement: crystal phases fitted to a sliding window of G(r), one window beside the other.

After Qiu, Proffen, Mitchell and Billinge, Phys. Rev. Lett. 94, 177203 (2005).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.crystal import Crystal
from shortrange.errors import ProjectError
from shortrange.fit.boxcar_windows import (
    Job,
    Scan,
    WindowFit,
    fit_windows,
    window_edges,
    with_common_u,
    with_default_priors,
)
from shortrange.fit.coherence import Coherence, coherence
from shortrange.fit.fractions import is_occupancy
from shortrange.fit.gr_points import GrData, prepare_gr
from shortrange.fit.phases import Book, make_book
from shortrange.fit.refine import (
    NO_ERRORS,
    begin,
    make_range,
    scaled_start,
    with_resolution,
)
from shortrange.fit.refinement import Refinement, conclude, in_vacuum
from shortrange.fit.smooth import smooth_widths, smooth_windows
from shortrange.fit.trend import Trend, fit_trend
from shortrange.fit.window_store import WindowStore
from shortrange.fit.wishes import Wishes
from shortrange.numeric.blas import one_blas_thread
from shortrange.quantities import GR, Step
from shortrange.quantities import step as record
from shortrange.shown import Shown
from shortrange.simulate.crystal_gr import Peaks
from shortrange.simulate.pdf_weights import Weights
from shortrange.simulate.shapes import Shape

__all__ = ["FREE", "Boxcar", "BoxcarWindow", "boxcar"]

Array = NDArray[Any]

_SAME = 0.9995
"""Correlation of two G(r) from which phases count as one."""
_KNOTS = 120
_WORSE = 3.0
"""Times by which the misfit around a point may exceed that elsewhere before it is said."""
OCCUPANCIES = (
    "occupancies are shared: the errors of mass fractions in windows lack what those of occupancies do to "
    "the mass of a cell; the fit of all windows has it"
)
FREE = ("scale", "u_iso")
"""Parameters that are free in each window unless others are named."""


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
class Boxcar(Shown):
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
        Scales as piecewise linear functions of r in one fit to the whole range, with their covariance; None
        if it failed.
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


@one_blas_thread()
def boxcar(
    gr: GR,
    phases: Mapping[str, Crystal],
    *,
    r_range: tuple[float, float],
    window: float = 6.0,
    step: float = 1.0,
    scan: Scan = "sliding",
    q_range: tuple[float, float] | None = None,
    free: Sequence[str] = FREE,
    values: Mapping[str, float] | None = None,
    ties: Mapping[str, str] | None = None,
    bounds: Mapping[str, tuple[float, float]] | None = None,
    priors: Mapping[str, tuple[float, float]] | None = None,
    shared: Sequence[str] | None = None,
    smooth: Mapping[str, float] | None = None,
    isotropic: Sequence[str] = (),
    weights: Weights | Mapping[str, float] = "xray",
    energy: float | None = None,
    composition: Mapping[str, float] | None = None,
    peaks: Peaks = "debye",
    shapes: Mapping[str, Shape] | None = None,
    trend: bool = True,
    workers: int | None = None,
    resume: Path | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> Boxcar:
    """Refine crystal phases in a window that moves along r.

    Parameters
    ----------
    gr, phases, q_range, values, ties, bounds, isotropic, weights, energy, composition, peaks, shapes
        See `shortrange.fit.refine.refine_gr`.
    r_range
        Where the windows lie, angstrom.
    window, step
        Width of a window and the distance from one to the next, angstrom.
    scan
        ``"sliding"``; ``"growing"`` windows all begin at the lower end, ``"shrinking"`` ones all end at the
        upper.
    free
        Parameters free in each window.
    priors
        By name; lattice parameters and U without one get `PRIORS`.
    shared
        Parameters that are fitted once to the whole range and then held in all windows. By default the
        lattice parameters and delta2 of every phase, as far as they are not free in the windows: a crystal
        has one lattice, whatever the window.
    smooth
        Standard deviation of the change of a free parameter over 1 angstrom of r, by name: the windows are
        then solved together, see `shortrange.fit.smooth`.
    trend
        Also fit all windows at once, with scales piecewise linear in r, and estimate coherence lengths.
    workers
        Threads, by default one for each processor. The result does not depend on it.
    resume
        File that keeps the windows solved so far: another call with the same data and settings goes on there.
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
    for name, phase in phases.items():
        if not phase.periodic:
            raise ProjectError(
                f"phase {name!r} is a molecule: windows beyond its size hold nothing of it", where="phases",
                do="run `shortrange refine` on the range of its distances, or give its crystal",
            )  # fmt: skip
    edges = window_edges(r_range, window=window, step=step, scan=scan)
    values = with_resolution(gr, values)
    wished = Wishes(
        free=(*free, *(shared or ())), values=values, ties=ties, bounds=bounds, priors=priors
    ).names
    models = begin(gr, phases, r_range=(edges[0][0], edges[-1][1]), isotropic=isotropic, weights=weights,
                   energy=energy, composition=composition, peaks=peaks, wished=wished,
                   shapes=shapes)  # fmt: skip
    own = make_book(models, Wishes(free=tuple(free), values=values, ties=ties, bounds=bounds, priors=priors))
    shared = _shared_by_default(own, values, ties, edges[0][0]) if shared is None else list(shared)
    wishes = Wishes(free=(*free, *shared), values=values, ties=ties, bounds=bounds, priors=priors)
    said = make_book(models, wishes)
    book = with_default_priors(said)
    data = prepare_gr(gr, q_range=q_range, r_cut=0.75 * min(m.shells.shortest for m in models.values()))
    over = make_range(models, data, (min(low for low, _ in edges), max(high for _, high in edges)))
    curves = over.curves(book, book.start)
    _check_different(curves)
    book = scaled_start(book, over.window, curves, fixed=values)
    start, joint = book, None
    if trend or shared:
        progress("fit the whole range")
        joint = fit_trend(book, over, curves, knots=_knots(edges, window))
        if not joint.reason:
            start = with_common_u(book.started_at(joint.values), said)
            curves = over.curves(start, start.start)
    start = start.held(shared)
    widths = smooth_widths(start, smooth or {})
    given = np.array([p.prior[0] if p.prior else p.start for p in book.held(shared).free])
    job = Job(book=start, given=given, over=over, curves=curves, shared=_errors_of_shared(book, start, joint),
              store=WindowStore(resume, data, start))  # fmt: skip
    fitted = fit_windows(job, edges, workers=workers, progress=progress)
    smooth_windows(job, fitted, widths)
    return _gather(gr, fitted, joint if trend else None, job, window=window, step=step, scan=scan,
                   settings=_settings(book, shared, widths, data, r_range, peaks, weights))  # fmt: skip


def _errors_of_shared(book: Book, windows: Book, joint: Trend | None) -> tuple[Book, Array] | None:
    """Parameters that the windows hold and the fit of the whole range determined, with their covariance."""
    if joint is None or joint.reason:
        return None
    free = {p.name for p in windows.free}
    known = [
        k for k, name in enumerate(joint.shape)
        if name not in free and np.isfinite(joint.shape_covariance[k, k])
    ]  # fmt: skip
    if not known:
        return None
    return book.only(joint.shape[k] for k in known), joint.shape_covariance[np.ix_(known, known)]


def _check_different(curves: Mapping[str, Array]) -> None:
    """Refuse phases that begin as the same: nothing would tell their amounts apart."""
    for (a, one), (b, two) in combinations(curves.items(), 2):
        alike = float(one @ two / np.sqrt((one @ one) * (two @ two)))
        if alike > _SAME:
            raise ProjectError(
                f"phases {a!r} and {b!r} are the same structure: their G(r) are correlated by {alike:.4f}",
                where="phases", do="leave one of them out, or start it from another structure or lattice",
            )  # fmt: skip


def _shared_by_default(
    book: Book, values: Mapping[str, float], ties: Mapping[str, str] | None, low: float
) -> list[str]:
    """Lattice parameters and delta2 of every phase, unless something else is said of them."""
    said = {place for p in book.free for place in p.targets}
    said |= {place for name in (*values, *(ties or {})) for place in book.places(name)}
    shared = []
    for phase, model in book.phases.items():
        # Far from the nearest neighbours delta2 has no trace.
        near = low < 2 * model.shells.shortest
        # A lattice of which the user wants one part free is his to describe.
        cell = set(book.places(f"{phase}.cell"))
        for name, places in (("cell", cell), ("delta2", {book.index(f"{phase}.delta2")})):
            if name == "delta2" and (not near or book.index(f"{phase}.delta1") in said):
                continue
            if not places & said:
                shared.append(f"{phase}.{name}")
    return shared


def _knots(edges: list[tuple[float, float]], window: float) -> Array:
    """Knots every tenth of a window between the first and the last centre, and not more than many."""
    first, last = 0.5 * sum(edges[0]), 0.5 * sum(edges[-1])
    return np.linspace(first, last, min(max(2, round((last - first) / (window / 10)) + 1), _KNOTS))


def _settings(
    book: Book, shared: Sequence[str], widths: Mapping[str, float], data: GrData,
    r_range: tuple[float, float], peaks: str, weights: Any,
) -> dict[str, Any]:  # fmt: skip
    return {
        "r_range": list(r_range),
        "q_range": list(data.q_range),
        "noise": data.noise,
        "peaks": peaks,
        "weights": weights if isinstance(weights, str) else dict(weights),
        "shared": list(shared),
        "smooth": dict(widths),
        "parameters": [
            {"name": p.name, "unit": p.unit, "start": p.start, "lower": p.lower, "upper": p.upper,
             "prior": list(p.prior) if p.prior else None}
            for p in book.free
        ],
    }  # fmt: skip


def _gather(
    gr: GR, fits: list[WindowFit], trend: Trend | None, job: Job, *, window: float, step: float,
    scan: str, settings: dict[str, Any],
) -> Boxcar:  # fmt: skip
    models = job.book.phases
    phases = tuple(models)
    windows = []
    for fit in fits:
        found = None
        if fit.problem is not None and fit.solution is not None and not fit.reason:
            found = conclude(fit.problem, fit.solution, job.over.data)
        windows.append(BoxcarWindow(r_min=fit.low, r_max=fit.high, refinement=found, reason=fit.reason,
                                    rw_fixed=fit.rw_fixed))  # fmt: skip
    ranges = {}
    warnings = [*([] if job.over.known else [NO_ERRORS]), *in_vacuum(job.book)]
    if trend is not None and trend.reason:
        warnings.append(f"the fit of all windows at once failed: {trend.reason}")
        trend = None
    if trend is not None:
        ends = trend.ramps or (None,) * len(phases)
        ranges = {
            name: coherence(trend.knots, mass, error, total=trend.total, ramps=end)
            for name, mass, error, end in zip(phases, trend.mass, trend.mass_covariance, ends, strict=True)
        }
        warnings += filter(None, [_apparent(trend)])
    if job.shared is not None and any(is_occupancy(p.name) for p in job.shared[0].free):
        warnings.append(OCCUPANCIES)
    failed = [w for w in windows if w.refinement is None]
    if failed:
        warnings.append(f"{len(failed)} of {len(windows)} windows failed, the first: {failed[0].reason}")
    done = record("box-car refinement", window=window, step=step, scan=scan, **settings)
    history = (*gr.history, *(s for model in models.values() for s in model.history), done)
    return Boxcar(
        phases=phases, windows=tuple(windows), window=window, step=step, scan=scan, trend=trend,
        coherence=ranges, warnings=tuple(dict.fromkeys(warnings)), settings=settings, history=history,
    )  # fmt: skip


def _apparent(trend: Trend) -> str:
    """Say where the phases describe the data far worse than elsewhere: something else is there."""
    worse = trend.knots[trend.misfit > _WORSE * np.quantile(trend.misfit, 0.25)]
    if not worse.size:
        return ""
    return (
        f"between {worse[0]:g} and {worse[-1]:g} angstrom the phases describe the data more than {_WORSE:g} "
        "times worse than elsewhere: fractions there, and lengths read off them, are apparent ones"
    )
