"""Refinement of crystal phases against G(r): parameters, errors, amounts of phases."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.crystal import Crystal
from shortrange.errors import DataError, ProjectError
from shortrange.fit.fractions import Fractions, fractions
from shortrange.fit.gr_points import GrData, GrWindow, prepare_gr
from shortrange.fit.phases import Book, Wishes, make_book
from shortrange.fit.refine_problem import Problem, Solution, solve
from shortrange.numeric.band_kernel import BandTables
from shortrange.numeric.blas import one_blas_thread
from shortrange.quantities import GR, Step, step
from shortrange.simulate.crystal_gr import CrystalPdf, Peaks, crystal_pdf
from shortrange.simulate.pdf_weights import Weights

__all__ = [
    "NO_ERRORS",
    "Range",
    "Refined",
    "Refinement",
    "begin",
    "conclude",
    "make_range",
    "refine_gr",
    "scaled_start",
    "with_resolution",
]

Array = NDArray[Any]

NO_ERRORS = "the data state no errors: those of the results follow from the misfit"
DEGENERATE = 0.995
"""Correlation of two scales above which the amounts of their phases are not told apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refined:
    """One refined number.

    Attributes
    ----------
    name, unit, value, sigma
        ``sigma`` is nan where the data do not determine the value.
    at_bound
        Whether it lies at a limit: its error is then not to be trusted.
    """

    name: str
    unit: str
    value: float
    sigma: float
    at_bound: bool


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Refinement:
    """Phases fitted to a range of G(r).

    Attributes
    ----------
    parameters
        The free ones.
    covariance
        Of them, shape (p, p).
    values
        All parameters by name, fixed ones included.
    r, g, model, parts
        Data, fit and the part of each phase on the fitted points, angstrom^-2.
    sigma
        Error of ``g`` that the fit took, shape (n_r,).
    rw
        sqrt(sum (g - model)^2 / sum g^2).
    chi2, points, effective_parameters
        Whitened misfit with the stated errors of the data; independent points; how many parameters the data
        determine.
    noise, noise_scale
        Where the errors of the data come from, and the factor by which the misfit raised them.
    fractions
        ``"mass"``, ``"atom"``, ``"cell"``, ``"volume"``; empty where the scales cannot be told apart.
    reason
        Empty, or why the fit failed; then no value is to be used.
    warnings
        What to doubt.
    """

    parameters: tuple[Refined, ...]
    covariance: Array
    values: Mapping[str, float]
    r: Array
    g: Array
    model: Array
    parts: Mapping[str, Array]
    sigma: Array
    rw: float
    chi2: float
    points: int
    effective_parameters: float
    noise: str
    noise_scale: float
    fractions: Mapping[str, Fractions] = field(default_factory=dict)
    reason: str = ""
    warnings: tuple[str, ...] = ()
    evaluations: int = 0
    history: tuple[Step, ...] = ()

    def __getitem__(self, name: str) -> Refined:
        """Free parameter by name."""
        for parameter in self.parameters:
            if parameter.name == name:
                return parameter
        raise KeyError(name)

    @property
    def correlation(self) -> Array:
        """Correlation matrix of the free parameters, shape (p, p)."""
        sigma = np.sqrt(np.diag(self.covariance))
        return np.asarray(self.covariance / np.outer(sigma, sigma))

    @property
    def chi2_reduced(self) -> float:
        """Chi2 per degree of freedom, with the stated errors of the data."""
        return self.chi2 / max(self.points - self.effective_parameters, 1.0)

    @property
    def bic(self) -> float:
        """Bayesian information criterion with the raised errors: chi2 / scale^2 + 2 m ln(scale) + p ln(m)."""
        scaled = self.chi2 / self.noise_scale**2 + 2 * self.points * np.log(self.noise_scale)
        return float(scaled + self.effective_parameters * np.log(self.points))


@one_blas_thread()
def refine_gr(
    gr: GR,
    phases: Mapping[str, Crystal],
    *,
    r_range: tuple[float, float],
    q_range: tuple[float, float] | None = None,
    free: Sequence[str] = ("scale", "cell", "u_iso"),
    values: Mapping[str, float] | None = None,
    ties: Mapping[str, str] | None = None,
    bounds: Mapping[str, tuple[float, float]] | None = None,
    priors: Mapping[str, tuple[float, float]] | None = None,
    isotropic: Sequence[str] = (),
    weights: Weights | Mapping[str, float] = "xray",
    energy: float | None = None,
    composition: Mapping[str, float] | None = None,
    peaks: Peaks = "debye",
) -> Refinement:
    """Refine one or more crystals against G(r).

    Parameters
    ----------
    gr
        The data.
    phases
        Crystals by the names that their parameters take: ``"Ni.a"``, ``"Ni.u_iso"``, ``"Ni.scale"``.
    r_range
        Compared range, angstrom.
    q_range
        Range of F(Q) from which G(r) was made, 1/angstrom; that of the file by default.
    free, values, ties, bounds, priors
        See `shortrange.fit.phases.Wishes`. ``q_damp`` starts from the data, if they state it.
    isotropic
        Phases whose lattice parameters move by one common factor, ``stretch``.
    weights, energy, composition, peaks
        See `shortrange.simulate.crystal_gr.crystal_pdf`; the composition is that of the data by default.

    Returns
    -------
    Refinement

    Raises
    ------
    DataError
        If the data do not cover the range, or are not what they should be.
    ProjectError
        If a name or a number asked for is impossible.
    """
    models = begin(gr, phases, r_range=r_range, isotropic=isotropic, weights=weights, energy=energy,
                   composition=composition, peaks=peaks)  # fmt: skip
    wishes = Wishes(
        free=tuple(free), values=with_resolution(gr, values), ties=ties, bounds=bounds, priors=priors
    )
    book = make_book(models, wishes)
    data = prepare_gr(gr, q_range=q_range, r_cut=0.75 * min(m.shells.shortest for m in models.values()))
    over = make_range(models, data, r_range)
    curves = over.curves(book, book.start)
    book = scaled_start(book, over.window, curves, fixed=wishes.values or {})
    solution, problem = _refine_twice(book, over, curves)
    done = step("refine", r_range=list(r_range), q_range=list(data.q_range), free=[p.name for p in book.free],
                peaks=peaks, weights=weights if isinstance(weights, str) else dict(weights))  # fmt: skip
    history = (*gr.history, *(s for m in models.values() for s in m.history), done)
    found = conclude(problem, solution, data, history=history)
    return found if over.known else replace(found, warnings=(*found.warnings, NO_ERRORS))


def begin(
    gr: GR, phases: Mapping[str, Crystal], *, r_range: tuple[float, float], isotropic: Sequence[str] = (),
    weights: Weights | Mapping[str, float] = "xray", energy: float | None = None,
    composition: Mapping[str, float] | None = None, peaks: Peaks = "debye",
) -> dict[str, CrystalPdf]:  # fmt: skip
    """Check what is compared, and prepare the phases."""
    if not phases:
        raise ProjectError("there is no phase", where="phases", do="give at least one crystal")
    for name in isotropic:
        if name not in phases:
            raise ProjectError(
                f"unknown phase {name!r}", where="isotropic", do=f"choose from {sorted(phases)}"
            )
    low, high = r_range
    if not 0 <= low < high < np.inf:
        raise DataError(
            f"r_range is {low:g} to {high:g}", where="r_range", do="give 0 <= low < high, angstrom"
        )
    if high > float(gr.r[-1]) + 0.01:
        raise DataError(f"r_range ends at {high:g} angstrom, the data at {gr.r[-1]:g}",
                        where=gr.source or gr.label or "G(r)", do="narrow r_range")  # fmt: skip
    sample = composition or gr.composition or None
    return {
        name: crystal_pdf(crystal, r_max=high, isotropic=name in isotropic, weights=weights, energy=energy,
                          composition=sample, peaks=peaks)
        for name, crystal in phases.items()
    }  # fmt: skip


def with_resolution(gr: GR, values: Mapping[str, float] | None) -> dict[str, float]:
    """Values with the damping that the data state, unless another is given."""
    stated = {} if gr.q_damp is None else {"q_damp": gr.q_damp}
    return {**stated, **(values or {})}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Range:
    """A range of data with the kernels of all phases on it: what every fit within the range needs."""

    data: GrData
    window: GrWindow
    tables: Mapping[str, BandTables]

    @property
    def known(self) -> bool:
        """Whether the data state their errors."""
        return self.data.noise in ("covariance", "errors")

    def curves(self, book: Book, theta: Array) -> dict[str, Array]:
        """G of all shells of each phase on the points of the range, for scales of 1."""
        full, (q_min, q_max) = book.all_values(theta), self.data.q_range
        return {
            name: phase.curve(full[book.of_phase(name)], self.window.r, q_max=q_max, q_min=q_min)
            for name, phase in book.phases.items()
        }

    def problem(
        self, book: Book, theta: Array, curves: Mapping[str, Array], limits: tuple[float, float] | None = None
    ) -> Problem:
        """Models of all phases, with the ripples of what lies beyond as they are at ``theta``.

        Parameters
        ----------
        book, theta
            Parameters.
        curves
            From `curves` at ``theta``.
        limits
            Ends of a part of the range, angstrom; all of it by default.
        """
        window = self.window if limits is None else self.data.window(*limits)
        first = int(np.searchsorted(self.window.r, window.r[0] - 1e-9))
        full, models = book.all_values(theta), {}
        for name, phase in book.phases.items():
            model = phase.on(window.r, self.tables[name], active=book.active(name))
            models[name] = model.with_outside(
                full[book.of_phase(name)], curves[name][first : first + window.r.size]
            )
        return Problem(data=window, models=models, book=book)


def make_range(models: Mapping[str, CrystalPdf], data: GrData, limits: tuple[float, float]) -> Range:
    """Prepare a range of the data, angstrom."""
    window = data.window(*limits)
    q_min, q_max = data.q_range
    tables = {name: model.tables(window.r, q_max=q_max, q_min=q_min) for name, model in models.items()}
    return Range(data=data, window=window, tables=tables)


def scaled_start(book: Book, window: GrWindow, curves: Mapping[str, Array], *, fixed: Iterable[str]) -> Book:
    """Start the scales from their linear least squares, where they are free and nothing else is said."""
    said = set(fixed)
    wanted = [p.name for p in book.free if p.name.endswith(".scale") and p.name not in said]
    if not wanted or "scale" in said:
        return book
    columns = np.array([curves[name.removesuffix(".scale")] for name in wanted]).T
    found = np.linalg.lstsq(window.whiten @ columns, window.whiten @ window.g, rcond=1e-6)[0]
    # An amount below zero is no start: other parameters would be fitted to its mirror image.
    largest = max(float(np.max(found)), 1e-3)
    return book.started_at({n: max(float(s), 0.05 * largest) for n, s in zip(wanted, found, strict=True)})


def _refine_twice(book: Book, over: Range, curves: Mapping[str, Array]) -> tuple[Solution, Problem]:
    """Fit, renew the ripples from beyond the range, and fit again."""
    problem = over.problem(book, book.start, curves)
    solution = solve(problem, errors_known=over.known)
    if not solution.reason:
        problem = over.problem(book, solution.theta, over.curves(book, solution.theta))
        solution = solve(problem, start=solution.theta, errors_known=over.known)
    return solution, problem


def conclude(
    problem: Problem, solution: Solution, data: GrData, *, history: tuple[Step, ...] = ()
) -> Refinement:
    """State what a solution means."""
    book, window = problem.book, problem.data
    model, _, parts = problem.model(solution.theta)
    full = book.all_values(solution.theta)
    sigma = np.sqrt(np.diag(solution.covariance))
    parameters = tuple(
        Refined(name=p.name, unit=p.unit, value=float(v), sigma=float(s), at_bound=bool(b))
        for p, v, s, b in zip(book.free, solution.theta, sigma, solution.at_bound, strict=True)
    )
    amounts, doubts = _amounts(book, solution, full)
    inside = np.searchsorted(data.r, window.r - 1e-9)
    return Refinement(
        parameters=parameters, covariance=solution.covariance,
        values={name: float(v) for name, v in zip(book.names, full, strict=True)},
        r=window.r, g=window.g, model=model, parts=parts, sigma=data.sigma[inside] * solution.noise_scale,
        rw=float(np.sqrt(np.sum((window.g - model) ** 2) / np.sum(window.g**2))),
        chi2=solution.chi2, points=solution.points, effective_parameters=solution.effective, noise=data.noise,
        noise_scale=solution.noise_scale, fractions=amounts, reason=solution.reason,
        warnings=(*_doubts(solution, parameters), *doubts), evaluations=solution.evaluations, history=history,
    )  # fmt: skip


def _doubts(solution: Solution, parameters: tuple[Refined, ...]) -> list[str]:
    texts = [f"{p.name} lies at its limit {p.value:.6g}" for p in parameters if p.at_bound]
    if solution.blind:
        texts.append(f"the data do not determine {', '.join(solution.blind)}")
    if solution.effective > solution.points - 1:
        texts.append(f"{solution.points} independent points cannot determine {len(parameters)} parameters")
    sigma = np.sqrt(np.diag(solution.covariance))
    for i, j in combinations(range(len(parameters)), 2):
        c = solution.covariance[i, j] / (sigma[i] * sigma[j])
        if abs(c) > DEGENERATE:
            texts.append(f"{parameters[i].name} and {parameters[j].name} are correlated by {c:.4f}")
    return texts


def _amounts(book: Book, solution: Solution, full: Array) -> tuple[dict[str, Fractions], list[str]]:
    """Fractions of the phases, unless their scales cannot be told apart."""
    if len(book.phases) < 2 or solution.reason:
        return {}, []
    places = [book.index(f"{name}.scale") for name in book.phases]
    matrix = book.matrix[places]
    scales, covariance = full[places], matrix @ np.nan_to_num(solution.covariance, nan=0.0) @ matrix.T
    lost = [p.name for p in book.free if p.name in solution.blind and p.name.endswith(".scale")]
    sigma = np.sqrt(np.diag(covariance))
    alike = [
        f"{a} and {b} (correlation of their scales {covariance[i, j] / (sigma[i] * sigma[j]):.4f})"
        for (i, a), (j, b) in combinations(enumerate(book.phases), 2)
        if sigma[i] * sigma[j] > 0 and abs(covariance[i, j]) > DEGENERATE * sigma[i] * sigma[j]
    ]
    if lost or alike:
        what = ", ".join(alike) or ", ".join(lost)
        return {}, [f"the amounts of the phases cannot be told apart: {what}"]
    if not scales.sum() > 0:
        return {}, ["the scales add up to nothing: no amounts of phases"]
    return fractions(book.phases, scales, covariance), []
