"""What had been done to data before they were written to a file of ours, kept in that file."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from shortrange.load.text import is_gzip, read_bytes
from shortrange.quantities import Scan, Step

__all__ = ["MARK", "history_text", "restore_history"]

MARK = "shortrange.history"
"""Field by which text files of ours carry a history."""

_LINE = re.compile(rf"^\W*{re.escape(MARK)}\s*[:=]\s*(\[.*\])\s*$", re.M | re.IGNORECASE)
_QUOTED = re.compile(rf'\b{MARK.replace(".", "_")}="((?:[^"\\]|\\.)*)"')
_KEYS = (MARK, "athena.shortrange_history")


def history_text(history: Iterable[Step]) -> str:
    """Write a history as one line of JSON."""
    steps = [{"name": s.name, "settings": _plain(s.settings), "version": s.version} for s in history]
    return json.dumps(steps, separators=(",", ":"))  # ASCII: whatever encoding a reader takes


def restore_history(value: Any, path: Path) -> Any:
    """Put the history that a file of ours carries before that of its reading.

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
    kept = _parse(_find(path))
    return replace(value, history=(*kept, *value.history)) if kept else value


def _restore_scan(scan: Scan) -> Scan:
    texts = [scan.metadata[key] for key in _KEYS if key in scan.metadata]
    if not texts:
        return scan
    kept = _parse(texts[0])
    metadata = {key: text for key, text in scan.metadata.items() if key not in _KEYS}
    return replace(scan, history=(*kept, *scan.history), metadata=metadata)


def _find(path: Path) -> str:
    if path.suffix.lower() not in _TEXTS and not is_gzip(path):
        return ""
    # Trajectories are long, and their history stands in the first of their frames.
    size = 1 << 16 if path.suffix.lower() == ".extxyz" else -1
    text = read_bytes(path, size).decode("utf-8", "replace")
    if inside := _QUOTED.search(text):
        return re.sub(r"\\(.)", r"\1", inside[1])
    found = _LINE.search(text)
    return found[1] if found else ""


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
