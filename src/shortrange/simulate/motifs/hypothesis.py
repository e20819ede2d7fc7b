"""A motif whose angle and distances are not known exactly: what a fit may move, and how far."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from shortrange.errors import SimulationError
from shortrange.simulate.motifs.build import Motif, motif
from shortrange.simulate.motifs.distances import typical_angle, typical_distance

__all__ = ["MotifHypothesis", "Structural", "motif_hypothesis"]

_ANGLE_SIGMA, _LENGTH_SIGMA = 15.0, 0.05  # degrees and angstrom, where the registry has no spread
_REACH = 3.0  # standard deviations to the limits


@dataclass(frozen=True, slots=True, kw_only=True)
class Structural:
    """A free structural parameter: normal prior, cut at the limits.

    Attributes
    ----------
    name, unit
        ``"angle"`` (degrees), or ``"terminal_Cl"`` and ``"bridging_S"`` (angstrom).
    value, sigma
        Mean and standard deviation of the prior.
    lower, upper
        Limits.
    source
        Where the prior comes from.
    """

    name: str
    unit: str
    value: float
    sigma: float
    lower: float
    upper: float
    source: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MotifHypothesis:
    """A family of motifs.

    Attributes
    ----------
    start
        Its member at the mean of the priors.
    structural
        Free parameters.
    settings
        Arguments of `motif` that stay.
    warnings
        What to doubt.
    """

    start: Motif
    structural: tuple[Structural, ...]
    settings: Mapping[str, Any]
    warnings: tuple[str, ...] = field(default=())

    def build(self, values: Mapping[str, float]) -> Motif:
        """Member at values of all structural parameters.

        Raises
        ------
        SimulationError
            If the distances cannot meet.
        """
        lengths: dict[str, dict[str, float]] = {"terminal": {}, "bridging": {}}
        settings = dict(self.settings)
        for name, value in values.items():
            role, _, symbol = name.partition("_")
            if symbol:
                lengths[role][symbol] = float(value)
            else:
                settings[name] = float(value)
        return motif(terminal=lengths["terminal"], bridging=lengths["bridging"] or None, **settings)


def motif_hypothesis(
    kind: str,
    *,
    metal: str = "Ta",
    ligand: str = "Cl",
    bridge: str | None = None,
    substitute: str | None = None,
    angle: float | tuple[float, float] | None = None,
    terminal: Mapping[str, float | tuple[float, float]] | None = None,
    bridging: Mapping[str, float | tuple[float, float]] | None = None,
) -> MotifHypothesis:
    """State a motif with free angle and distances.

    Parameters
    ----------
    kind, metal, ligand, bridge, substitute
        As `motif`.
    angle, terminal, bridging
        Means of the priors, or (mean, standard deviation); degrees, and angstrom by element. Default: what is
        known of such units, with its spread.

    Raises
    ------
    SimulationError
        As `motif`.
    """
    known_lengths = {"terminal": terminal or {}, "bridging": bridging or {}}
    chosen: dict[str, Any] = {"metal": metal, "ligand": ligand, "bridge": bridge, "substitute": substitute}
    start = motif(
        kind, **chosen, angle=None if angle is None else _mean(angle), terminal=_means(terminal),
        bridging=_means(bridging),
    )  # fmt: skip
    structural = [
        _length(metal, role, symbol, value, known_lengths[role].get(symbol))
        for role in ("terminal", "bridging")
        for symbol, value in start.parameters.get(role, {}).items()
    ]
    warnings: tuple[str, ...] = ()
    settings: dict[str, Any] = {"kind": kind, **chosen}
    if kind != "octahedron":
        settings["twist"] = start.parameters.get("twist")
        opening = _angle(start, metal, angle)
        structural.insert(0, opening)
        warnings = _clashing(start, opening)
    found = MotifHypothesis(start=start, structural=tuple(structural), settings=settings, warnings=warnings)
    return found if kind == "octahedron" or warnings else _without_clashes(found)


def _means(given: Mapping[str, float | tuple[float, float]] | None) -> dict[str, float] | None:
    return {symbol: _mean(pair) for symbol, pair in given.items()} if given else None


def _mean(pair: float | tuple[float, float]) -> float:
    return float(pair[0] if isinstance(pair, tuple) else pair)


def _spread(pair: float | tuple[float, float] | None, typical: float, name: str) -> float:
    sigma = float(pair[1]) if isinstance(pair, tuple) else typical
    if not (np.isfinite(sigma) and sigma > 0):
        raise SimulationError(
            f"the standard deviation of {name} is {sigma:g}", where="motif", do="give a positive number"
        )
    return sigma


def _length(
    metal: str, role: str, symbol: str, value: float, given: float | tuple[float, float] | None
) -> Structural:
    try:
        known = typical_distance(metal, symbol, role)
        typical, source = known.sigma, known.source
    except SimulationError:
        typical, source = _LENGTH_SIGMA, "no compilation: 0.05 angstrom assumed"
    sigma = _spread(given, typical, f"{role} {metal}-{symbol}")
    return Structural(
        name=f"{role}_{symbol}", unit="angstrom", value=value, sigma=sigma, lower=value - _REACH * sigma,
        upper=value + _REACH * sigma, source="the project" if given is not None else source,
    )  # fmt: skip


def _angle(start: Motif, metal: str, given: float | tuple[float, float] | None) -> Structural:
    value = float(start.parameters["angle"])
    known = typical_angle(metal, start.kind, start.bridge)
    sigma = _spread(given, known.sigma if known else _ANGLE_SIGMA, "the angle")
    source = known.source if known else f"no compilation: {_ANGLE_SIGMA:g} degrees assumed"
    return Structural(
        name="angle", unit="degrees", value=value, sigma=sigma, lower=max(60.0, value - _REACH * sigma),
        upper=min(180.0, value + _REACH * sigma), source="the project" if given is not None else source,
    )  # fmt: skip


def _without_clashes(found: MotifHypothesis) -> MotifHypothesis:
    """Raise the lower limit of the angle to where ligands begin to clash: below it no unit can be."""
    opening, *others = found.structural
    values = {p.name: p.value for p in others}
    lowest = opening.value
    for angle in np.arange(opening.value, opening.lower - 1e-9, -1.0):
        try:
            if found.build({"angle": float(angle), **values}).clashes:
                break
        except SimulationError:
            break
        lowest = float(angle)
    limited = replace(opening, lower=max(opening.lower, lowest - 1e-6))
    return replace(found, structural=(limited, *others))


def _clashing(start: Motif, angle: Structural) -> tuple[str, ...]:
    if not start.clashes:
        return ()
    worst = start.clashes[0]
    return (
        f"its ligands clash at {angle.value:.1f} degrees ({worst.pair} {worst.distance:.2f} angstrom): "
        "a rigid unit of this shape cannot be",
    )
