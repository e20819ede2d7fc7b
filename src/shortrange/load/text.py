"""Text files into tables of numbers, or a message that names file, line and column."""

from __future__ import annotations

import codecs
import gzip
import re
import zlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.errors import DataError
from shortrange.quantities import Step, step

__all__ = [
    "FLOAT",
    "Line",
    "Table",
    "check_increasing",
    "errors_of",
    "find_labels",
    "header_number",
    "is_gzip",
    "read_bytes",
    "read_head",
    "read_table",
    "read_text",
    "split_labels",
    "where",
]

Array = NDArray[Any]
Line = tuple[int, str]
"""Number of a line in its file, counted from one, and its text."""

COMMENTS = "#%!;"
HEAD = 4096
FLOAT = r"([-+]?\d*\.?\d+(?:[eE][-+]?\d+)?)"
"""Regular expression of one number in a header."""
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eEdD][+-]?\d+)?")
_NOT_FINITE = re.compile(r"[+-]?(nan|inf|infinity)", re.IGNORECASE)
_COMMA_DECIMAL = re.compile(r"[+-]?\d+,\d+([eEdD][+-]?\d+)?")
_FORTRAN = re.compile(r"(?<=[\d.])[dD](?=[+-]?\d)")


def where(path: Path, line: int | None = None, column: int | str | None = None, *, scan: str = "") -> str:
    """Return a place for a message: file, scan, line, column."""
    parts = [str(path)]
    if scan:
        parts.append(scan)
    if line is not None:
        parts.append(f"line {line}")
    if column is not None:
        parts.append(f"column {column}")
    return ", ".join(parts)


def _check_path(path: Path) -> None:
    if path.is_dir():
        raise DataError("this is a folder, not a file", where=str(path), do="name a file in it")
    if not path.exists():
        raise DataError("there is no such file", where=str(path), do="check the name and the folder")
    if path.stat().st_size == 0:
        raise DataError("the file is empty", where=str(path), do="copy it from the beamline again")


def is_gzip(path: Path) -> bool:
    """Whether a file is compressed, by its first two bytes."""
    with path.open("rb") as file:
        return file.read(2) == b"\x1f\x8b"


def read_bytes(path: Path, size: int = -1) -> bytes:
    """Content of a file, gunzipped if need be; at most ``size`` bytes unless negative. UTF-16 becomes UTF-8.

    Raises
    ------
    DataError
        If the file is missing, a folder, empty, unreadable, or a damaged gzip archive.
    """
    _check_path(path)
    try:
        with gzip.open(path, "rb") if is_gzip(path) else path.open("rb") as file:
            return _as_utf8(bytes(file.read(size)))
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(
            f"the compressed file is damaged: {error}", where=str(path), do="copy it from its source again"
        ) from error
    except OSError as error:
        raise DataError(
            f"the file cannot be read: {error.strerror or error}", where=str(path), do="check its permissions"
        ) from error


def _as_utf8(raw: bytes) -> bytes:
    """Text that table programs of Windows write as "Unicode": UTF-16, by its mark."""
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return raw.decode("utf-16", errors="ignore").encode()
    return raw


def read_head(path: Path) -> bytes:
    """First 4 kB of a file, for recognition."""
    return read_bytes(path, HEAD)


def read_text(path: Path) -> list[Line]:
    """Lines of a text file with their numbers; UTF-8 or UTF-16, else Latin-1.

    Raises
    ------
    DataError
        As `read_bytes`, or if the file is binary.
    """
    raw = read_bytes(path)
    head = raw[:HEAD]
    control = sum(byte < 32 and byte not in b"\t\n\r\f\v\x1a\x1b" for byte in head)
    if b"\0" in head or control > 0.05 * len(head):
        raise DataError(
            "the file is binary, not text", where=str(path), do="name a text file, or convert this one"
        )
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    text = text.replace("\r\n", "\n").replace("\r", "\n").rstrip("\x1a\n")
    return list(enumerate(text.split("\n"), start=1))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Table:
    """Numbers of a text file and what stands above them.

    Attributes
    ----------
    path
        The file.
    header
        Lines above the first row of numbers, comment characters included.
    values
        Shape (rows, columns).
    lines
        Line of each row in the file, shape (rows,).
    history
        How the text was understood where that was not plain.
    """

    path: Path
    header: tuple[Line, ...]
    values: Array
    lines: NDArray[np.int64]
    history: tuple[Step, ...] = ()


def _tokens(line: str) -> list[str]:
    text = line.strip().rstrip(",;").rstrip()
    if ";" in text:
        return [token.strip() for token in text.split(";")]
    if "," not in text:
        return text.split()
    by_space = text.split()
    if len(by_space) > 1 and any(_COMMA_DECIMAL.fullmatch(token) for token in by_space):
        return by_space
    return [token.strip() for token in text.split(",")]


def _numeric(token: str) -> bool:
    return bool(_NUMBER.fullmatch(token) or _NOT_FINITE.fullmatch(token) or _COMMA_DECIMAL.fullmatch(token))


def _is_comment(text: str) -> bool:
    bare = text.lstrip()
    return not bare or bare[0] in COMMENTS


def _first_row(lines: list[Line]) -> int | None:
    for index, (_, text) in enumerate(lines):
        if _is_comment(text):
            continue
        tokens = _tokens(text)
        if len(tokens) > 1 and all(map(_numeric, tokens)):
            return index
    return None


def _check_line_above(path: Path, lines: list[Line], first: int) -> None:
    """Refuse to take a damaged first row of numbers for a title."""
    if first == 0 or _is_comment(lines[first - 1][1]):
        return
    number, text = lines[first - 1]
    above = _tokens(text)
    if _numeric(above[0]) and len(above) == len(_tokens(lines[first][1])):
        _complain(path, number, above, len(above))


def read_table(
    path: Path, *, lines: list[Line] | None = None, scan: str = "", skip_comments: bool = True
) -> Table:
    """Parse the one table of numbers in a text file.

    Titles stand above the first row whose every word is a number; below it only numbers, comments and
    blank lines are allowed.

    Parameters
    ----------
    path
        The file, for messages, and to read if ``lines`` is not given.
    lines
        Part of the file to parse.
    scan
        Name of that part, for messages.
    skip_comments
        Whether comment lines may stand among the numbers.

    Raises
    ------
    DataError
        For text among the numbers, NaN or infinity, comma decimals, rows of unequal length, or no numbers.
    """
    lines = read_text(path) if lines is None else lines
    first = _first_row(lines)
    if first is None:
        raise DataError(
            "there is no row of two or more numbers",
            where=where(path, scan=scan),
            do="check that this is the data file; its columns need blanks, tabs or commas between",
        )
    _check_line_above(path, lines, first)
    rows = [
        (n, _tokens(text))
        for n, text in lines[first:]
        if text.strip() and not (skip_comments and _is_comment(text))
    ]
    header = tuple(lines[:first])
    history: tuple[Step, ...] = ()
    fortran = [n for n, row in rows if any(_FORTRAN.search(token) for token in row)]
    if fortran:
        rows = [(n, [_FORTRAN.sub("e", token) for token in row]) for n, row in rows]
        history = (step("warning: read Fortran D exponents", rows=len(fortran), first_line=fortran[0]),)
    values = _numbers(path, rows, scan)
    return Table(
        path=path, header=header, values=values, lines=np.array([n for n, _ in rows]), history=history
    )


def _numbers(path: Path, rows: list[tuple[int, list[str]]], scan: str) -> Array:
    width = Counter(len(row) for _, row in rows).most_common(1)[0][0]
    try:
        values = np.array([row for _, row in rows], dtype=float)
    except ValueError:
        values = np.empty(0)
    # float() also reads "1_000"; a number in a data file does not look like this.
    if values.ndim == 2 and np.isfinite(values).all() and not any("_" in t for _, row in rows for t in row):
        return values
    for number, row in rows:
        _complain(path, number, row, width, scan)
    raise DataError("the table cannot be read", where=where(path, scan=scan), do="check the rows")


def _complain(path: Path, line: int, row: list[str], width: int, scan: str = "") -> None:
    """Raise the fitting message if a row is at fault."""
    for column, token in enumerate(row, start=1):
        place = where(path, line, column, scan=scan)
        if _COMMA_DECIMAL.fullmatch(token):
            raise DataError(
                f"{token!r} has a decimal comma",
                where=place,
                do="replace decimal commas by points in the file",
            )
        if _NOT_FINITE.fullmatch(token):
            raise DataError(
                f"{token!r} is not a finite number", where=place, do="remove the row, or leave the scan out"
            )
        if not _NUMBER.fullmatch(token):
            raise DataError(
                f"{token!r} stands where a number should",
                where=place,
                do="remove or repair the row, or leave the scan out",
            )
    if len(row) != width:
        raise DataError(
            f"the row has {len(row)} columns where the others have {width}",
            where=where(path, line, scan=scan),
            do="repair or remove the row; the last row of a scan that was stopped may be cut",
        )


_BRACKET = re.compile(r"\s+(?=[\[(][^\])]*[\])])")


def split_labels(text: str, width: int) -> tuple[str, ...] | None:
    """Titles of ``width`` columns in a line, or None if it does not hold that many."""
    bare = re.sub(r"^\s*[#%!;\s]*(L\s+)?(\(\d+\)\s*)?", "", text).strip()
    if '"' in bare:
        quoted = re.findall(r'"([^"]*)"|([^\s",]+)', bare)
        choices = [[a or b for a, b in quoted]]
    else:
        packed = _BRACKET.sub("", bare)
        words = re.findall(r"(?:[\[(][^\])]*[\])]|\S)+", packed)
        choices = [
            [part.strip() or f"col{n}" for n, part in enumerate(bare.rstrip(",").split(","), 1)]
            if "," in bare
            else [],
            [part.strip() for part in bare.split("\t") if part.strip()],
            re.split(r"\s{2,}", bare),
            words,
            _fixed_width(bare, width),
        ]
    for names in choices:
        # "ORDER= 1" is a remark.
        titles = all(names) and not any(_numeric(name) or re.search(r"=(\s|$)", name) for name in names)
        if len(names) == width and titles:
            return tuple(names)
    return None


def _fixed_width(text: str, width: int) -> list[str]:
    """Split titles that begin in fields of equal size, each but the last ended by a blank."""
    for size in range(8, 32) if width > 3 else ():
        if not (width - 1) * size < len(text) <= width * size:
            continue
        parts = [text[i : i + size] for i in range(0, len(text), size)]
        if all(part[0] != " " for part in parts) and all(part[-1] == " " for part in parts[:-1]):
            return [part.strip() for part in parts]
    return []


def find_labels(table: Table) -> tuple[str, ...] | None:
    """Column titles: the last line of the header that has one word for each column."""
    for _, text in reversed(table.header):
        names = split_labels(text, table.values.shape[1])
        # "Column 1" says no more than the place of the column.
        if names and not all(re.fullmatch(r"col(umn)?[ _.]*\d+", name, re.IGNORECASE) for name in names):
            return names
    return None


def header_number(text: str, pattern: str) -> float | None:
    """Return the number that the first group of a pattern finds in a header."""
    found = re.search(pattern, text, re.M | re.IGNORECASE)
    return float(found.group(1)) if found else None


def errors_of(values: Array | None) -> tuple[Array | None, tuple[Step, ...]]:
    """Return a column of standard errors, or None where it holds none that can be used."""
    if values is None:
        return None, ()
    if not np.any(values):
        return None, (step("the errors are all zero, and were left out"),)
    if np.all(values > 0):
        return values, ()
    return None, (
        step("warning: the errors are not all positive, and were left out", points=int(np.sum(values <= 0))),
    )


def check_increasing(table: Table, name: str) -> None:
    """Refuse a table whose first column does not increase.

    Raises
    ------
    DataError
        With the line where it repeats or falls back.
    """
    back = np.flatnonzero(np.diff(table.values[:, 0]) <= 0)
    if back.size:
        raise DataError(
            f"{name} does not increase",
            where=where(table.path, int(table.lines[int(back[0]) + 1]), 1),
            do="give every point once, in increasing order",
        )
