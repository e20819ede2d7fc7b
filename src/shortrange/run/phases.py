"""Refinements from their project files: of a whole range, and in windows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from shortrange.config import BoxcarProject, PhaseProject, RefineProject
from shortrange.crystal import Crystal
from shortrange.errors import ProjectError
from shortrange.fit.boxcar import FREE, Boxcar, boxcar
from shortrange.fit.refine import refine_gr
from shortrange.fit.refinement import Refinement
from shortrange.fit.restraints import Restraint
from shortrange.load import load, load_crystal, load_iq
from shortrange.load.history import is_simulated
from shortrange.quantities import GR, IQ, Step, doubts
from shortrange.reduce.scattering import reduce_scattering
from shortrange.shown import run_html
from shortrange.units import HC

__all__ = ["BoxcarRun", "RefineRun", "run_boxcar", "run_refine"]

_REACH = 2.0
_STEP = 0.02
_FREE = ("scale", "cell", "u_iso")


@dataclass(frozen=True, slots=True, kw_only=True)
class _PhaseRun:
    """A project of phases: the question, what it is made of, and the refinement.

    Attributes
    ----------
    project, result
        The question and the refinement.
    gr
        The data.
    phases
        The crystals by name.
    files
        Every file read.
    simulated
        Whether the data were made from models, as far as the project or the file says so.
    warnings
        What to doubt: of the data, the phases and the refinement.
    """

    project: PhaseProject
    result: Boxcar | Refinement
    gr: GR
    phases: dict[str, Crystal]
    files: tuple[Path, ...]
    simulated: bool
    warnings: tuple[str, ...]

    def _repr_html_(self) -> str:
        """Return the title and what was found, for a notebook."""
        return run_html(self.project.title, self.simulated, self.result._repr_html_())


@dataclass(frozen=True, slots=True, kw_only=True)
class BoxcarRun(_PhaseRun):
    """What came of a box-car project."""

    project: BoxcarProject
    result: Boxcar


@dataclass(frozen=True, slots=True, kw_only=True)
class RefineRun(_PhaseRun):
    """What came of a project of one refinement."""

    project: RefineProject
    result: Refinement


def run_boxcar(
    project: BoxcarProject, *, resume: Path | None = None, progress: Callable[[str], None] = lambda _: None
) -> BoxcarRun:
    """Load what a project names and refine its windows.

    Parameters
    ----------
    project
        From `shortrange.config.read_boxcar`.
    resume
        See `shortrange.fit.boxcar.boxcar`.
    progress
        Told what is being done.

    Raises
    ------
    DataError, ProjectError
        If a file cannot be read, or what is asked for is impossible.
    """
    gr, phases, files = _load(project, progress)
    asked = project.boxcar
    result = boxcar(
        gr, phases, window=asked.window, step=asked.step, scan=asked.scan, free=asked.free or FREE,
        shared=asked.shared, smooth=asked.smooth, resume=resume, progress=progress, **_common(project),
    )  # fmt: skip
    return BoxcarRun(project=project, result=result,
                     **_told(project, gr, phases, files, result.history, result.warnings))  # fmt: skip


def run_refine(project: RefineProject, *, progress: Callable[[str], None] = lambda _: None) -> RefineRun:
    """Load what a project names and refine its phases.

    Parameters
    ----------
    project
        From `shortrange.config.read_refine`.
    progress
        Told what is being done.

    Raises
    ------
    DataError, ProjectError
        If a file cannot be read, or what is asked for is impossible.
    """
    gr, phases, files = _load(project, progress)
    common = _common(project)
    if project.sample.number_density and not any(c.periodic for c in phases.values()):
        # Beside a crystal it is not known what share of the sample surrounds the molecules.
        for name in phases:
            if not {"density", f"{name}.density"} & set(common["values"]):
                common["values"][f"{name}.density"] = project.sample.number_density
    progress("refine")
    restraints = [
        Restraint(phase=r.phase, atoms=r.atoms, value=r.value, sigma=r.sigma) for r in project.restraint
    ]
    asked = project.refine
    result = refine_gr(gr, phases, free=asked.free or _FREE, restraints=restraints, folds=asked.folds,
                       **common)  # fmt: skip
    return RefineRun(project=project, result=result,
                     **_told(project, gr, phases, files, result.history, result.warnings))  # fmt: skip


def _load(
    project: PhaseProject, progress: Callable[[str], None]
) -> tuple[GR, dict[str, Crystal], tuple[Path, ...]]:
    phases = {part.name: load_crystal(part.path, system=part.system) for part in project.phase}
    _check_elements(project, phases)
    progress("load the data")
    gr, files = _data(project, phases)
    return gr, phases, (*files, *(part.path for part in project.phase))


def _common(project: PhaseProject) -> dict[str, Any]:
    """Arguments that both kinds of refinement take."""
    asked, measurement = project.settings, project.measurement
    values = dict(asked.values)
    if measurement.qdamp is not None:
        values.setdefault("q_damp", measurement.qdamp)
    anomalous = measurement.wavelength and asked.anomalous and asked.weights != "neutron"
    return {
        "r_range": asked.r_range,
        "q_range": measurement.q_range,
        "values": values,
        "ties": asked.ties,
        "bounds": _pairs(asked.bounds),
        "priors": _pairs(asked.priors),
        "isotropic": [part.name for part in project.phase if part.isotropic],
        "shapes": {part.name: part.shape for part in project.phase},
        "weights": asked.weights,
        "energy": HC / measurement.wavelength if anomalous and measurement.wavelength else None,
        "composition": project.sample.atoms,
        "peaks": asked.peaks,
    }


def _told(
    project: PhaseProject, gr: GR, phases: dict[str, Crystal], files: tuple[Path, ...],
    history: tuple[Step, ...], warnings: tuple[str, ...],
) -> dict[str, Any]:  # fmt: skip
    return {
        "gr": gr,
        "phases": phases,
        "files": files,
        "simulated": project.sample.simulated or is_simulated(gr.history),
        "warnings": tuple(dict.fromkeys((*doubts(history), *warnings))),
    }


def _pairs(wished: Mapping[str, tuple[float, ...]]) -> dict[str, tuple[float, float]]:
    return {name: (pair[0], pair[1]) for name, pair in wished.items()}


def _check_elements(project: PhaseProject, phases: dict[str, Crystal]) -> None:
    sample = set(project.sample.atoms)
    for name, crystal in phases.items():
        foreign = sorted(set(crystal.composition) - sample)
        if foreign:
            raise ProjectError(
                f"phase {name!r} holds {', '.join(foreign)}, "
                f"which the sample {project.sample.composition} does not",
                where=str(project.path),
                do="correct the composition of the sample, or name another structure",
            )


def _data(project: PhaseProject, phases: dict[str, Crystal]) -> tuple[GR, tuple[Path, ...]]:
    """G(r) as it is, or reduced from a raw pattern."""
    measurement = project.measurement
    if measurement.pdf_path is not None:
        return load(measurement.pdf_path, kind="gr"), (measurement.pdf_path,)
    path = measurement.pattern_path
    if path is None:
        raise ProjectError("there is no data", where=str(project.path), do="name pattern or pdf")
    found = load(path)
    if isinstance(found, GR):
        return found, (path,)
    if not isinstance(found, IQ):
        raise ProjectError("this is neither G(r) nor I(Q)", where=str(path), do="name a scattering pattern")
    found = load_iq(path, wavelength=measurement.wavelength, axis=measurement.axis)
    background = None
    files: tuple[Path, ...] = (path,)
    if measurement.background_path is not None:
        background = load_iq(
            measurement.background_path, wavelength=measurement.wavelength, axis=measurement.axis
        )
        files = (*files, measurement.background_path)
    density = project.sample.number_density
    if density is None and not all(c.periodic for c in phases.values()):
        raise ProjectError(
            "a raw pattern is reduced with the number density of the sample, which a molecule does not tell",
            where=str(project.path), do="write number_density, atoms per cubic angstrom, under [sample]",
        )  # fmt: skip
    reduction = reduce_scattering(
        found,
        background=background,
        composition=project.sample.atoms,
        number_density=density or float(np.mean([c.number_density for c in phases.values()])),
        q_range=measurement.q_range or (float(found.q[0]), float(found.q[-1])),
        r=np.arange(0.0, project.settings.r_range[1] + _REACH, _STEP),
    )
    return reduction.gr, files
