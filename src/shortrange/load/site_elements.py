"""Elements of the sites of a CIF, which mineralogists name after the molecule that an atom belongs to."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from shortrange.load.frames import check_species
from shortrange.quantities import Step, step

__all__ = ["site_elements"]

_TAKEN_AS = {"Ow": "O", "Oh": "O", "D": "H"}
"""Oxygen of water and of hydroxide, as AMCSD labels them, and deuterium, whose electrons are those of H."""


def site_elements(names: Iterable[str], path: Path) -> tuple[tuple[str, ...], tuple[Step, ...]]:
    """Return the element of each site, and a step that says which names were taken for another element.

    Parameters
    ----------
    names
        Type symbols, or labels where the file gives none: ``"Ta5+"``, ``"O1"``, ``"OW"``.
    path
        The file, for an error.

    Raises
    ------
    DataError
        If a name is neither an element nor one of those taken for one.
    """
    found = [re.sub(r"[^A-Za-z].*", "", name).capitalize() for name in names]
    taken = {name: _TAKEN_AS[name] for name in dict.fromkeys(found) if name in _TAKEN_AS}
    species = tuple(taken.get(name, name) for name in found)
    check_species(species, path)
    return species, (step("take site names as elements", **taken),) if taken else ()
