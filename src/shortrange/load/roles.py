"""Which column is what: beamline profiles, kept as data so that a user adds one without code."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.errors import DataError, did_you_mean

__all__ = ["PROFILE_FOLDER", "ROLES", "Channel", "Profile", "assign", "choose_profile", "profiles", "summed"]

Array = NDArray[Any]

ROLES = ("i0", "it", "ir", "if", "tey", "mu", "mu_ref")
"""Roles of the columns of a `Scan`."""

PROFILE_FOLDER = "SHORTRANGE_PROFILES"
"""Environment variable that names a folder of further profiles (TOML)."""

_UNITS = ("eV", "keV", "degrees")

DEAD_TIME = ("factor", "fraction", "percent", "input", "output")
"""What a column may say about the dead time of a channel."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """How one beamline, or one program, names its columns.

    Attributes
    ----------
    name
        Of the beamline.
    columns
        Titles that must all be present to recognise it (case does not matter).
    header
        Regular expression that must occur above the numbers, or empty.
    energy
        Titles of the energy column, the preferred one first.
    unit
        ``"eV"``, ``"keV"``, ``"degrees"`` (the Bragg angle), or None if the file or the edge must tell.
    roles
        Role to titles, the preferred one first.
    sums
        Role to regular expressions of the titles of its channels, which are added up where no title of the
        role itself is there. Channels whose titles differ in more than numbers are of different lines.
    dead_time
        For ``sums``: title of the factor that corrects a channel (``factor``), of its dead fraction
        (``fraction``, or ``percent``), or of the rate at its input and its output (``input`` and ``output``),
        with ``{n}`` for the last number in the title of the channel, ``{title}`` for that title.
    edge
        Regular expression for the header with two groups, element and edge; or empty.
    source
        File of the profile.
    """

    name: str
    columns: tuple[str, ...]
    header: str
    energy: tuple[str, ...]
    unit: str | None
    roles: Mapping[str, tuple[str, ...]]
    sums: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    dead_time: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    edge: str = ""
    source: str = ""

    def fits(self, labels: Sequence[str], header: str) -> bool:
        """Whether a file with these column titles and this header comes from here."""
        if not self.columns and not self.header:
            return False
        known = {label.lower() for label in labels}
        return all(name.lower() in known for name in self.columns) and bool(
            re.search(self.header, header, re.IGNORECASE)
        )


def _names(value: Any) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def parse_profile(text: str, *, source: str) -> Profile:
    """Read one profile.

    Raises
    ------
    DataError
        If it is not TOML or has an unknown key, role or unit.
    """
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DataError(f"not valid TOML: {error}", where=source, do="correct the profile") from error
    _only(raw, ("name", "recognise", "energy", "roles", "sums", "dead_time"), source)
    recognise, energy, roles = raw.get("recognise", {}), raw.get("energy", {}), raw.get("roles", {})
    _only(recognise, ("columns", "header", "edge"), f"{source}, [recognise]")
    _only(energy, ("column", "unit"), f"{source}, [energy]")
    sums, dead_time = raw.get("sums", {}), raw.get("dead_time", {})
    _only(roles, ROLES, f"{source}, [roles]")
    _only(sums, ROLES, f"{source}, [sums]")
    _only(dead_time, DEAD_TIME, f"{source}, [dead_time]")
    unit = energy.get("unit")
    if unit is not None and unit not in _UNITS:
        raise DataError(f"unknown unit {unit!r}", where=f"{source}, [energy]", do=did_you_mean(unit, _UNITS))
    return Profile(
        name=raw.get("name", Path(source).stem),
        columns=_names(recognise.get("columns", ())),
        header=recognise.get("header", ""),
        energy=_names(energy.get("column", ())),
        unit=unit,
        roles={role: _names(names) for role, names in roles.items()},
        sums={role: _names(names) for role, names in sums.items()},
        edge=recognise.get("edge", ""),
        dead_time={kind: _names(names) for kind, names in dead_time.items()},
        source=source,
    )


def _only(table: Mapping[str, Any], known: Sequence[str], place: str) -> None:
    for key in table:
        if key not in known:
            raise DataError(
                f"unknown key {key!r} in a beamline profile", where=place, do=did_you_mean(key, known)
            )


@cache
def _read_folder(folder: str | None) -> tuple[Profile, ...]:
    if folder is None:
        inside = files("shortrange.load") / "profiles"
        return tuple(
            parse_profile(item.read_text("utf-8"), source=item.name)
            for item in sorted(inside.iterdir(), key=lambda item: item.name)
            if item.name.endswith(".toml")
        )
    if not Path(folder).is_dir():
        raise DataError(
            f"{PROFILE_FOLDER} names no folder",
            where=folder,
            do="set it to a folder of TOML profiles, or unset it",
        )
    return tuple(
        parse_profile(path.read_text("utf-8"), source=str(path))
        for path in sorted(Path(folder).glob("*.toml"))
    )


def profiles() -> tuple[Profile, ...]:
    """All profiles: the user's own first, then those of the package, the generic one last."""
    folder = os.environ.get(PROFILE_FOLDER)
    own = _read_folder(folder) if folder else ()
    shipped = _read_folder(None)
    return (*own, *(p for p in shipped if p.name != "generic"), *(p for p in shipped if p.name == "generic"))


def choose_profile(labels: Sequence[str], header: str) -> Profile:
    """Take the first profile that recognises a file, else the generic one."""
    known = profiles()
    return next((profile for profile in known if profile.fits(labels, header)), known[-1])


def assign(labels: Sequence[str], profile: Profile) -> tuple[int | None, dict[str, int]]:
    """Columns by role.

    Returns
    -------
    energy
        Index of the energy column, or None if there is none.
    roles
        Role to index.
    """
    place = {label.lower(): index for index, label in reversed(list(enumerate(labels)))}

    def first(names: Sequence[str]) -> int | None:
        return next((place[name.lower()] for name in names if name.lower() in place), None)

    found = {role: first(names) for role, names in profile.roles.items()}
    return first(profile.energy), {role: index for role, index in found.items() if index is not None}


@dataclass(frozen=True, slots=True)
class Channel:
    """One of several channels of a role: its column, and those that say its dead time, by `DEAD_TIME`."""

    index: int
    dead_time: Mapping[str, int] = field(default_factory=dict)

    def live(self, values: Array) -> Array | None:
        """Part of the time that the channel could count, shape (n,); None if nothing tells."""
        given = {kind: values[:, index] for kind, index in self.dead_time.items()}
        if "factor" in given:
            return 1.0 / np.where(given["factor"] == 0.0, np.nan, given["factor"])
        if "fraction" in given:
            return 1.0 - given["fraction"]
        if "percent" in given:
            return 1.0 - given["percent"] / 100.0
        if "input" in given and "output" in given:
            # Without counts nothing is lost.
            counted = given["input"] > 0
            safe = np.where(counted, given["input"], 1.0)
            return np.asarray(np.where(counted, given["output"] / safe, 1.0))
        return None


def summed(labels: Sequence[str], profile: Profile, role: str, *, element: str | None) -> list[Channel]:
    """Channels to be added up for a role; none if they are of several lines and nothing tells which."""
    place = {label.lower(): index for index, label in reversed(list(enumerate(labels)))}
    groups: dict[str, list[Channel]] = {}
    for index, label in enumerate(labels):
        if not any(re.fullmatch(pattern, label, re.IGNORECASE) for pattern in profile.sums.get(role, ())):
            continue
        numbers = re.findall(r"\d+", label)
        names = {"n": numbers[-1] if numbers else "", "title": label}
        dead_time = {
            kind: place[title.format(**names).lower()]
            for kind, titles in profile.dead_time.items()
            for title in titles
            if title.format(**names).lower() in place
        }
        groups.setdefault(re.sub(r"\d+", "#", label), []).append(Channel(index, dead_time))
    if len(groups) > 1 and element is not None:
        of_element = [n for n in groups if re.search(rf"(^|[^a-zA-Z]){element}([^a-z]|$)", n)]
        groups = {n: groups[n] for n in of_element}
    return next(iter(groups.values())) if len(groups) == 1 else []
