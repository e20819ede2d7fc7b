"""What a user asks of a refinement, by the names of parameters."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from shortrange.crystal import Crystal

__all__ = ["Wishes", "wants_sites", "wants_tensors"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What a user asks of a refinement, by name.

    Attributes
    ----------
    free
        ``"scale"`` (of every phase), ``"Ni.u_iso"`` (of one), ``"cell"`` (all lattice parameters of the
        crystal system), ``"u_iso_Ni"`` (of one element), ``"q_damp"``; ``"positions"`` (all coordinates that
        symmetry leaves free), ``"x_O1"`` (of one site), ``"u_sites"``, ``"u_iso_O1"``, ``"u_aniso"``,
        ``"u11_O1"``, ``"occupancies"``, ``"occ_O1"``.
    values
        Starts of free parameters, and values of fixed ones.
    ties
        ``{"NiO.u_iso": "Ni.u_iso"}``: the first always equals the second.
    bounds, priors
        (lower, upper), and (mean, standard deviation).
    """

    free: tuple[str, ...] = ("scale", "cell", "u_iso")
    values: Mapping[str, float] | None = None
    ties: Mapping[str, str] | None = None
    bounds: Mapping[str, tuple[float, float]] | None = None
    priors: Mapping[str, tuple[float, float]] | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Every name that is wished for something."""
        ties = self.ties or {}
        tables = (self.values, self.bounds, self.priors, ties)
        return (*self.free, *(name for table in tables for name in table or {}), *ties.values())


def wants_sites(names: Iterable[str], phase: str, crystal: Crystal) -> bool:
    """Whether some name means a parameter of single sites of a phase."""
    for own in _own_names(names, phase):
        label = own.removeprefix("u_iso_")
        if label != own and label not in crystal.species and label in (crystal.labels or own):
            return True
        if re.match(r"(positions|occupancies|u_sites|u_aniso)$|[xyz]_|u\d\d_|occ_", own):
            return True
    return False


def wants_tensors(names: Iterable[str], phase: str) -> bool:
    """Whether some name means a component of a displacement tensor of a phase."""
    return any(re.match(r"u_aniso$|u\d\d_", own) for own in _own_names(names, phase))


def _own_names(names: Iterable[str], phase: str) -> list[str]:
    """Say what is named of a phase, by its name or of all phases."""
    own = [name.removeprefix(f"{phase}.") for name in names]
    return [name for name in own if "." not in name]
