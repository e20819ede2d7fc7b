"""What had been done to data before they were written to a file of ours, and whether they were simulated.

Both travel in the history: data whose file says that they were made from a model have the step `SIMULATED`
in it, and what is written of them says so again.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from shortrange.load.text import is_gzip, read_bytes
from shortrange.quantities import Scan, Step, Trajectory, step

__all__ = ["LABEL", "MARK", "SIMULATED", "history_text", "is_simulated", "marked", "restore_history"]

MARK = "shortrange.history"
"""Field by which text files of ours carry a history."""

SIMULATED = "simulated data"
"""Name of the step that data made from a model have in their history."""

LABEL = "SIMULATED DATA"
"""What files and figures say of them."""

_LINE = re.compile(rf"^\W*{re.escape(MARK)}\s*[:=]\s*(\[.*\])\s*$", re.M | re.IGNORECASE)
_QUOTED = re.compile(rf'\b{MARK.replace(".", "_")}="((?:[^"\\]|\\.)*)"')
_KEYS = (MARK, "athena.shortrange_history")
_SAYS = re.compile(r"(?<![\w/\\])simulated(?![\w/\\]|\s+annealing)|computed, not measured", re.IGNORECASE)
"""Words in a header by which data are no measurement; not folders of that name, nor a way of refining."""
_HEAD = 200  # lines of a file in which its header lies


def history_text(history: Iterable[Step]) -> str:
    """Write a history as one line of JSON."""
    steps = [{"name": s.name, "settings": _plain(s.settings), "version": s.version} for s in history]
    return json.dumps(steps, separators=(",", ":"))  # ASCII: whatever encoding a reader takes


def is_simulated(history: Iterable[Step]) -> bool:
    """Whether data with this history were made from a model: read as such, or simulated by this package."""
    return any(done.name == SIMULATED for done in history)


def marked(history: tuple[Step, ...]) -> tuple[Step, ...]:
    """Return a history that says once that the data were made from a model."""
    return history if is_simulated(history) else (*history, step(SIMULATED))


def restore_history(value: Any, path: Path) -> Any:
    """Put the history that a file of ours carries before that of its reading; mark what says it is simulated.

    Parameters
    ----------
    value
        What a loader returned: a carrier, or a tuple of scans.
    path
        The file.
    """
    if isinstance(value, tuple):
        return tuple(_restore_scan(scan) for scan in value)
    if path.is_dir():
        return value
    text = _text_of(path)
    history = (*_parse(_find(text)), *value.history)
    if _says_simulated(text, only_label=isinstance(value, Trajectory)) or _folder_says(path):
        history = marked(history)
    return value if len(history) == len(value.history) else replace(value, history=history)


def _restore_scan(scan: Scan) -> Scan:
    texts = [scan.metadata[key] for key in _KEYS if key in scan.metadata]
    metadata = {key: text for key, text in scan.metadata.items() if key not in _KEYS}
    history = (*_parse(texts[0]), *scan.history) if texts else scan.history
    if any(_SAYS.search(text) for text in metadata.values()):
        history = marked(history)
    return (
        replace(scan, history=history, metadata=metadata)
        if texts or len(history) > len(scan.history)
        else scan
    )


def _text_of(path: Path) -> str:
    if path.suffix.lower() not in _TEXTS and not is_gzip(path):
        return ""
    # Trajectories are long, and their history stands in the first of their frames.
    size = 1 << 16 if path.suffix.lower() == ".extxyz" else -1
    return read_bytes(path, size).decode("utf-8", "replace")


def _find(text: str) -> str:
    if inside := _QUOTED.search(text):
        return re.sub(r"\\(.)", r"\1", inside[1])
    found = _LINE.search(text)
    return found[1] if found else ""


def _says_simulated(text: str, *, only_label: bool) -> bool:
    """Whether the header says so. Structures are models: they say it of data they were refined on."""
    lines = [line for line in text.split("\n", _HEAD)[:_HEAD] if MARK not in line.lower()]
    return any((LABEL in line) if only_label else bool(_SAYS.search(line)) for line in lines)


def _folder_says(path: Path) -> bool:
    """Whether columns without a header lie in a folder of results that says so."""
    if path.suffix.lower() != ".csv":
        return False
    folders = (path.parent, path.parent.parent)
    return any(_json_says(folder / name) for folder in folders for name in _SUMMARIES)


def _json_says(path: Path) -> bool:
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(record, dict) and record.get("simulated") is True


_SUMMARIES = ("summary.json", "gr_summary.json", "verdict.json")
_TEXTS = frozenset((".gr", ".sq", ".chi", ".chik", ".xy", ".xye", ".csv", ".cif", ".extxyz"))


def _parse(text: str) -> tuple[Step, ...]:
    """Read steps from a line of JSON; none if somebody has edited it into something else."""
    try:
        steps = json.loads(text)
        return tuple(Step(str(s["name"]), dict(s["settings"]), str(s["version"])) for s in steps)
    except (ValueError, TypeError, KeyError):
        return ()


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if hasattr(value, "tolist"):
        return _plain(value.tolist())
    if isinstance(value, float) and value - value != 0.0:  # JSON has no infinities and no NaN
        return None
    return value if isinstance(value, bool | int | float | str) or value is None else str(value)
