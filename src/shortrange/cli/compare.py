"""``shortrange compare``: what changed between two runs."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shortrange.cli.outcome import Outcome
from shortrange.cli.output import show_table

if TYPE_CHECKING:
    from shortrange.report.changes import Change

__all__ = ["compare"]

_WIDTH = 60


def compare(before: Path, after: Path, /, *, every: bool = False) -> Outcome:
    """Say what changed between two runs: verdict, odds, parameters, warnings, files, settings, versions.

    Parameters
    ----------
    before, after
        The verdict.json of each run, or its folder of results.
    every
        Show every parameter that moved, not only those that moved by a tenth of their error.
    """
    from shortrange.report.changes import compare_records, read_record

    records = [read_record(path) for path in (before, after)]
    changes = compare_records(*records)
    shown = changes if every else [change for change in changes if not _small(change)]
    if not changes:
        print("the two runs are equal")
    if shown:
        rows = [[c.kind, c.what, _text(c.before), _text(c.after), c.note] for c in shown]
        show_table(["", "what", "before", "after", ""], rows)
    if len(shown) < len(changes):
        print(f"\n{len(changes) - len(shown)} smaller changes of numbers are not shown; --every shows them")
    same = records[0]["verdict"] == records[1]["verdict"] and records[0]["best"] == records[1]["best"]
    if changes:
        print(f"\nthe verdict {'is the same' if same else 'CHANGED'}: {_answer(records[1])}")
    return Outcome({"same_verdict": same, "changes": [asdict(change) for change in changes]})


def _small(change: Change) -> bool:
    """Whether a change of a number is one that nobody would see."""
    if change.kind == "parameter" and change.note:
        return float(change.note.split()[0]) < 0.1
    if isinstance(change.before, float) and isinstance(change.after, float) and change.kind != "version":
        return abs(change.after - change.before) < 0.01 * max(abs(change.before), abs(change.after), 1e-6)
    return False


def _text(value: Any) -> str:
    if value is None:
        return "–"
    text = f"{value:.5g}" if isinstance(value, float) else str(value)
    return text if len(text) <= _WIDTH else f"{text[: _WIDTH - 1]}…"


def _answer(record: dict[str, Any]) -> str:
    return str(record["verdict"]) + (f", {record['best']}" if record["best"] else "")
