"""Energies of standards, each with its source: what to calibrate with, and where sources disagree.

The registry is ``references.toml`` beside this module. A TOML file of that form, or a folder of them, adds
entries of your own: name it by the environment variable `PRIVATE`.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from shortrange.errors import DataError, did_you_mean

__all__ = [
    "FEATURES",
    "PRIVATE",
    "STATUSES",
    "CrystalData",
    "Reference",
    "crystals",
    "find",
    "read_registry",
]

PRIVATE = "SHORTRANGE_REFERENCES"
"""Environment variable that names a private registry: a TOML file, or a folder of them."""

FEATURES = ("white line", "first maximum", "first inflection", "tabulated edge")
STATUSES = ("measured", "primary", "quoted", "tabulated", "untraced")
_NEEDED = ("key", "element", "edge", "compound", "feature", "energy", "definition", "status", "source")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """What one source says about the energy of one feature of one standard.

    Attributes
    ----------
    key
        Unique name.
    element, edge
        Such as S and K.
    compound
        Formula; a metal stands for its foil.
    feature
        One of `FEATURES`.
    energy
        eV.
    definition
        How the feature is read from a spectrum.
    status
        ``"measured"``: read from a spectrum that can be had, on its own axis. ``"primary"``: read in the
        source. ``"quoted"``: read in a text that quotes the source. ``"tabulated"``: an atomic level, no
        feature of a spectrum. ``"untraced"``: in common use, but no source that states it was seen.
    source
        Who says so.
    uncertainty
        eV, of that statement on its own axis; None where the source states none.
    names
        Other names of the compound.
    doi, url
        Of the source; empty if there is none.
    spectrum
        File in ``reference_spectra/`` that it was read from; empty if none is shipped.
    note
        Disagreements and doubts.
    standard
        Name under which `shortrange.reduce.calibrate` uses the entry; empty where it is not meant for that.
        Entries of your own go by this name or, without it, by their compound.
    own
        Whether it comes from a private registry.
    """

    key: str
    element: str
    edge: str
    compound: str
    feature: str
    energy: float
    definition: str
    status: str
    source: str
    uncertainty: float | None = None
    names: tuple[str, ...] = ()
    doi: str = ""
    url: str = ""
    spectrum: str = ""
    note: str = ""
    standard: str = ""
    own: bool = False

    def citation(self) -> str:
        """Source and DOI in one line."""
        return f"{self.source}, doi:{self.doi}" if self.doi else self.source


@dataclass(frozen=True, slots=True, kw_only=True)
class CrystalData:
    """Cell of a standard, and who determined it.

    Attributes
    ----------
    compound, names
        Formula, and other names.
    space_group
        Hermann-Mauguin symbol.
    cell
        a, b, c in angstrom, alpha, beta, gamma in degrees.
    source
        Authors, journal, volume, pages, year.
    amcsd
        Number of the record in the American Mineralogist Crystal Structure Database.
    file
        CIF in ``reference_spectra/``.
    """

    compound: str
    names: tuple[str, ...]
    space_group: str
    cell: tuple[float, float, float, float, float, float]
    source: str
    amcsd: int
    file: str


def crystals(compound: str | None = None) -> tuple[CrystalData, ...]:
    """Crystal data of standards.

    Parameters
    ----------
    compound
        Formula or other name, in any case; None takes all.

    Returns
    -------
    tuple of CrystalData
        Empty if there is none of this name.
    """
    text = files("shortrange").joinpath("crystals.toml").read_text(encoding="utf-8")
    known = [
        CrystalData(**{**each, "names": tuple(each["names"]), "cell": tuple(each["cell"])})
        for each in tomllib.loads(text)["crystal"]
    ]
    wanted = None if compound is None else _plain(compound)
    return tuple(
        each
        for each in known
        if wanted is None or wanted in {_plain(each.compound), *map(_plain, each.names)}
    )


def find(
    *, element: str | None = None, edge: str | None = None, compound: str | None = None
) -> tuple[Reference, ...]:
    """Find what is known of a standard, in the order of the registry; your own entries first.

    Parameters
    ----------
    element, edge
        Such as ``"S"`` and ``"K"``; None takes any.
    compound
        Formula or other name (``"ZnSO4.7H2O"``, ``"ZnSO4·7H2O"``, ``"gypsum"``, ``"foil"``), in any case;
        None takes any.

    Returns
    -------
    tuple of Reference
        Empty if the registry has none.

    Raises
    ------
    DataError
        If a registry cannot be read, or it knows no such element at all.
    """
    known = _all(os.environ.get(PRIVATE, ""))
    elements = {each.element for each in known}
    if element is not None and element.capitalize() not in elements:
        raise DataError(
            f"there is no reference for the element {element!r}",
            where="references.find",
            do=f"{did_you_mean(element.capitalize(), elements)} or add your own, see {PRIVATE}",
        )
    wanted = None if compound is None else _plain(compound)
    return tuple(
        each
        for each in known
        if (element is None or each.element == element.capitalize())
        and (edge is None or each.edge == edge.upper())
        and (wanted is None or wanted in {_plain(each.compound), *map(_plain, each.names)})
    )


def read_registry(path: str | Path) -> tuple[Reference, ...]:
    """Read a registry of your own, a TOML file or a folder of them.

    Raises
    ------
    DataError
        If there is no such file, or an entry is not complete or not believable.
    """
    path = Path(path)
    paths = sorted(path.glob("*.toml")) if path.is_dir() else [path]
    if not paths:
        raise DataError("the folder holds no registry", where=str(path), do="put a .toml file into it")
    found: list[Reference] = []
    for file in paths:
        try:
            text = file.read_text(encoding="utf-8")
        except OSError as error:
            raise DataError(
                f"the registry cannot be read: {error.strerror}", where=str(file), do=f"look at {PRIVATE}"
            ) from error
        found += [replace(each, own=True) for each in _parse(text, where=str(file))]
    return _unique(found, where=str(path))


@cache
def _all(private: str) -> tuple[Reference, ...]:
    shipped = files("shortrange").joinpath("references.toml")
    own = read_registry(private) if private else ()
    return _unique(
        (*own, *_parse(shipped.read_text(encoding="utf-8"), where="references.toml")), where=private
    )


def _parse(text: str, *, where: str) -> list[Reference]:
    try:
        content = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DataError(f"this is no TOML: {error}", where=where, do="mend that line") from error
    entries = content.get("reference", [])
    if not isinstance(entries, list) or not entries or set(content) != {"reference"}:
        raise DataError(
            f"a registry holds [[reference]] tables, this file {sorted(content)}",
            where=where,
            do="begin each entry with [[reference]]",
        )
    return [_entry(each, where=f"{where}, entry {n}") for n, each in enumerate(entries, 1)]


def _entry(entry: Mapping[str, Any], *, where: str) -> Reference:
    where = f"{where} ({entry.get('key', 'without a key')})"
    known = [each.name for each in fields(Reference) if each.name != "own"]
    for name in entry:
        if name not in known:
            raise DataError(f"unknown field {name!r}", where=where, do=did_you_mean(name, known))
    missing = [name for name in _NEEDED if name not in entry]
    if missing:
        raise DataError(f"the entry lacks {missing}", where=where, do="give them all")
    _check(entry, where)
    own = {**entry, "energy": float(entry["energy"]), "names": tuple(entry.get("names", ()))}
    return Reference(**own)


def _check(entry: Mapping[str, Any], where: str) -> None:
    for name, choices in (("feature", FEATURES), ("status", STATUSES)):
        if entry[name] not in choices:
            raise DataError(
                f"{name} = {entry[name]!r}", where=where, do=did_you_mean(str(entry[name]), choices)
            )
    for name in ("energy", "uncertainty"):
        value = entry.get(name, 1.0)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 2e5:
            raise DataError(f"{name} = {value!r}", where=where, do="give a number of eV")
    if not isinstance(entry.get("names", []), list):
        raise DataError(f"names = {entry['names']!r}", where=where, do='write names = ["gypsum"]')
    for name in _NEEDED:
        if name != "energy" and not (isinstance(entry[name], str) and entry[name]):
            raise DataError(f"{name} = {entry[name]!r}", where=where, do="give a text")


def _unique(entries: Iterable[Reference], *, where: str) -> tuple[Reference, ...]:
    seen: dict[str, Reference] = {}
    for each in entries:
        if each.key in seen:
            raise DataError(f"two entries have the key {each.key!r}", where=where, do="rename one of them")
        seen[each.key] = each
    return tuple(seen.values())


def _plain(name: str) -> str:
    """Compare names without case, spaces and the dots of hydrates."""
    return "".join(letter for letter in name.lower() if letter.isalnum())
