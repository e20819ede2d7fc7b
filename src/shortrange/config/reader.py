"""Read a project file and collect its faults."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from shortrange.config.measurements import Sample, TotalScatteringMeasurement, XasMeasurement
from shortrange.config.models import Mixture, Model, MotifModel
from shortrange.config.project import Project, VerdictSettings
from shortrange.config.values import Part
from shortrange.errors import ProjectError, did_you_mean

__all__ = [
    "faults_of_scattering",
    "faults_of_top",
    "parse_toml",
    "raise_faults",
    "read_project",
    "validate_part",
    "validate_parts",
]

_TECHNIQUES: dict[str, type[Part]] = {"xas": XasMeasurement, "total-scattering": TotalScatteringMeasurement}


def read_project(path: str | Path) -> Project:
    """Read and check a project file.

    Parameters
    ----------
    path
        The TOML file; the paths in it are counted from its folder.

    Returns
    -------
    Project
        With every file it names in place; the files themselves have not been read.

    Raises
    ------
    ProjectError
        Naming every fault of the file, one on a line.
    """
    path = Path(path)
    raw = parse_toml(path)
    faults = list(faults_of_top(raw, Project.model_fields, hints=_ELSEWHERE))
    sample = validate_part("[sample]", Sample, raw.get("sample"), faults) if "sample" in raw else None
    verdict = validate_part("[verdict]", VerdictSettings, raw.get("verdict", {}), faults)
    parts = {key: _parts(key, raw.get(key), path.parent, faults) for key in ("measurement", "model")}
    parts["mixture"] = _mixtures(raw, parts["model"], faults)
    faults += _foreign(sample, parts["measurement"])
    raise_faults(path, faults)
    project = Project.model_validate({"title": raw["title"], "sample": sample, "verdict": verdict, **parts})
    project._path = path
    return project


def raise_faults(path: Path, faults: list[str]) -> None:
    """Raise a ProjectError that names all faults, if there are any."""
    if faults:
        count = "one fault" if len(faults) == 1 else f"{len(faults)} faults"
        raise ProjectError(
            f"the project file has {count}:\n" + "\n".join(f"    {fault}" for fault in faults),
            where=str(path),
            do="correct the file; `shortrange check` looks again without running",
        )


def parse_toml(path: Path) -> dict[str, Any]:
    """Parse a project file.

    Raises
    ------
    ProjectError
        If it cannot be read or is not TOML.
    """
    if path.is_dir():
        raise ProjectError(
            "this is a folder, not a project file", where=str(path), do=f"name {path / 'project.toml'}"
        )
    try:
        text = path.read_text("utf-8-sig")  # editors on Windows write a mark first
    except FileNotFoundError:
        raise ProjectError(
            "there is no such project file",
            where=str(path),
            do="check the name, or begin one: `shortrange init`",
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ProjectError(
            f"the project file cannot be read: {error}", where=str(path), do="save it as UTF-8 text"
        ) from None
    if not text.strip():
        raise ProjectError("the project file is empty", where=str(path), do="begin one: `shortrange init`")
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        what = re.sub(r" \(at .*\)$", "", str(error))
        at = re.search(r"\(at (.*)\)$", str(error))
        raise ProjectError(
            f"not valid TOML: {what[:1].lower()}{what[1:]}",
            where=f"{path}, {at.group(1) if at else 'its end'}",
            do="correct the line; text needs quotation marks, paths are written with /, numbers with a point",
        ) from None


_ELSEWHERE = {
    "boxcar": "it belongs to a box-car refinement: run `shortrange boxcar`",
    "refine": "it belongs to a refinement: run `shortrange refine`",
    "data": "it belongs to a fit of paths: run `shortrange fit-paths`",
    "parameters": "it belongs to a fit of paths: run `shortrange fit-paths`",
}


def faults_of_top(
    raw: dict[str, Any], known: Iterable[str], *, hints: Mapping[str, str], sample: bool = True
) -> Iterable[str]:
    """Faults of the keys of a project file that stand above all tables.

    Parameters
    ----------
    raw
        The parsed file.
    known
        Keys that it may have.
    hints
        What to say of keys that belong to other kinds of project.
    sample
        Whether there must be a composition.
    """
    known = tuple(known)
    for key in raw:
        if key not in known:
            yield f"[{key}]: unknown key; {hints.get(key) or did_you_mean(key, known)}"
    title = raw.get("title")
    if not isinstance(title, str) or not title.strip():
        said = "is empty" if isinstance(title, str) else "must be text, in quotation marks"
        yield "title: is missing" if title is None else f"title: {title!r} {said}"
    if sample and "sample" not in raw:
        yield "[sample]: is missing; it gives the composition"


def _parts(key: str, tables: Any, folder: Path, faults: list[str]) -> tuple[Part, ...]:
    def kind(place: str, table: dict[str, Any], told: list[str]) -> type[Part] | None:
        if key == "model":
            return _model(place, table, told)
        found = _technique(place, table, told)
        if found is TotalScatteringMeasurement:
            told += [f"{place} {fault}" for fault in faults_of_scattering(table)]
        return found

    built = validate_parts(key, tables, folder, faults, kind)
    for part in built:
        if isinstance(part, XasMeasurement | TotalScatteringMeasurement | Model):
            part._folder = folder
    return built


def _mixtures(raw: dict[str, Any], models: Iterable[Part], faults: list[str]) -> tuple[Part, ...]:
    """Mixtures, each of models that are there."""
    if "mixture" not in raw:
        return ()
    built = validate_parts("mixture", raw["mixture"], None, faults, lambda *_: Mixture)
    names = [model.name for model in models if isinstance(model, Model | MotifModel)]
    for mixture in built:
        assert isinstance(mixture, Mixture)
        place = f"[mixture {mixture.name!r}]"
        if mixture.name in names:
            faults.append(f"{place} name: a model has it already; give each its own")
        if len(set(mixture.of)) < len(mixture.of):
            faults.append(f"{place} of: names a model twice; name two different ones")
        faults += [
            f"{place} of: {n!r} is no model; {did_you_mean(n, names)}" for n in mixture.of if n not in names
        ]
        motifs = [m.name for m in models if isinstance(m, MotifModel) and m.name in mixture.of]
        # Two units may share the metal atoms among them; beside snapshots a bare unit is no phase.
        if len(motifs) == 1:
            faults.append(
                f"{place} of: {motifs[0]!r} is a motif, no phase of its own; name two motifs, or two models "
                "with structures"
            )
    return built


def _model(place: str, table: dict[str, Any], faults: list[str]) -> type[Part] | None:
    """Snapshots, or a motif; None if it cannot be said which."""
    if "motif" in table and "structures" in table:
        faults.append(f"{place} motif: give either structures (a file) or motif, not both")
        return None
    if "motif" not in table and "structures" not in table:
        faults.append(f"{place} structures: is missing; name a file, or a motif")
        return None
    return MotifModel if "motif" in table else Model


def validate_parts(
    key: str,
    tables: Any,
    folder: Path | None,
    faults: list[str],
    kind_of: Callable[[str, dict[str, Any], list[str]], type[Part] | None],
) -> tuple[Part, ...]:
    """Validate tables of one key one by one, so that the fault of one does not hide another's."""
    if not tables:
        faults.append(f"[[{key}]]: there is none; add at least one")
        return ()
    if not isinstance(tables, list):
        faults.append(f"[{key}]: write [[{key}]], with two brackets")
        return ()
    names = [table.get("name") for table in tables if isinstance(table, dict)]
    built = []
    for index, (table, name) in enumerate(zip(tables, names, strict=False), start=1):
        place = f"[{key} {name!r}]" if isinstance(name, str) and name else f"[{key} number {index}]"
        kind = kind_of(place, table, faults)
        part = validate_part(place, kind, table, faults, folder) if kind else None
        if part is not None:
            built.append(part)
    for name in dict.fromkeys(n for n in names if isinstance(n, str) and names.count(n) > 1):
        faults.append(f"[{key} {name!r}] name: {names.count(name)} of them have it; give each its own")
    return tuple(built)


def _foreign(sample: Part | None, measurements: Iterable[Part]) -> Iterable[str]:
    for part in measurements:
        if (
            isinstance(sample, Sample)
            and isinstance(part, XasMeasurement)
            and part.element not in sample.atoms
        ):
            yield f"[measurement {part.name!r}] element: {part.element!r} is not in {sample.composition!r}"


def _technique(place: str, table: dict[str, Any], faults: list[str]) -> type[Part] | None:
    technique = table.get("technique")
    if isinstance(technique, str) and technique in _TECHNIQUES:
        return _TECHNIQUES[technique]
    said = "is missing" if technique is None else f"{technique!r} is unknown"
    faults.append(f"{place} technique: {said}; {did_you_mean(str(technique), _TECHNIQUES)}")
    return None


def validate_part(
    place: str, kind: type[Part], table: Any, faults: list[str], folder: Path | None = None
) -> Part | None:
    """Validate one table; what is wrong with it goes to ``faults``, and then there is no part."""
    try:
        return kind.model_validate(table, context={"folder": folder} if folder is not None else None)
    except ValidationError as error:
        # pydantic counts only the valid items of a list, so it calls a list of bad ones too short as well.
        real = [d for d in error.errors() if not (d["type"] == "too_short" and d["input"])]
        faults += [_say(place, kind, details) for details in real]
        return None


_WORDS = {
    "missing": "is missing",
    "string_type": "must be text, in quotation marks",
    "string_too_short": "is empty",
    "greater_than": "must be greater than {gt:g}",
    "greater_than_equal": "must be {ge:g} or more",
    "less_than_equal": "must be {le:g} or less",
    "finite_number": "must be a finite number",
    "float_type": "must be a number",
    "bool_type": "must be true or false",
    "tuple_type": "must be a list, in square brackets",
    "too_short": "is empty",
    "model_type": "must be a table of keys",
}


def _say(place: str, kind: type[Part], details: ErrorDetails) -> str:
    """One fault in our words."""
    key = str(details["loc"][0]) if details["loc"] else ""
    given, context = details["input"], details.get("ctx", {})
    if details["type"] == "extra_forbidden":
        return f"{place} {key}: unknown key; {did_you_mean(key, kind.model_fields)}"
    if details["type"] == "value_error":
        words = str(context["error"])
    elif details["type"] == "literal_error":
        options = re.findall(r"'([^']*)'", str(context["expected"]))
        words = f"is unknown; {did_you_mean(str(given), options)}"
    else:
        words = _WORDS.get(details["type"], details["msg"].lower()).format(**context)
    shown = "" if details["type"] == "missing" else f" {given!r}"
    return f"{place} {key}:{shown} {words}" if key else f"{place} {words}"


def faults_of_scattering(table: dict[str, Any], *, raw: bool = True) -> Iterable[str]:
    """Faults that concern several keys at once; ``raw`` means that a pattern is I(Q) for sure."""
    pattern, pdf = "pattern" in table, "pdf" in table
    if pattern == pdf:
        yield "pattern: give either pattern (raw I(Q)) or pdf (reduced G(r))" + (", not both" if pdf else "")
    if pdf and "background" in table:
        yield "background: belongs to a raw pattern; a reduced pdf has none"
    if raw and pattern and "wavelength" not in table:
        yield "wavelength: is missing; the reduction of a raw pattern needs it, in angstrom"
