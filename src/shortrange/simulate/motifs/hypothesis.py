"""A motif whose angle, distances and distortion are not known exactly: what a fit may move, and how far."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.errors import SimulationError
from shortrange.simulate.motifs.build import Motif, motif
from shortrange.simulate.motifs.distances import typical_angle, typical_distance
from shortrange.simulate.motifs.distortion import OFF_CENTRE

__all__ = ["MotifHypothesis", "Structural", "motif_hypothesis"]

_ANGLE_SIGMA, _LENGTH_SIGMA = 15.0, 0.05  # degrees and angstrom, where the registry has no spread
_REACH = 3.0  # standard deviations to the limits
_DISTORTION_SIGMA, _WALK = 0.1, 0.02  # angstrom
_DISTORTION_SOURCE = (
    "spread of 0.1 angstrom: units relaxed with machine-learned potentials (simulated) have 0.18 to 0.20 "
    "(edges of Ta2Cl10), 0.13 to 0.16 (TaCl6), 0.07 to 0.13 (TaCl5S), 0.17 to 0.24 (faces), 0.04 to 0.13 "
    "(corners)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Structural:
    """A free structural parameter: normal prior, cut at the limits.

    Attributes
    ----------
    name, unit
        ``"angle"`` (degrees), or ``"terminal_Cl"``, ``"bridging_S"`` and ``"distortion"`` (angstrom).
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
    distortion: float | tuple[float, float] | None = None,
) -> MotifHypothesis:
    """State a motif with free angle and distances, and a free displacement of its metals if one is given.

    Parameters
    ----------
    kind, metal, ligand, bridge, substitute
        As `motif`.
    angle, terminal, bridging
        Means of the priors, or (mean, standard deviation); degrees, and angstrom by element. Default: what is
        known of such units, with its spread.
    distortion
        In the same way, angstrom; None keeps the metals in the centres of their ligands.

    Raises
    ------
    SimulationError
        As `motif`.
    """
    known_lengths = {"terminal": terminal or {}, "bridging": bridging or {}}
    chosen: dict[str, Any] = {"metal": metal, "ligand": ligand, "bridge": bridge, "substitute": substitute}
    start = motif(
        kind, **chosen, angle=None if angle is None else _mean(angle), terminal=_means(terminal),
        bridging=_means(bridging), distortion=None if distortion is None else _mean(distortion),
    )  # fmt: skip
    structural = [
        _length(metal, role, symbol, value, known_lengths[role].get(symbol))
        for role in ("terminal", "bridging")
        for symbol, value in start.parameters.get(role, {}).items()
    ]
    if distortion is not None:
        structural.append(_distortion(start, distortion))
    settings: dict[str, Any] = {"kind": kind, **chosen}
    if kind != "octahedron":
        settings["twist"] = start.parameters.get("twist")
        structural.insert(0, _angle(start, metal, angle))
    warnings = _clashing(start)
    found = MotifHypothesis(start=start, structural=tuple(structural), settings=settings, warnings=warnings)
    return found if warnings else _without_clashes(found)


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


def _distortion(start: Motif, given: float | tuple[float, float]) -> Structural:
    value = float(start.parameters["distortion"])
    sigma = _spread(given, _DISTORTION_SIGMA, "the distortion")
    # The two ends of a threefold axis of TaCl6 are alike.
    lowest = 0.0 if start.kind == "octahedron" and len(set(start.species)) == 2 else -OFF_CENTRE
    return Structural(
        name="distortion", unit="angstrom", value=value, sigma=sigma,
        lower=max(lowest, value - _REACH * sigma), upper=min(OFF_CENTRE, value + _REACH * sigma),
        source="the project" if isinstance(given, tuple) else f"mean: the project; {_DISTORTION_SOURCE}",
    )  # fmt: skip


def _without_clashes(found: MotifHypothesis) -> MotifHypothesis:
    """Bring limits of angle and distortion to where ligands begin to clash: beyond no unit can be."""
    limited = []
    for p in found.structural:
        if p.name == "angle":
            last = _last(found, p, np.arange(p.value, p.lower - 1e-9, -1.0))
            p = replace(p, lower=max(p.lower, last - 1e-6))
        if p.name == "distortion":
            low, high = (
                _last(found, p, np.append(np.arange(p.value, end, step), end))
                for end, step in ((p.lower, -_WALK), (p.upper, _WALK))
            )
            p = replace(p, lower=max(p.lower, low - 1e-6), upper=min(p.upper, high + 1e-6))
        limited.append(p)
    return replace(found, structural=tuple(limited))


def _last(found: MotifHypothesis, moved: Structural, values: NDArray[Any]) -> float:
    """Last of the values before one at which ligands clash or distances cannot meet."""
    means = {p.name: p.value for p in found.structural}
    last = moved.value
    for value in values:
        try:
            if found.build(means | {moved.name: float(value)}).clashes:
                break
        except SimulationError:
            break
        last = float(value)
    return last


def _clashing(start: Motif) -> tuple[str, ...]:
    if not start.clashes:
        return ()
    worst = start.clashes[0]
    at = f" at {start.parameters['angle']:.1f} degrees" if "angle" in start.parameters else ""
    return (
        f"its ligands clash{at} ({worst.pair} {worst.distance:.2f} angstrom): "
        "a rigid unit of this shape cannot be",
    )
