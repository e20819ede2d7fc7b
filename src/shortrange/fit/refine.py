"""Refinement of crystal phases against G(r): parameters, errors, amounts of phases."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.crystal import Crystal
from shortrange.errors import DataError, ProjectError
from shortrange.fit.gr_points import GrData, GrWindow, prepare_gr
from shortrange.fit.phases import Book, make_book
from shortrange.fit.refine_problem import Problem, Solution, cross_validate, solve
from shortrange.fit.refinement import Refinement, conclude
from shortrange.fit.restraints import Bound, Restraint, bind
from shortrange.fit.wishes import Wishes, wants_sites, wants_tensors
from shortrange.numeric.band_kernel import BandTables
from shortrange.numeric.blas import one_blas_thread
from shortrange.quantities import GR, step
from shortrange.simulate.crystal_gr import CrystalPdf, Peaks, crystal_pdf
from shortrange.simulate.pdf_weights import Weights
from shortrange.simulate.shapes import Shape

__all__ = [
    "NO_ERRORS",
    "Range",
    "begin",
    "make_range",
    "refine_gr",
    "scaled_start",
    "with_resolution",
]

Array = NDArray[Any]

NO_ERRORS = "the data state no errors: those of the results follow from the misfit"


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
    shapes: Mapping[str, Shape] | None = None,
    restraints: Sequence[Restraint] = (),
    folds: int = 0,
) -> Refinement:
    """Refine one or more crystals or molecules against G(r).

    Parameters
    ----------
    gr
        The data.
    phases
        Crystals by the names that their parameters take: ``"Ni.a"``, ``"Ni.u_iso"``, ``"Ni.scale"``.
        Molecules have a ``stretch`` and the ``density`` of what surrounds them; the range must end before the
        distances between them.
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
    shapes
        Form of the particles of a phase: ``"sphere"``, ``"shell"`` or ``"sheet"``; it has no effect until a
        size is free or given in ``values``.
    restraints
        Bonds and angles that are known, with their errors.
    folds
        Parts for a cross-validation; 0 for none.

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
    wishes = Wishes(
        free=tuple(free), values=with_resolution(gr, values), ties=ties, bounds=bounds, priors=priors
    )
    held = (f"{r.phase}.positions" for r in restraints)
    models = begin(gr, phases, r_range=r_range, isotropic=isotropic, weights=weights, energy=energy,
                   composition=composition, peaks=peaks, wished=(*wishes.names, *held),
                   shapes=shapes)  # fmt: skip
    book = make_book(models, wishes)
    data = prepare_gr(gr, q_range=q_range, r_cut=0.75 * min(m.shells.shortest for m in models.values()))
    over = make_range(models, data, r_range)
    curves = over.curves(book, book.start)
    book = scaled_start(book, over.window, curves, fixed=wishes.values or {})
    solution, problem = _refine_twice(book, over, curves, bind(restraints, book))
    done = step("refine", r_range=list(r_range), q_range=list(data.q_range), free=[p.name for p in book.free],
                peaks=peaks, weights=weights if isinstance(weights, str) else dict(weights))  # fmt: skip
    history = (*gr.history, *(s for m in models.values() for s in m.history), done)
    found = conclude(problem, solution, data, history=history)
    if folds and not solution.reason:
        predicted = cross_validate(problem, solution, folds=folds, errors_known=over.known)
        found = replace(found, predicted_chi2=predicted)
    return found if over.known else replace(found, warnings=(*found.warnings, NO_ERRORS))


def begin(
    gr: GR, phases: Mapping[str, Crystal], *, r_range: tuple[float, float], isotropic: Sequence[str] = (),
    weights: Weights | Mapping[str, float] = "xray", energy: float | None = None,
    composition: Mapping[str, float] | None = None, peaks: Peaks = "debye", wished: Iterable[str] = (),
    shapes: Mapping[str, Shape] | None = None,
) -> dict[str, CrystalPdf]:  # fmt: skip
    """Check what is compared, and prepare the phases; ``wished`` names tell whose sites are free."""
    if not phases:
        raise ProjectError("there is no phase", where="phases", do="give at least one crystal")
    shapes, wished = shapes or {}, tuple(wished)
    for what, names in (("isotropic", isotropic), ("shapes", shapes)):
        for name in names:
            if name not in phases:
                raise ProjectError(f"unknown phase {name!r}", where=what, do=f"choose from {sorted(phases)}")
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
                          composition=sample, peaks=peaks, shape=shapes.get(name, "sphere"),
                          sites=wants_sites(wished, name, crystal),
                          anisotropic=wants_tensors(wished, name))
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
            own = full[book.of_phase(name)]
            # Of the whole range there is one model: it may take its time.
            model = phase.on(window.r, self.tables[name], active=book.active(name),
                             around=None if limits is None else own)  # fmt: skip
            models[name] = model.with_outside(own, curves[name][first : first + window.r.size])
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


def _refine_twice(
    book: Book, over: Range, curves: Mapping[str, Array], restraints: tuple[Bound, ...]
) -> tuple[Solution, Problem]:
    """Fit, renew the ripples from beyond the range, and fit again."""
    problem = replace(over.problem(book, book.start, curves), restraints=restraints)
    solution = solve(problem, errors_known=over.known)
    if not solution.reason:
        renewed = over.problem(book, solution.theta, over.curves(book, solution.theta))
        problem = replace(renewed, restraints=restraints)
        solution = solve(problem, start=solution.theta, errors_known=over.known)
    return solution, problem
