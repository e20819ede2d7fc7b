"""Load everything that a project names, and say everything that is wrong with it, at once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Literal, TypeVar

from shortrange.config import Model, MotifModel, Project, TotalScatteringMeasurement, XasMeasurement
from shortrange.errors import ProjectError, ShortrangeError, problem
from shortrange.load import load_gr, load_iq, load_scans, load_trajectory
from shortrange.quantities import GR, IQ, Scan, Trajectory
from shortrange.run.doubtful import (
    NOTICED,
    closest_atoms,
    data_used_twice,
    doubts_of_model,
    relative_path,
    same_snapshots,
)
from shortrange.run.motifs import build_hypothesis
from shortrange.simulate.feff import SHORTEST_DISTANCE
from shortrange.simulate.motifs import MotifHypothesis

__all__ = ["Finding", "Inputs", "Pattern", "collect_inputs", "incomplete_models", "load_inputs"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One line of what a check found.

    Attributes
    ----------
    level
        ``"fault"`` prevents a run; ``"warning"`` is to be doubted; ``"ok"`` was read.
    where
        Measurement, model or file.
    text
        What was found.
    """

    level: Literal["ok", "warning", "fault"]
    where: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """Total scattering as measured: either a raw pattern with its background, or a finished G(r)."""

    intensity: IQ | None = None
    background: IQ | None = None
    gr: GR | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """What a project names, loaded.

    Attributes
    ----------
    scans
        Raw sweeps, by measurement.
    patterns
        Total scattering, by measurement.
    models
        Snapshots, by model; of a motif the unit at the mean of its priors.
    files
        (path relative to the project where possible, sha256) of every file read, sorted by path.
    findings
        What was noticed on the way.
    motifs
        Models that are motifs, by name.
    """

    scans: Mapping[str, tuple[Scan, ...]]
    patterns: Mapping[str, Pattern]
    models: Mapping[str, Trajectory]
    files: tuple[tuple[str, str], ...]
    findings: tuple[Finding, ...]
    motifs: Mapping[str, MotifHypothesis] = field(default_factory=dict)


@dataclass(slots=True)
class _Collector:
    """Reads files one by one and keeps their faults instead of stopping at the first."""

    folder: Path
    files: dict[str, str] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    def read(self, where: str, path: Path, reader: Callable[[Path], T]) -> T | None:
        try:
            value = reader(path)
            self.files[relative_path(path, self.folder)] = hashlib.sha256(path.read_bytes()).hexdigest()
        except ShortrangeError as error:
            self.note("fault", where, str(error))
            return None
        return value

    def note(self, level: Literal["ok", "warning", "fault"], where: str, text: str) -> None:
        self.findings.append(Finding(level=level, where=where, text=text))


def load_inputs(project: Project) -> Inputs:
    """Load every file of a project.

    Raises
    ------
    ProjectError
        With all faults, if there is any.
    """
    inputs = collect_inputs(project)
    faults = [finding for finding in inputs.findings if finding.level == "fault"]
    if faults:
        raise ProjectError(
            "\n".join(f"{fault.where}: {fault.text}" for fault in faults),
            where=str(project.path),
            do="mend the files or the project; `shortrange check` shows this without running",
        )
    return inputs


def collect_inputs(project: Project) -> Inputs:
    """Load every file that can be loaded; what cannot is among the findings."""
    collector = _Collector(project.folder)
    scans: dict[str, tuple[Scan, ...]] = {}
    patterns: dict[str, Pattern] = {}
    for measurement in project.measurement:
        where = f"measurement {measurement.name!r}"
        if isinstance(measurement, XasMeasurement):
            scans[measurement.name] = _scans(collector, where, measurement)
        else:
            patterns[measurement.name] = _pattern(collector, where, measurement)
    models: dict[str, Trajectory] = {}
    motifs: dict[str, MotifHypothesis] = {}
    for model in project.model:
        where = f"model {model.name!r}"
        if isinstance(model, MotifModel):
            unit = build_hypothesis(model, project, partial(collector.note, where=where))
            if unit is not None:
                motifs[model.name] = unit
                models[model.name] = unit.start.trajectory()
            continue
        snapshots = collector.read(where, model.path, partial(load_trajectory, frames=model.selection))
        if snapshots is not None:
            models[model.name] = snapshots
            _check_model(collector, where, model, snapshots, project)
    for one, other in same_snapshots(models):
        collector.note(
            "warning", f"model {other!r}", f"holds the same snapshots as {one!r}: neither can beat the other"
        )
    for level, where, text in data_used_twice(project, collector.files):
        collector.note(level, where, text)
    return Inputs(
        scans=scans,
        patterns=patterns,
        models=models,
        motifs=motifs,
        files=tuple(sorted(collector.files.items())),
        findings=tuple(collector.findings),
    )


def _scans(collector: _Collector, where: str, measurement: XasMeasurement) -> tuple[Scan, ...]:
    found: list[Scan] = []
    for path in measurement.paths:
        reader = partial(load_scans, element=measurement.element, edge=measurement.edge)
        read = collector.read(where, path, reader)
        found.extend(read or ())
    if found:
        collector.note("ok", where, f"{len(found)} scans")
    if len(found) == 1:
        collector.note(
            "warning",
            where,
            "a single scan: its noise can only be guessed from the scatter of neighbouring points",
        )
    return tuple(found)


def _pattern(collector: _Collector, where: str, measurement: TotalScatteringMeasurement) -> Pattern:
    intensity = partial(load_iq, wavelength=measurement.wavelength, axis=measurement.axis)

    def maybe(path: Path | None, reader: Callable[[Path], T]) -> T | None:
        return None if path is None else collector.read(where, path, reader)

    pattern = Pattern(
        intensity=maybe(measurement.pattern_path, intensity),
        background=maybe(measurement.background_path, intensity),
        gr=maybe(measurement.pdf_path, load_gr),
    )
    if pattern.intensity is not None:
        q = pattern.intensity.q
        collector.note("ok", where, f"I(Q) of {q.size} points, Q = {q[0]:.2f} to {q[-1]:.2f} 1/angstrom")
    if pattern.gr is not None:
        r = pattern.gr.r
        collector.note("ok", where, f"G(r) of {r.size} points, r = {r[0]:.2f} to {r[-1]:.2f} angstrom")
    return pattern


def _check_model(
    collector: _Collector, where: str, model: Model, snapshots: Trajectory, project: Project
) -> None:
    collector.note("ok", where, f"{snapshots.n_frames} snapshots of {snapshots.n_atoms} atoms")
    for measurement in project.measurement:
        if isinstance(measurement, XasMeasurement) and measurement.element not in snapshots.composition:
            partial = project.verdict.partial
            collector.note(
                "warning" if partial else "fault",
                where,
                f"has no {measurement.element}, the absorber of {measurement.name!r}; "
                f"its atoms are {', '.join(snapshots.composition)}"
                + (
                    "; no model is compared with it"
                    if partial
                    else "; [verdict] partial = true leaves the measurement out"
                ),
            )
    for text in doubts_of_model(snapshots, project.sample):
        collector.note("warning", where, text)
    if snapshots.cells is None:
        collector.note(
            "warning",
            where,
            "has no cell: it is compared as a molecule alone, without what lies around it in the sample; "
            "a box of a simulation needs its lattice vectors",
        )
    apart = closest_atoms(snapshots)
    if apart < SHORTEST_DISTANCE:
        collector.note(
            "fault",
            where,
            problem(
                f"two atoms are only {apart:.2f} angstrom apart",
                where=relative_path(model.path, project.folder),
                do="remove the doubled atom, or give the cell in angstrom",
            ),
        )


def incomplete_models(
    compositions: Mapping[str, Mapping[str, float]], sample: Mapping[str, float]
) -> dict[str, str]:
    """Say which models lack an element of the sample that another model has.

    Such a model cannot be the whole sample, however well it fits. What no model has, such as ions that were
    left out of all, tells nothing between them.

    Parameters
    ----------
    compositions
        Atoms of each element, by model.
    sample
        The same of the sample, on any scale.
    """
    total = sum(sample.values())
    held = {element for composition in compositions.values() for element in composition}
    found = {}
    for name, composition in compositions.items():
        lacking = [
            f"{element}, {amount / total:.1%} of the atoms"
            for element, amount in sample.items()
            if amount / total > NOTICED and element in held and element not in composition
        ]
        if lacking:
            found[name] = f"it has no {' and no '.join(lacking)} of the sample: it cannot be all of it"
    return found
