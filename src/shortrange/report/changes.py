"""What changed between two runs: verdict, odds, parameters, warnings, and the files and settings behind."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shortrange.errors import DataError
from shortrange.report.verdict_json import SCHEMA

__all__ = ["Change", "compare_records", "read_record"]


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that differs.

    Attributes
    ----------
    kind
        ``"verdict"``, ``"model"``, ``"parameter"``, ``"warning"``, ``"input"``, ``"setting"``, ``"version"``.
    what
        Its name.
    before, after
        Values; None where there is none.
    note
        How large a change of numbers is, in words, or empty.
    """

    kind: str
    what: str
    before: Any
    after: Any
    note: str = ""


def read_record(path: str | Path) -> dict[str, Any]:
    """Read a ``verdict.json``, or that of a folder of results.

    Raises
    ------
    DataError
        If it cannot be read, or is something else.
    """
    path = Path(path)
    if path.is_dir():
        path = path / "verdict.json"
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DataError(
            "the file does not exist", where=str(path), do="name the verdict.json of a run, or its folder"
        ) from None
    except ValueError:
        raise DataError(
            "this is no JSON", where=str(path), do="name the verdict.json of a run, or its folder"
        ) from None
    except OSError as error:
        raise DataError(
            f"the file cannot be read: {error}", where=str(path), do="name the verdict.json of a run"
        ) from error
    if not isinstance(record, dict) or record.get("schema") != SCHEMA:
        found = record.get("schema") if isinstance(record, dict) else None
        raise DataError(
            f"this is no verdict of schema {SCHEMA!r} (found {found!r})",
            where=str(path),
            do="name the verdict.json that `shortrange run` wrote",
        )
    return record


def compare_records(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Change, ...]:
    """Say everything in which two verdicts differ, the answer first.

    Parameters
    ----------
    before, after
        Of `read_record`.

    Returns
    -------
    tuple of Change
        None if the two are equal.
    """
    return (
        *_answers(before, after),
        *_models(before, after),
        *_plain("structure", before.get("structure", {}), after.get("structure", {})),
        *_warnings(before, after),
        *_inputs(before, after),
        *_plain("setting", before.get("settings", {}), after.get("settings", {})),
        *_plain("version", before.get("versions", {}), after.get("versions", {})),
    )


def _answers(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Change]:
    for name in ("verdict", "best", "reason", "simulated"):
        if before.get(name) != after.get(name):
            yield Change("verdict", name, before.get(name), after.get(name))


def _models(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Change]:
    old = {model["name"]: model for model in before["models"]}
    new = {model["name"]: model for model in after["models"]}
    for name in dict.fromkeys((*new, *old)):
        if name not in old or name not in new:
            yield Change(
                "model", name, "offered" if name in old else None, "offered" if name in new else None
            )
            continue
        yield from _model(name, old[name], new[name])


def _model(name: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    if old["probability"] != new["probability"]:
        yield Change("model", f"{name}: probability", old["probability"], new["probability"])
    if old["log_evidence"] != new["log_evidence"]:
        gain = new["log_evidence"] - old["log_evidence"]
        note = f"{gain:+.2f} nats"
        yield Change("model", f"{name}: ln evidence", old["log_evidence"], new["log_evidence"], note)
    for measurement in dict.fromkeys((*new["fits"], *old["fits"])):
        fits = old["fits"].get(measurement), new["fits"].get(measurement)
        where = f"{name}, {measurement}"
        if None in fits:
            was, now = ("compared" if fit else None for fit in fits)
            yield Change("model", where, was, now)
            continue
        for misfit, value in new["misfit"][measurement].items():
            before = old["misfit"][measurement].get(misfit)
            if before != value:
                yield Change("model", f"{where}: {misfit}", before, value)
        yield from _parameters(where, *fits)


def _parameters(where: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    before = {p["name"]: p for p in old["parameters"]}
    after = {p["name"]: p for p in new["parameters"]}
    for name in dict.fromkeys((*after, *before)):
        p, q = before.get(name), after.get(name)
        was, now = p and p["value"], q and q["value"]
        if was == now:
            continue
        sigmas = [each["sigma"] for each in (p, q) if each and each["sigma"]]
        note = ""
        if was is not None and now is not None and sigmas:
            note = f"{abs(now - was) / max(sigmas):.2f} of its error"
        yield Change("parameter", f"{where}: {name}", was, now, note)


def _warnings(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Change]:
    old, new = before["warnings"], after["warnings"]
    for text in new:
        if text not in old:
            yield Change("warning", "new", None, text)
    for text in old:
        if text not in new:
            yield Change("warning", "gone", text, None)


def _inputs(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Change]:
    old = {entry["path"]: entry["sha256"] for entry in before["inputs"]}
    new = {entry["path"]: entry["sha256"] for entry in after["inputs"]}
    for path in dict.fromkeys((*new, *old)):
        if old.get(path) != new.get(path):
            note = "other content" if path in old and path in new else ""
            yield Change("input", path, old.get(path), new.get(path), note)


def _plain(kind: str, before: Any, after: Any, where: str = "") -> Iterator[Change]:
    """Differences of nested plain data, leaf by leaf."""
    before, after = _by_name(before), _by_name(after)
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in dict.fromkeys((*after, *before)):
            yield from _plain(kind, before.get(key), after.get(key), f"{where}, {key}" if where else str(key))
    elif before != after and not (_is_nan(before) and _is_nan(after)):
        yield Change(kind, where, before, after)


def _by_name(value: Any) -> Any:
    """Turn a list of tables that have names, as of measurements, into a table of them."""
    if isinstance(value, list) and value and all(isinstance(v, Mapping) and "name" in v for v in value):
        return {str(v["name"]): v for v in value}
    return value


def _is_nan(value: Any) -> bool:
    return isinstance(value, float) and math.isnan(value)
