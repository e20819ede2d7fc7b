"""Athena projects: Perl (gzipped or not, of any age) and JSON; one scan for each record of mu(E)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.atoms import element_edges
from shortrange.errors import DataError
from shortrange.load.axis import Edge, increasing, resolve_edge, to_electronvolt
from shortrange.load.text import read_text, where
from shortrange.quantities import Scan, Step, step

__all__ = ["read_athena", "sniff_athena"]

Array = NDArray[Any]

_MARK = "Athena project file --"
_TOKEN = re.compile(
    r"""\s*(?:(?P<text>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")|(?P<open>[\[({])|(?P<close>[\])}])"""
    r"""|(?P<comma>,|=>)|(?P<bare>[^\s,()\[\]{}'"=]+))""",
    re.DOTALL,
)
_ASSIGNED = re.compile(r"\s*[$@%](\w+)\s*=\s*(.*)", re.DOTALL)
_HEX = re.compile(r"\\x\{([0-9a-fA-F]+)\}")
_ARRAYS = ("x", "y", "i0", "signal", "stddev")


def sniff_athena(head: bytes) -> bool:
    """Whether the first lines name an Athena project."""
    return _MARK.encode() in head[:600]


def read_athena(path: Path, *, element: str | None = None, edge: str | None = None) -> tuple[Scan, ...]:
    """Read every record of mu(E) of a project; those of chi(k) are left out, with a warning.

    The energy shift that Athena keeps beside the data is applied, as Athena does. Columns: ``mu``, and
    ``i0`` and ``stddev`` where they are as long as the data. The parameters of the record are metadata, as
    ``athena.bkg_e0`` and so on.

    Raises
    ------
    DataError
        If the file is no project, is damaged, or holds no mu(E).
    """
    text = "\n".join(line for _, line in read_text(path))
    if _MARK not in text[:600]:
        raise DataError(
            "this is no Athena project", where=str(path), do="name the format, or export it from Athena again"
        )
    parse = _json_records if text.lstrip().startswith("{") else _perl_records
    records = parse(text, path)
    left_out = [_label(record) for record in records if not _is_mu(record)]
    kept = [record for record in records if _is_mu(record)]
    if not kept:
        raise DataError(
            f"the project holds no mu(E); {len(records)} other records",
            where=str(path),
            do="give a project with absorption spectra",
        )
    note = (step("warning: records that are not mu(E) left out", records=left_out),) if left_out else ()
    return tuple(_scan(record, path, Edge(element, edge), note) for record in kept)


def _json_records(text: str, path: Path) -> list[dict[str, Any]]:
    try:
        raw = json.loads(text)
        order = raw.get("_____order") or [name for name in raw if not name.startswith("_____")]
        return [{**raw[name], "name": name} for name in order]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(
            f"the project is damaged: {error}", where=str(path), do="export it from Athena again"
        ) from error


def _perl_records(text: str, path: Path) -> list[dict[str, Any]]:
    records: list[dict[str, Any]] = []
    record: dict[str, Any] = {}
    for number, line in _statements(text):
        if line.startswith("[record]"):
            records.append(record)
            record = {}
            continue
        found = _ASSIGNED.match(line)
        if not found or found.group(1) not in ("old_group", "args", *_ARRAYS):
            continue
        name, value = found.group(1), _perl_value(found.group(2), path, number)
        if name == "old_group":
            record["name"] = value
        elif name == "args":
            record["args"] = dict(zip(value[0::2], value[1::2], strict=False))
        else:
            record[name] = value
    if record.get("x"):
        raise DataError(
            "the last record is not closed by [record]",
            where=str(path),
            do="the file was cut: copy it from its source again",
        )
    return records


def _statements(text: str) -> list[tuple[int, str]]:
    """Lines that begin a statement, with those that continue them."""
    out: list[tuple[int, str]] = []
    for number, line in enumerate(text.split("\n"), start=1):
        if re.match(r"[$@%]\w+\s*=|\[record\]|1;|#", line) or not out:
            out.append((number, line))
        elif line.strip():
            out[-1] = (out[-1][0], out[-1][1] + "\n" + line)
    return [(number, line) for number, line in out if not line.startswith("#")]


def _perl_value(text: str, path: Path, number: int) -> Any:
    """Text, or nested lists: numbers stay text, undef becomes empty."""
    stack: list[list[Any]] = [[]]
    place = 0
    while place < len(text):
        found = _TOKEN.match(text, place)
        if found is None or found.end() == place:
            if text[place:].strip():
                raise DataError(
                    f"cannot read {text[place : place + 20]!r}",
                    where=where(path, number),
                    do="the project is damaged: export it from Athena again",
                )
            break
        place = found.end()
        if found["open"]:
            stack.append([])
        elif found["close"]:
            if len(stack) < 2:
                break
            inner = stack.pop()
            stack[-1].append(inner)
        elif found["text"] is not None:
            stack[-1].append(_unquoted(found["text"]))
        elif found["bare"] and found["bare"].rstrip(";"):
            bare = found["bare"].rstrip(";")
            stack[-1].append("" if bare == "undef" else bare)
    if len(stack) != 1 or not stack[0]:
        raise DataError(
            "a list is not closed", where=where(path, number), do="the file was cut: copy it again"
        )
    return stack[0][0]


def _unquoted(text: str) -> str:
    bare = re.sub(r"\\(['\"\\])", r"\1", text[1:-1])
    return _HEX.sub(lambda found: chr(int(found.group(1), 16)), bare)


def _label(record: Mapping[str, Any]) -> str:
    return str(record.get("args", {}).get("label") or record.get("name", "?")).strip()


def _is_mu(record: Mapping[str, Any]) -> bool:
    args = record.get("args", {})
    kinds = {str(args.get(name, "0")) for name in ("is_chi", "is_rsp", "is_qsp", "is_pixel", "not_data")}
    return kinds <= {"0", ""} and "chi" not in str(args.get("recordtype", "mu(E)"))


def _floats(record: Mapping[str, Any], name: str, source: str) -> Array:
    values = record.get(name, [])
    try:
        return np.array([float(v) for v in values])
    except (TypeError, ValueError) as error:
        raise DataError(
            f"the array {name!r} holds something that is no number: {error}",
            where=source,
            do="repair or delete the record",
        ) from error


def _scan(record: Mapping[str, Any], path: Path, wanted: Edge, note: tuple[Step, ...]) -> Scan:
    label = _label(record)
    source = f"{path}, record {label!r}"
    args = {str(name): value for name, value in record.get("args", {}).items()}
    energy, mu = _floats(record, "x", source), _floats(record, "y", source)
    if energy.size < 5 or mu.size != energy.size or not (np.isfinite(energy).all() and np.isfinite(mu).all()):
        raise DataError(
            f"the record has {energy.size} energies and {mu.size} values, or some are not finite",
            where=source,
            do="repair or delete the record",
        )
    edge, doubts = resolve_edge(_stated(args, energy), wanted, source)
    shifted = energy + _shift(args, source)
    history = [*note, step("load scan", file=str(path), record=label, columns={"energy": "x", "mu": "y"})]
    if np.any(shifted != energy):
        history.append(step("apply the energy shift of the project", eV=float(shifted[0] - energy[0])))
    values, converted = to_electronvolt(
        shifted, unit=None, edge=edge, demanded=wanted.element is not None, place=source
    )
    order, ordered = increasing(values, np.arange(1, energy.size + 1), source)
    columns = {"mu": mu[order]}
    for name in ("i0", "stddev"):
        extra = _floats(record, name, source)
        if extra.size == energy.size:
            columns[name] = extra[order]
        elif extra.size:
            history.append(step(f"note: {name} left out, of another length", points=int(extra.size)))
    return Scan(
        energy=values[order],
        columns=columns,
        element=edge.element,
        edge=edge.edge,
        source=source,
        label=label,
        metadata={f"athena.{name}": str(value) for name, value in args.items() if value not in ("", None)},
        history=(*history, *doubts, *converted, *ordered),
    )


def _stated(args: Mapping[str, Any], energy: Array) -> Edge:
    """Element and edge that Athena thinks these are; hydrogen means that it does not know."""
    element = str(args.get("bkg_z", "")).strip().capitalize()
    if element in ("", "H", "0"):
        return Edge()
    edge = str(args.get("fft_edge", "")).strip().capitalize()
    try:
        lies_in = energy.min() <= element_edges(element)[edge] <= energy.max()
    except (DataError, KeyError):
        return Edge(element, edge or None)
    # Athena writes "k" where nobody chose an edge.
    return Edge(element, edge if lies_in else None)


def _shift(args: Mapping[str, Any], source: str) -> float:
    text = args.get("bkg_eshift") or 0.0
    try:
        return float(text)
    except (TypeError, ValueError):
        raise DataError(
            f"the energy shift {text!r} is no number", where=source, do="correct it in Athena"
        ) from None
