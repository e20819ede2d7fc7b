"""What a refinement found: parameters with errors, the fit, amounts of phases, what to doubt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.crystal import Crystal
from shortrange.fit.fractions import Fractions, fractions, is_occupancy
from shortrange.fit.gr_points import GrData
from shortrange.fit.phases import Book
from shortrange.fit.refine_problem import Problem, Solution
from shortrange.quantities import Step
from shortrange.shown import fit_html

__all__ = ["Refined", "Refinement", "conclude", "in_vacuum"]

Array = NDArray[Any]

ALONE, VACUUM = 5.0, 10.0
"""Angstrom without an atom across all axes, or across one, that no crystal has: planes of the widest packed
metal, caesium, are 4.3 apart, layers 3 to 4."""
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
    sigma, model_sigma
        Error of ``g`` that the fit took, and of the model by that of its parameters, shape (n_r,).
    crystals
        The phases as refined.
    restraints
        Name, value asked for, its error, and value found.
    predicted_chi2
        See `shortrange.fit.refine_problem.cross_validate`; nan if it was not asked for.
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
    model_sigma: Array
    rw: float
    chi2: float
    points: int
    effective_parameters: float
    noise: str
    noise_scale: float
    fractions: Mapping[str, Fractions] = field(default_factory=dict)
    crystals: Mapping[str, Crystal] = field(default_factory=dict)
    restraints: tuple[tuple[str, float, float, float], ...] = ()
    predicted_chi2: float = float("nan")
    reason: str = ""
    warnings: tuple[str, ...] = ()
    evaluations: int = 0
    history: tuple[Step, ...] = ()

    def _repr_html_(self) -> str:
        """Return the free parameters with their errors, for a notebook."""
        title = self.reason or f"Refinement: Rw = {self.rw:.3f} over {self.r[0]:.4g} to {self.r[-1]:.4g} Å"
        rows = [(p.name, p.value, p.sigma, p.unit) for p in self.parameters]
        return fit_html(title, [] if self.reason else rows, doubts=self.warnings)

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
    def aic(self) -> float:
        """Akaike's information criterion with the raised errors: chi2 / scale^2 + 2 m ln(scale) + 2 p."""
        scaled = self.chi2 / self.noise_scale**2 + 2 * self.points * np.log(self.noise_scale)
        return float(scaled + 2 * self.effective_parameters)

    @property
    def bic(self) -> float:
        """Bayesian information criterion with the raised errors: chi2 / scale^2 + 2 m ln(scale) + p ln(m)."""
        scaled = self.chi2 / self.noise_scale**2 + 2 * self.points * np.log(self.noise_scale)
        return float(scaled + self.effective_parameters * np.log(self.points))


def conclude(
    problem: Problem, solution: Solution, data: GrData, *, history: tuple[Step, ...] = ()
) -> Refinement:
    """State what a solution means."""
    book, window = problem.book, problem.data
    model, slopes, parts = problem.model(solution.theta)
    known = np.nan_to_num(solution.covariance, nan=0.0)
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
        model_sigma=np.sqrt(np.maximum(np.einsum("np,pq,nq->n", slopes, known, slopes), 0.0)),
        crystals={name: phase.crystal_at(full[book.of_phase(name)]) for name, phase in book.phases.items()},
        restraints=tuple(
            (b.restraint.name, b.restraint.value, b.restraint.sigma, b.measure(full))
            for b in problem.restraints
        ),
        rw=float(np.sqrt(np.sum((window.g - model) ** 2) / np.sum(window.g**2))),
        chi2=solution.chi2, points=solution.points, effective_parameters=solution.effective, noise=data.noise,
        noise_scale=solution.noise_scale, fractions=amounts, reason=solution.reason,
        warnings=(*_doubts(solution, parameters), *_alone(book, full), *in_vacuum(book), *doubts),
        evaluations=solution.evaluations, history=history,
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


def _alone(book: Book, full: Array) -> list[str]:
    """Molecules around which nothing is assumed."""
    return [
        f"{name}.density is 0: the data are taken as if nothing were around the molecule, without a baseline"
        for name, phase in book.phases.items()
        if not phase.crystal.periodic and full[book.index(f"{name}.density")] == 0
    ]


def in_vacuum(book: Book) -> list[str]:
    """Crystals that are a molecule or a surface in a box: their density is that of the box."""
    texts = []
    for name, phase in book.phases.items():
        gaps = phase.crystal.emptiness if phase.crystal.periodic else np.zeros(3)
        if gaps.min() > ALONE or gaps.max() > VACUUM:
            density = phase.crystal.number_density
            texts.append(
                f"{name}: {gaps.max():.1f} angstrom across its cell hold no atom: it is a molecule or a "
                f"surface in a box, fitted as a crystal of {density:.2g} atoms per cubic angstrom; "
                "give a molecule without its cell (.xyz), else the crystal itself"
            )
    return texts


def _amounts(book: Book, solution: Solution, full: Array) -> tuple[dict[str, Fractions], list[str]]:
    """Fractions of the phases, unless their scales cannot be told apart."""
    if len(book.phases) < 2 or solution.reason:
        return {}, []
    places = [book.index(f"{name}.scale") for name in book.phases]
    matrix = book.matrix[places]
    known = np.nan_to_num(solution.covariance, nan=0.0)
    scales, covariance = full[places], matrix @ known @ matrix.T
    lost = [
        p.name for p in book.free
        if p.name in solution.blind and (p.name.endswith(".scale") or is_occupancy(p.name))
    ]  # fmt: skip
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
    amounts = fractions(book, solution.theta, known)
    return amounts, [] if "volume" in amounts else ["a molecule has no volume: no amounts by volume"]
