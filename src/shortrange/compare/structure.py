"""What the best model says about the absorber: neighbours, bond lengths, bridges, with errors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.analyse.analysis import Analysis
from shortrange.analyse.estimate import Estimate
from shortrange.analyse.shells import Shell
from shortrange.compare.verdict import FittedParameter, MeasurementFit, ModelResult, Surroundings

__all__ = ["Stretch", "common_stretch", "length_error", "surroundings"]

Array = NDArray[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Factor less one by which the data stretch a model's distances.

    Attributes
    ----------
    value, sigma
        Weighted mean over the measurements; ``sigma`` is None where one lies at its limit.
    prior
        Standard deviation of its prior: by how much the potential that made the model may be off.
    """

    value: float
    sigma: float | None
    prior: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """One model of a mixture: its part of the absorbers, its slope by the share, and the share's error."""

    weight: float
    slope: float
    sigma: float


def common_stretch(fits: Sequence[MeasurementFit]) -> Stretch | None:
    """Average the stretches that the measurements ask for, each by its error; None if none was fitted.

    Where they differ by more than their errors, the error of the mean is raised by the root of the reduced
    chi-squared, as the Particle Data Group does.

    Parameters
    ----------
    fits
        Of one model to all measurements.
    """
    found = [p for fit in fits for p in fit.parameters if p.name.partition(" (")[0] == "stretch"]
    if not found:
        return None
    prior = max(p.prior[1] if p.prior else 0.0 for p in found)
    known = [(p.value, p.sigma) for p in found if p.sigma]
    if len(known) < len(found):
        return Stretch(value=float(np.mean([p.value for p in found])), sigma=None, prior=prior)
    values, sigmas = np.array(known).T
    weights = sigmas**-2 / np.sum(sigmas**-2)
    mean = float(weights @ values)
    sigma = float(np.sum(sigmas**-2) ** -0.5)
    if values.size > 1:
        sigma *= max(1.0, float(np.sqrt(np.sum(((values - mean) / sigmas) ** 2) / (values.size - 1))))
    return Stretch(value=mean, sigma=sigma, prior=prior)


def length_error(stretch: Stretch, part: float, squares: float) -> float | None:
    r"""Relative error of one kind of bond, where the fit knows the mean stretch of all bonds only.

    Let each kind have an error of its own, :math:`e_j` of standard deviation :math:`\sigma_p`, and the fit
    find :math:`\sum w_j e_j`. Then :math:`\mathrm{var}(e_j - \sum w_i e_i) = \sigma_p^2 (1 - 2 w_j + \sum
    w_i^2)` adds to the variance of the mean.

    Parameters
    ----------
    stretch
        The mean's.
    part
        w_j, the part of the bonds that are of this kind.
    squares
        Sum of the squares of all parts.
    """
    if stretch.sigma is None:
        return None
    return float(np.hypot(stretch.sigma, stretch.prior * np.sqrt(max(0.0, 1.0 - 2.0 * part + squares))))


def surroundings(
    model: ModelResult, contents: Mapping[str, Analysis | str], elements: Sequence[str],
    *, absorbers: Mapping[str, Mapping[str, float]],
) -> tuple[Surroundings, ...]:  # fmt: skip
    """State what surrounds the absorbers in a model, or in the average over a mixture.

    Parameters
    ----------
    model
        With its fits, and its shares if it is a mixture.
    contents
        Analysis of the snapshots of each model, or why there is none.
    elements
        Absorbers; none asks for the centres of the polyhedra.
    absorbers
        Model to element to atoms of it for each atom: absorbers are what numbers are averages over.

    Returns
    -------
    tuple of Surroundings
        Empty where a model was not analysed.
    """
    shares: dict[str, FittedParameter | None] = {s.name: s for s in model.shares} or {model.name: None}
    found = {name: contents.get(name) for name in shares}
    analyses = {name: a for name, a in found.items() if isinstance(a, Analysis)}
    stretch = common_stretch(model.fits)
    if len(analyses) < len(shares):
        return ()
    wanted = elements or sorted({c for a in analyses.values() for c in a.roles.centres})
    out = []
    for element in dict.fromkeys(wanted):
        parts = _parts(shares, {name: absorbers[name].get(element, 0.0) for name in shares})
        if parts is not None:
            out.append(_around(element, [(parts[name], analyses[name]) for name in shares], stretch))
    return tuple(out)


def _parts(
    shares: Mapping[str, FittedParameter | None], strengths: Mapping[str, float]
) -> dict[str, _Part] | None:
    """Part of the absorbers in each model, from its share of the atoms."""
    x = np.array([1.0 if s is None else s.value for s in shares.values()])
    a = np.array([strengths[name] for name in shares])
    total = float(x @ a)
    if total <= 0.0:
        return None
    # Two models: what the first gains the second loses.
    slope = float(np.prod(a) / total**2) if a.size == 2 else 0.0
    return {
        name: _Part(
            weight=float(x[i] * a[i] / total),
            slope=slope if i == 0 else -slope,
            sigma=(s.sigma or 0.0) if s else 0.0,
        )
        for i, (name, s) in enumerate(shares.items())
    }


def _around(element: str, models: Sequence[tuple[_Part, Analysis]], stretch: Stretch | None) -> Surroundings:
    """Average over the models of a mixture."""
    parts = [part for part, _ in models]
    shells = [_bonded_shells(a, element) for _, a in models]
    numbers = {}
    for ligand in dict.fromkeys(name for each in shells for name in each):
        found = [each[ligand].coordination if ligand in each else Estimate(0.0, 0.0) for each in shells]
        if (number := _mean(parts, found)).value > 0.0:
            numbers[ligand] = number
    bonds = {
        ligand: _pooled(
            [
                (part.weight * each[ligand].coordination.value, each[ligand].mean)
                for part, each in zip(parts, shells, strict=True)
                if ligand in each
            ]
        )
        for ligand in numbers
    }
    links = [_linked(a, element) for _, a in models]
    bridged = None if any(link is None for link in links) else _mean(parts, [k[0] for k in links if k])
    across = _pooled([(p.weight * k[0].value, k[1]) for p, k in zip(parts, links, strict=True) if k])
    everything = [_all_bonds(a, element) for _, a in models]
    if all(total is not None for total in everything):
        numbers["all"] = _mean(parts, [total for total in everything if total is not None])
    return Surroundings(
        element=element,
        numbers=numbers,
        lengths=_stretched(element, bonds, {k: n.value for k, n in numbers.items()}, across, stretch),
        bridged=bridged,
    )


def _bonded_shells(analysis: Analysis, element: str) -> dict[str, Shell]:
    """First shells of what an element bonds to: ligands, or centres if it is one of the ligands."""
    roles = analysis.roles
    partners = roles.centres if element in roles.ligands else roles.ligands
    return {
        s.ligand: s
        for s in analysis.shells
        if s.centre == element and s.ligand in partners and s.cutoff.bonded
    }


def _mean(parts: Sequence[_Part], found: Sequence[Estimate]) -> Estimate:
    """Average over absorbers, with the errors of the snapshots and of the share."""
    value = sum(p.weight * e.value for p, e in zip(parts, found, strict=True))
    if any(e.sigma is None and p.weight > 0 for p, e in zip(parts, found, strict=True)):
        return Estimate(value)
    scatter = sum((p.weight * (e.sigma or 0.0)) ** 2 for p, e in zip(parts, found, strict=True))
    moved = parts[0].sigma * sum(p.slope * e.value for p, e in zip(parts, found, strict=True))
    return Estimate(value, float(np.sqrt(scatter + moved**2)))


def _pooled(found: Sequence[tuple[float, Estimate | None]]) -> Estimate | None:
    """Mean of lengths, each weighted by the number of its bonds."""
    known = [(n, e) for n, e in found if e is not None and n > 0.0]
    total = sum(n for n, _ in known)
    if total <= 0.0:
        return None
    value = sum(n * e.value for n, e in known) / total
    return Estimate(value, float(np.sqrt(sum((n * (e.sigma or 0.0)) ** 2 for n, e in known))) / total)


def _linked(analysis: Analysis, element: str) -> tuple[Estimate, Estimate | None] | None:
    """Fraction that shares a ligand, and the distance across; None unless it is the only centre."""
    joined = analysis.connectivity
    if joined is None or analysis.roles.centres != (element,):
        return None
    spread = joined.distance
    return joined.linked, None if spread is None else Estimate(spread.mean, spread.sigma_mean)


def _all_bonds(analysis: Analysis, element: str) -> Estimate | None:
    """Coordination number of all ligands: those of the kinds do not vary independently."""
    if analysis.connectivity is None or analysis.roles.centres != (element,):
        return None
    return analysis.connectivity.bonds


def _stretched(
    element: str, bonds: Mapping[str, Estimate | None], numbers: Mapping[str, float], across: Estimate | None,
    stretch: Stretch | None,
) -> dict[str, Estimate]:  # fmt: skip
    """Lengths as the data stretch them, with the errors of stretch, kind and snapshots."""
    if stretch is None:
        return {}
    total = sum(numbers[ligand] for ligand in bonds)
    parts = {ligand: numbers[ligand] / total for ligand in bonds}
    squares = sum(w**2 for w in parts.values())
    wanted = [(ligand, mean, parts[ligand]) for ligand, mean in bonds.items()]
    wanted.append((f"{element}, bridged", across, 0.0))
    out = {}
    for name, mean, part in wanted:
        if mean is None:
            continue
        relative = length_error(stretch, part, squares)
        value = mean.value * (1.0 + stretch.value)
        sigma = None if relative is None else float(np.hypot(value * relative, mean.sigma or 0.0))
        out[name] = Estimate(value, sigma)
    return out
