"""Which atom pairs a peak may be: ranked from the composition alone, or from structures with true f(Q)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.errors import DataError
from shortrange.fit.peaks import Peak, PeakFit
from shortrange.fit.plausible import PairRule, pair_rules, shortest_plausible
from shortrange.numeric.sine import window_values
from shortrange.quantities import GR
from shortrange.simulate.pairs import PairHistograms
from shortrange.simulate.pdf_weights import Weights, composition_weights

__all__ = [
    "Assignment",
    "Candidate",
    "assign_peaks",
    "check_first_distance",
    "feature_shares",
    "plausible_shares",
]

Array = NDArray[Any]

_DENSITY = 0.045  # atoms per cubic angstrom where none is known
_SMALL_SHARE = 0.02  # candidates below this share are not listed from structures
_CROWD = "would need"
_CROWDED = 1.3  # times the close-packed number of neighbours: more cannot be


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One pair of elements that may stand behind a peak.

    Attributes
    ----------
    pair
        Such as ``"Ta-Cl"``.
    share
        Expected part of the peak's area: from structures, what they have there; from a composition, what its
        typical neighbour numbers would give.
    shares
        By structure; empty without structures.
    weight
        Faber-Ziman weight of the pair over the Q-range, f(Q) included.
    neighbours, sigma_neighbours
        Of the second element around one atom of the first, if the whole peak were this pair.
    found
        Neighbours in the structures, by structure.
    width
        Standard deviation of the distances if the whole peak were this pair: that of the peak, less what the
        fall of its f(Q) adds; None where that exceeds it.
    excluded
        Why this pair cannot be the whole peak (it may still be a part), or empty.
    """

    pair: str
    share: float
    shares: Mapping[str, float]
    weight: float
    neighbours: float
    sigma_neighbours: float
    found: Mapping[str, float]
    width: float | None
    excluded: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """A peak and its candidates, the most likely first."""

    peak: Peak
    candidates: tuple[Candidate, ...]

    @property
    def crowded(self) -> bool:
        """Whether each pair that may be here would need more neighbours than there is room for."""
        here = [c.excluded for c in self.candidates if c.share > 0]
        return bool(here) and all(reason.startswith(_CROWD) for reason in here)

    @property
    def label(self) -> str:
        """Pairs that make up most of the peak, such as ``"Cl-Cl + Ta-S"``, or ``"?"``."""
        possible = [c for c in self.candidates if c.share > 0]
        if not possible or self.crowded:
            return "?"
        names, total = [], 0.0
        for candidate in possible:
            names.append(candidate.pair)
            total += candidate.share
            if total > 0.7 or len(names) == 3:
                break
        return " + ".join(names)


def assign_peaks(
    fit: PeakFit,
    *,
    composition: Mapping[str, float],
    structures: Mapping[str, PairHistograms] | None = None,
    weights: Weights | Mapping[str, float] = "xray",
    energy: float | None = None,
    number_density: float | None = None,
) -> tuple[Assignment, ...]:
    """Rank the pairs behind each peak. Bumps are not assigned.

    Parameters
    ----------
    fit
        From `shortrange.fit.peaks.fit_peaks`.
    composition
        Atoms of each element.
    structures
        Pair histograms by name: their distances then decide, not the table of plausible ones.
    weights, energy
        See `shortrange.simulate.pdf_weights.pair_weights`.
    number_density
        Atoms per cubic angstrom; a typical one is taken where it is not known.

    Raises
    ------
    DataError
        If a structure holds an element that the composition does not, or the other way round.
    """
    structures = structures or {}
    for name, histograms in structures.items():
        _check_elements(name, histograms, composition)
    rules = pair_rules(composition)
    fractions = {s: n / sum(composition.values()) for s, n in composition.items()}
    q = np.linspace(max(fit.q_min, 0.1), fit.q_max, 200)
    table = composition_weights(composition, [rule.pair for rule in rules], q, weights=weights, energy=energy)
    modification = window_values(q, q_max=fit.q_max, window=fit.window)
    density = number_density or _DENSITY
    out = []
    for peak in fit.peaks:
        strength = (modification * np.exp(-0.5 * (q * peak.width) ** 2)) ** 2
        candidates = [
            _candidate(
                peak,
                rule,
                fractions,
                _effective(q, w, strength),
                density,
                absolute=number_density is not None,
            )
            for rule, w in zip(rules, table, strict=True)
        ]
        if structures:
            candidates = [_with_structures(c, peak, structures, fit.q_max) for c in candidates]
            candidates = [c for c in candidates if c.share > _SMALL_SHARE or not c.excluded]
        out.append(Assignment(peak=peak, candidates=_ranked(candidates)))
    return tuple(out)


def feature_shares(
    histograms: PairHistograms,
    *,
    r_range: tuple[float, float],
    q_range: tuple[float, float],
    weights: Weights | Mapping[str, float] = "xray",
    energy: float | None = None,
) -> dict[str, float]:
    """Give the part of each pair in the weighted number of pairs between two distances, largest first.

    Parameters
    ----------
    histograms
        Of a structure.
    r_range
        angstrom.
    q_range
        Of the data, 1/angstrom: weights are averaged over it.
    weights, energy
        See `shortrange.simulate.pdf_weights.pair_weights`.
    """
    q = np.linspace(max(q_range[0], 0.1), q_range[1], 200)
    table = composition_weights(histograms.species, histograms.pairs, q, weights=weights, energy=energy)
    strength = np.exp(-((0.1 * q) ** 2))
    inside = (histograms.r >= r_range[0]) & (histograms.r <= r_range[1])
    counted = histograms.mean_counts()[:, inside].sum(axis=1)
    areas = {
        f"{a}-{b}": _effective(q, w, strength)[0] * n
        for (a, b), w, n in zip(histograms.pairs, table, counted, strict=True)
    }
    total = sum(areas.values())
    shares = {pair: float(area / total) if total > 0 else 0.0 for pair, area in areas.items()}
    return dict(sorted(shares.items(), key=lambda item: -item[1]))


def plausible_shares(
    composition: Mapping[str, float],
    *,
    r_range: tuple[float, float],
    q_range: tuple[float, float],
    weights: Weights | Mapping[str, float] = "xray",
    number_density: float | None = None,
) -> dict[str, float]:
    """Give the part of each pair between two distances by the table of plausible ones, largest first.

    Parameters
    ----------
    composition
        Atoms of each element.
    r_range
        angstrom.
    q_range
        Of the data, 1/angstrom: weights are averaged over it.
    weights
        See `shortrange.simulate.pdf_weights.pair_weights`.
    number_density
        Atoms per cubic angstrom; a typical one is taken where it is not known.
    """
    rules = pair_rules(composition)
    fractions = {s: n / sum(composition.values()) for s, n in composition.items()}
    q = np.linspace(max(q_range[0], 0.1), q_range[1], 200)
    table = composition_weights(composition, [rule.pair for rule in rules], q, weights=weights)
    strength = np.exp(-((0.1 * q) ** 2))
    middle, width = 0.5 * (r_range[0] + r_range[1]), r_range[1] - r_range[0]
    areas = {}
    for rule, w in zip(rules, table, strict=True):
        a, b = rule.pair
        number = rule.neighbours(middle, (number_density or _DENSITY) * fractions[b], width)
        areas[rule.name] = (
            (1.0 if a == b else 2.0) * fractions[a] * max(_effective(q, w, strength)[0], 0.0) * number
        )
    total = sum(areas.values())
    shares = {pair: float(area / total) for pair, area in areas.items() if area > 0}
    return dict(sorted(shares.items(), key=lambda item: -item[1]))


def _effective(q: Array, weight: Array, strength: Array) -> tuple[float, float]:
    """Weight w0 and excess variance v of w(Q) = w0 exp(-v Q^2 / 2), fitted where the peak is made.

    The fall (or rise) of one pair's form factors against the average broadens (or sharpens) its peak.
    """
    if not np.all(weight > 0):
        mean = float(np.sum(strength * weight) / np.sum(strength))
        return mean, 0.0
    design = np.stack([np.ones_like(q), -0.5 * q**2], axis=1)
    root = np.sqrt(strength)[:, None]
    (level, variance), *_ = np.linalg.lstsq(design * root, np.log(weight) * root[:, 0], rcond=None)
    return float(np.exp(level)), float(variance)


def _candidate(
    peak: Peak,
    rule: PairRule,
    fractions: Mapping[str, float],
    effective: tuple[float, float],
    density: float,
    *,
    absolute: bool,
) -> Candidate:
    (a, b), (w0, variance) = rule.pair, effective
    per_neighbour = (1.0 if a == b else 2.0) * fractions[a] * w0
    needed = peak.area / per_neighbour if per_neighbour > 0 else np.inf
    expected = rule.neighbours(peak.r, density * fractions[b], 0.4 + 2.0 * peak.width)
    own = peak.width**2 - variance
    return Candidate(
        pair=rule.name,
        share=max(per_neighbour, 0.0) * expected,
        shares={},
        weight=w0,
        neighbours=float(needed),
        sigma_neighbours=float(peak.sigma_area / per_neighbour) if per_neighbour > 0 else float("inf"),
        found={},
        width=float(np.sqrt(own)) if own > 0 else None,
        excluded=_excluded(peak, rule, float(needed) if absolute else 0.0),
    )


def _excluded(peak: Peak, rule: PairRule, needed: float) -> str:
    if rule.bonded(peak.r) == 0.0 and rule.apart(peak.r) == 0.0:
        if rule.bond is not None and peak.r > rule.bond:
            return f"between a bond ({rule.bond:.2f} A) and contact ({rule.contact:.2f} A)"
        near = rule.bond if rule.bond is not None else rule.contact
        return f"too short: expected from {0.8 * near if rule.bond else near:.2f} A"
    most = _CROWDED * 12.0 * max(1.0, (peak.r / (rule.bond or rule.contact)) ** 2)
    if needed > most:
        return f"{_CROWD} {needed:.0f} neighbours"
    return ""


def _with_structures(
    candidate: Candidate, peak: Peak, structures: Mapping[str, PairHistograms], q_max: float
) -> Candidate:
    """Take share and neighbours from what structures have near the peak."""
    reach = 1.5 * peak.width + 0.3 * np.pi / q_max
    found, shares = {}, {}
    for name, h in structures.items():
        inside = (h.r >= peak.r - reach) & (h.r <= peak.r + reach)
        p = h.index(candidate.pair)
        counted = h.mean_counts()[p, inside].sum()
        a, b = h.pairs[p]
        found[name] = float((2.0 if a == b else 1.0) * counted / h.species[a])
        shares[name] = 2.0 / h.n_atoms * counted * candidate.weight
    area = float(np.mean(list(shares.values())))
    excluded = "" if any(found.values()) else "no structure has this pair here"
    return Candidate(
        pair=candidate.pair, share=area, shares=shares, weight=candidate.weight,
        neighbours=candidate.neighbours, sigma_neighbours=candidate.sigma_neighbours, found=found,
        width=candidate.width, excluded=excluded,
    )  # fmt: skip


def _ranked(candidates: Sequence[Candidate]) -> tuple[Candidate, ...]:
    """Scale shares to a sum of 1 among the pairs that are possible, and sort."""
    total = sum(c.share for c in candidates)
    names = list(candidates[0].shares) if candidates else []
    sums = {n: sum(c.shares[n] for c in candidates) for n in names}
    scaled = [
        Candidate(
            pair=c.pair,
            share=c.share / total if total > 0 else 0.0,
            shares={n: c.shares[n] / sums[n] if sums[n] > 0 else 0.0 for n in names},
            weight=c.weight,
            neighbours=c.neighbours,
            sigma_neighbours=c.sigma_neighbours,
            found=c.found,
            width=c.width,
            excluded=c.excluded,
        )
        for c in candidates
    ]
    return tuple(sorted(scaled, key=lambda c: (-c.share, c.pair)))


def _check_elements(name: str, histograms: PairHistograms, composition: Mapping[str, float]) -> None:
    ours, theirs = set(composition), set(histograms.species)
    if ours != theirs:
        raise DataError(
            f"its elements are {', '.join(sorted(theirs))}, the composition has {', '.join(sorted(ours))}",
            where=f"structure {name}",
            do="leave the structure out, or correct the composition",
        )


def check_first_distance(gr: GR, composition: Mapping[str, float]) -> None:
    """Refuse a G(r) whose main peak is shorter than any bond of the composition.

    Raises
    ------
    DataError
        If a peak between 0.8 angstrom and the shortest plausible bond is as high as any up to 6 angstrom.
    """
    shortest = shortest_plausible(composition)
    low = (gr.r > 0.8) & (gr.r < 0.97 * shortest)
    rest = (gr.r >= 0.97 * shortest) & (gr.r < 6.0)
    if low.sum() < 3 or rest.sum() < 3:
        return
    top = int(np.argmax(np.where(low, gr.g, -np.inf)))
    inner = 0 < top < gr.r.size - 1 and gr.g[top] >= gr.g[top - 1] and gr.g[top] >= gr.g[top + 1]
    if inner and gr.g[top] > 0.8 * float(np.max(gr.g[rest])):
        highest = float(gr.r[rest][np.argmax(gr.g[rest])])
        raise DataError(
            f"the peak at {gr.r[top]:.2f} A (G = {gr.g[top]:.3g}) is as high as any, but no two atoms of "
            f"{', '.join(composition)} come closer than {shortest:.2f} A; the next is at {highest:.2f} A",
            where=gr.source or gr.label or "G(r)",
            do="this cannot be G(r) of this material: check the sample, the units of r and the columns",
        )
