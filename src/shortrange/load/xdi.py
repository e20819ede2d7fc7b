"""XDI 1.0 and 1.1, read strictly.

Specification: B. Ravel and M. Newville, J. Phys. Conf. Ser. 712, 012148 (2016).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from shortrange.errors import DataError
from shortrange.load.axis import Edge, split_unit
from shortrange.load.roles import Profile, choose_profile
from shortrange.load.sweep import make_scan
from shortrange.load.text import Line, Table, find_labels, read_table, read_text, where
from shortrange.quantities import Scan, Step, step

__all__ = ["read_xdi", "sniff_xdi"]

_FIRST = re.compile(r"#\s*XDI/(\d+(?:\.\d+)*)\b\s*(.*)", re.IGNORECASE)
_FIELD = re.compile(r"([A-Za-z_][A-Za-z0-9_-]*)\.([A-Za-z0-9_-]+)\s*:\s*(\S.*)")
_LOOKS_LIKE_FIELD = re.compile(r"[\w-]+([.:][\w-]+)+\s*:|[\w-]+\.[\w-]+(\s|$)|[\w-]+:[ \t]")
_UNITS = {"ev": "eV", "kev": "keV", "degrees": "degrees", "degree": "degrees", "deg": "degrees"}
_DATE = re.compile(r"\d{4}-(\d\d)-(\d\d)[T ](\d\d):(\d\d)(:\d\d(\.\d*)?)?([+-]\d\d:?\d\d|Z)?")


def sniff_xdi(head: bytes) -> bool:
    """Whether the first line names XDI."""
    return bool(_FIRST.match(head[:200].decode("latin-1").removeprefix("\xef\xbb\xbf")))


@dataclass(slots=True)
class _Header:
    fields: dict[str, str] = field(default_factory=dict)
    columns: dict[int, str] = field(default_factory=dict)
    doubts: list[Step] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)


def _parse_header(path: Path, lines: list[Line]) -> _Header:
    header = _Header()
    in_comments = ended = False
    for number, text in lines[1:]:
        if not text.startswith("#"):
            continue
        bare = text[1:].strip()
        if re.fullmatch(r"-{3,}", bare):
            ended = True
            break
        if re.match(r"/{3,}", bare):
            in_comments = True
        elif in_comments:
            header.comments.append(bare)
        elif bare:
            _parse_field(path, number, bare, header)
    if not ended:
        header.doubts.append(step("note: the header is not closed by a line '#---'"))
    return header


def _parse_field(path: Path, number: int, bare: str, header: _Header) -> None:
    found = _FIELD.fullmatch(bare)
    if not found:
        if _LOOKS_LIKE_FIELD.match(bare) and not bare.lower().startswith("note:"):
            raise DataError(
                f"{bare!r} is not a header field",
                where=where(path, number),
                do="write '# Family.key: value'; the family starts with a letter, the value is not empty",
            )
        return
    family, key, value = found.group(1), found.group(2), found.group(3).strip()
    if family.lower() == "column" and key.isdigit():
        header.columns[int(key)] = value.split("||")[0].strip()
    else:
        header.fields[f"{family}.{key}".lower()] = value


def _labels(header: _Header, table: Table) -> tuple[list[str], list[str | None]]:
    """Titles and units of the columns; a column without a title is called colN."""
    width = table.values.shape[1]
    if not header.columns:
        named = find_labels(table)
        header.doubts.append(step("warning: no Column.N fields", titles=list(named or ())))
        header.columns = dict(enumerate(named or (), start=1))
    surplus = sorted(n for n in header.columns if not 1 <= n <= width)
    missing = [n for n in range(1, width + 1) if n not in header.columns]
    if surplus or missing:
        header.doubts.append(
            step("warning: Column.N fields and table differ", surplus=surplus, missing=missing)
        )
    names, units = [], []
    for n in range(1, width + 1):
        text = header.columns.get(n, f"col{n}")
        name, *rest = text.split(maxsplit=1) if text else (f"col{n}",)
        bracketed, unit = split_unit(text)
        stated = _UNITS.get(rest[0].strip("[]()").lower()) if rest else None
        names.append(bracketed if unit else name)
        units.append(unit or stated)
    return names, units


def _d_spacing(header: _Header) -> float | None:
    text = header.fields.get("mono.d_spacing")
    if text is None:
        return None
    try:
        value = float(text.split()[0])
    except ValueError:
        value = 0.0
    if value <= 0:
        header.doubts.append(step("warning: Mono.d_spacing is not a length", value=text))
        return None
    return value


def _doubt_dates(header: _Header) -> None:
    for key in ("scan.start_time", "scan.end_time"):
        text = header.fields.get(key)
        if text is None:
            continue
        found = _DATE.fullmatch(text)
        if not found or not (1 <= int(found[1]) <= 12 and 1 <= int(found[2]) <= 31 and int(found[3]) < 25):
            header.doubts.append(step(f"note: {key} is not a date and time", value=text))


def _doubt_numbers(header: _Header) -> None:
    for key in ("sample.temperature", "facility.energy", "facility.current"):
        text = header.fields.get(key)
        if text is not None and not re.fullmatch(r"[+-]?[\d.]+([eE][+-]?\d+)?\s*[A-Za-z°]+", text):
            header.doubts.append(step(f"note: {key} is not a number with a unit", value=text))


def _edge(header: _Header) -> Edge:
    element, edge = header.fields.get("element.symbol"), header.fields.get("element.edge")
    absent = [name for name, value in (("Element.symbol", element), ("Element.edge", edge)) if value is None]
    if absent:
        header.doubts.append(step("note: the header lacks required fields", fields=absent))
    return Edge(element.capitalize() if element else None, edge.capitalize() if edge else None)


def _with_angle(profile: Profile, names: list[str], units: list[str | None]) -> tuple[list[str], str | None]:
    """Let an angle axis stand in for a missing energy."""
    lower = [name.lower() for name in names]
    for wanted in profile.energy:
        if wanted.lower() in lower:
            return names, units[lower.index(wanted.lower())]
    if "angle" in lower:
        at = lower.index("angle")
        names = [*names[:at], "energy", *names[at + 1 :]]
        return names, "degrees"
    return names, None


def read_xdi(path: Path, *, element: str | None = None, edge: str | None = None) -> tuple[Scan, ...]:
    """Read the scan of an XDI file.

    A fault of the header that leaves the numbers meaningful is kept in the history, as a note, or as a
    warning where it touches the meaning of a column.

    Raises
    ------
    DataError
        If the file is not XDI, has a malformed header field or table, or no energy.
    """
    lines = read_text(path)
    first = _FIRST.match(lines[0][1])
    if not first:
        raise DataError(
            "the first line does not name XDI",
            where=where(path, 1),
            do="begin the file with '# XDI/1.0', or name the format: format='columns'",
        )
    header = _parse_header(path, lines)
    # The lines before the first row that are not comments belong to nothing that XDI knows.
    table = read_table(path, lines=lines)
    header.doubts += [
        step("note: a line of the header has no '#'", line=n)
        for n, t in table.header
        if t.strip() and t[0] != "#"
    ]
    names, units = _labels(header, table)
    profile = choose_profile(names, "")
    names, unit = _with_angle(profile, names, units)
    stated = _edge(header)
    _doubt_dates(header)
    _doubt_numbers(header)
    metadata = dict(header.fields)
    metadata["xdi.version"] = first.group(1)
    if first.group(2).strip():
        metadata["xdi.applications"] = first.group(2).strip()
    if header.comments:
        metadata["comments"] = "\n".join(header.comments).strip()
    d_spacing = _d_spacing(header)
    scan = make_scan(
        table,
        labels=names,
        profile=profile,
        source=str(path),
        stated=stated,
        wanted=Edge(element, edge),
        unit=unit,
        d_spacing=d_spacing,
        metadata=metadata,
        history=tuple(header.doubts),
    )
    return (scan,)
