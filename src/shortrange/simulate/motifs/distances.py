"""Distances and bridge angles of metals and ligands, with their spread and their source.

The registry is ``distances.toml`` beside this module.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from shortrange.errors import SimulationError

__all__ = ["Distance", "known_distances", "typical_angle", "typical_distance"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Distance:
    """A typical length or angle.

    Attributes
    ----------
    value, sigma
        angstrom or degrees, and the standard deviation between compounds: the prior of a fit.
    status
        ``"measured"`` or ``"simulated"``.
    source
        Who says so.
    """

    value: float
    sigma: float
    status: str
    source: str


@cache
def _registry() -> tuple[dict[tuple[str, str, str], Distance], dict[tuple[str, str, str], Distance]]:
    raw = tomllib.loads(files("shortrange.simulate.motifs").joinpath("distances.toml").read_text("utf-8"))

    def entries(table: str, names: tuple[str, str, str]) -> dict[tuple[str, str, str], Distance]:
        return {
            (str(row[names[0]]), str(row[names[1]]), str(row[names[2]])): Distance(
                value=row["value"], sigma=row["sigma"], status=row["status"], source=row["source"]
            )
            for row in raw[table]
        }

    return entries("distance", ("metal", "ligand", "role")), entries("angle", ("metal", "kind", "bridge"))


def known_distances() -> dict[tuple[str, str, str], Distance]:
    """All distances, by (metal, ligand, role)."""
    return dict(_registry()[0])


def typical_distance(metal: str, ligand: str, role: str) -> Distance:
    """Distance of a ligand from a metal, angstrom, with its spread and its source.

    Parameters
    ----------
    metal, ligand
        Elements.
    role
        Of the ligand, ``"terminal"`` or ``"bridging"``.

    Raises
    ------
    SimulationError
        If the registry has none.
    """
    found = _registry()[0].get((metal, ligand, role))
    if found is None:
        known = ", ".join(f"{m}-{x} ({r})" for m, x, r in sorted(_registry()[0]))
        raise SimulationError(
            f"no {role} {metal}-{ligand} distance is known; those known are {known}",
            where="motif",
            do=f"give it: {role}={{{ligand!r}: 2.4}}, or --{role} {ligand}=2.4",
        )
    return found


def typical_angle(metal: str, kind: str, bridge: str) -> Distance | None:
    """Angle at the (first) shared atom, or None if the registry has none."""
    return _registry()[1].get((metal, kind, bridge))
