"""``shortrange check``: everything wrong with a project, before any work."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from shortrange.cli.outcome import Outcome
from shortrange.cli.output import show_table

__all__ = ["check"]


def check(project: Path, /) -> Outcome:
    """Read the project file and all it names, and say what was found and everything that is wrong.

    Parameters
    ----------
    project
        The project file (TOML) of `run`, `refine`, `boxcar` or `fit-paths`.
    """
    from shortrange.config import read_project
    from shortrange.config.reader import parse_toml

    tables = parse_toml(project)
    other = next((command for table, command in _OTHERS.items() if table in tables), None)
    if other is not None and "model" not in tables:
        return _check_other(project, other)
    asked = read_project(project)
    from shortrange.run import check_project

    findings = check_project(asked)
    order = {"fault": 0, "warning": 1, "ok": 2}
    found = sorted(findings, key=lambda finding: order[finding.level])
    rows = [[finding.level, finding.where, _one_line(finding.text)] for finding in found]
    show_table(["", "where", "what"], rows)
    record = {"findings": [asdict(finding) for finding in found]}
    faults = sum(finding.level == "fault" for finding in findings)
    if faults:
        print(f"\n{faults} fault{'s' if faults > 1 else ''}: the project cannot run")
        return Outcome(record, status=2)
    print(f"\nready: shortrange run {project}")
    return Outcome(record)


_OTHERS = {"refine": "refine", "boxcar": "boxcar", "parameters": "fit-paths"}
"""A table that a file of another command than `run` has, and that command."""


def _check_other(project: Path, command: str) -> Outcome:
    from shortrange.config import read_boxcar, read_path_fit, read_refine

    {"refine": read_refine, "boxcar": read_boxcar, "fit-paths": read_path_fit}[command](project)
    text = "its files are there; what they hold, and names of parameters, are checked by the command itself"
    print(f"{project}: {text}\n\nready: shortrange {command} {project}")
    return Outcome({"findings": [{"level": "ok", "where": str(project), "text": text}]})


def _one_line(text: str) -> str:
    return "; ".join(part.strip() for part in text.splitlines())
