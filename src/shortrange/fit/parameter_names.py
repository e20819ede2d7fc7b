"""What a user calls parameters of phases, and which of all parameters a name reaches."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from shortrange.errors import ProjectError, did_you_mean
from shortrange.simulate.crystal_gr import CrystalPdf

__all__ = ["INSTRUMENT", "Resolver", "fault"]

INSTRUMENT = ("q_damp", "q_broad")
_OF_CRYSTALS = re.compile(
    r"(a|b|c|alpha|beta|gamma|positions|occupancies|u_sites|u_aniso|diameter|inner_diameter|thickness)$"
    r"|[xyz]_|u\d\d_|occ_"
)


class Resolver:
    """From what a user calls parameters to places among all of them.

    Parameters
    ----------
    phases
        By name.
    names
        Of all parameters, each ``"PHASE.parameter"``.
    """

    def __init__(self, phases: dict[str, CrystalPdf], names: Sequence[str]) -> None:
        self.phases = phases
        self.names = list(names)

    def groups(self, wished: Iterable[str]) -> dict[str, list[int]]:
        """Free parameters by full name; one that is named twice, or overlaps another, is a fault."""
        groups: dict[str, list[int]] = {}
        taken: dict[int, str] = {}
        for name in wished:
            for full, places in self._expand(name):
                for place in places:
                    if place in taken:
                        raise fault(
                            f"{full!r} is free twice: as {taken[place]!r} and as {name!r}", "name it once"
                        )
                    taken[place] = name
                groups[full] = places
        if not groups:
            raise fault("no parameter is free", 'name some: free = ["scale", "cell", "u_iso"]')
        return groups

    def places(self, name: str) -> list[int]:
        """All places that a name reaches."""
        return [place for _, places in self._expand(name) for place in places]

    def _expand(self, name: str) -> list[tuple[str, list[int]]]:
        if name in INSTRUMENT:
            return [(name, [self.names.index(f"{phase}.{name}") for phase in self.phases])]
        phase, dot, own = name.rpartition(".")
        if dot and phase in self.phases:
            found = self._of_phase(phase, own)
            if not found:
                raise fault(
                    f"phase {phase!r} has no parameter {own!r}",
                    self._of_molecules(own, phase) or did_you_mean(own, self._own(phase)),
                )
            return found
        if name in self.phases:
            raise fault(f"{name!r} is a phase, not a parameter", f"name one, such as {name + '.scale'!r}")
        found = [pair for each in self.phases for pair in self._of_phase(each, name)]
        if not found:
            known = {own for each in self.phases for own in self._own(each)} | set(INSTRUMENT)
            known |= {f"{each}.{own}" for each in self.phases for own in self._own(each)}
            advice = self._of_molecules(name, *self.phases) or did_you_mean(name, known)
            raise fault(f"unknown parameter {name!r}", advice)
        return found

    def _of_molecules(self, own: str, *phases: str) -> str:
        """Say what molecules have, where a name means what only crystals have."""
        if any(self.phases[name].crystal.periodic for name in phases) or not _OF_CRYSTALS.match(own):
            return ""
        return f"a molecule has no cell, size or free sites; choose from {self._own(phases[0])}"

    def _own(self, phase: str) -> list[str]:
        model = self.phases[phase]
        more = (
            ()
            if model.sites is not None or not model.crystal.periodic
            else ("positions", "occupancies", "u_sites", "u_aniso")
        )
        return ["scale", *model.groups, *more, *(n for n in model.names if n not in INSTRUMENT)]

    def _of_phase(self, phase: str, own: str) -> list[tuple[str, list[int]]]:
        model = self.phases[phase]

        def at(name: str) -> int:
            return self.names.index(f"{phase}.{name}")

        if own in model.groups:
            return [
                (f"{phase}.{name}", [at(member) for member in members])
                for name, members in model.groups[own].items()
            ]
        if own not in INSTRUMENT and own in ("scale", *model.names):
            return [(f"{phase}.{own}", [at(own)])]
        return []


def fault(what: str, do: str) -> ProjectError:
    """Return the error of a name or a value that cannot be."""
    return ProjectError(what, where="parameters of the refinement", do=do)
