"""A box-car refinement from its project file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from shortrange.config import BoxcarProject
from shortrange.crystal import Crystal
from shortrange.errors import ProjectError
from shortrange.fit.boxcar import FREE, Boxcar, boxcar
from shortrange.load import load, load_crystal, load_iq
from shortrange.quantities import GR, IQ, doubts
from shortrange.reduce.scattering import reduce_scattering
from shortrange.units import HC

__all__ = ["BoxcarRun", "run_boxcar"]

_REACH = 2.0
_STEP = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class BoxcarRun:
    """What came of a box-car project.

    Attributes
    ----------
    project
        The question.
    gr
        The data.
    phases
        The crystals by name.
    result
        The refinement.
    files
        Every file read.
    simulated
        Whether the data were made from models, as far as the project or the file says so.
    warnings
        What to doubt: of the data, the phases and the refinement.
    """

    project: BoxcarProject
    gr: GR
    phases: dict[str, Crystal]
    result: Boxcar
    files: tuple[Path, ...]
    simulated: bool
    warnings: tuple[str, ...]


def run_boxcar(project: BoxcarProject, *, progress: Callable[[str], None] = lambda _: None) -> BoxcarRun:
    """Load what a project names and refine its windows.

    Parameters
    ----------
    project
        From `shortrange.config.read_boxcar`.
    progress
        Told what is being done.

    Raises
    ------
    DataError, ProjectError
        If a file cannot be read, or what is asked for is impossible.
    """
    phases = {part.name: load_crystal(part.path, system=part.system) for part in project.phase}
    _check_elements(project, phases)
    progress("load the data")
    gr, files = _data(project, phases)
    settings, measurement = project.boxcar, project.measurement
    energy = HC / measurement.wavelength if measurement.wavelength and settings.anomalous else None
    values = dict(settings.values)
    if measurement.qdamp is not None:
        values.setdefault("q_damp", measurement.qdamp)
    result = boxcar(
        gr,
        phases,
        r_range=settings.r_range,
        window=settings.window,
        step=settings.step,
        scan=settings.scan,
        q_range=measurement.q_range,
        free=settings.free or FREE,
        values=values,
        ties=settings.ties,
        bounds=_pairs(settings.bounds),
        priors=_pairs(settings.priors),
        shared=settings.shared,
        isotropic=[part.name for part in project.phase if part.isotropic],
        weights=settings.weights,
        energy=energy if settings.weights != "neutron" else None,
        composition=project.sample.atoms,
        peaks=settings.peaks,
        progress=progress,
    )
    return BoxcarRun(
        project=project,
        gr=gr,
        phases=phases,
        result=result,
        files=(*files, *(part.path for part in project.phase)),
        simulated=project.sample.simulated or _says_simulated(files[0]),
        warnings=tuple(dict.fromkeys((*doubts(result.history), *result.warnings))),
    )


def _pairs(wished: Mapping[str, tuple[float, ...]]) -> dict[str, tuple[float, float]]:
    return {name: (pair[0], pair[1]) for name, pair in wished.items()}


def _check_elements(project: BoxcarProject, phases: dict[str, Crystal]) -> None:
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


def _data(project: BoxcarProject, phases: dict[str, Crystal]) -> tuple[GR, tuple[Path, ...]]:
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
    reduction = reduce_scattering(
        found,
        background=background,
        composition=project.sample.atoms,
        number_density=density or float(np.mean([c.number_density for c in phases.values()])),
        q_range=measurement.q_range or (float(found.q[0]), float(found.q[-1])),
        r=np.arange(0.0, project.boxcar.r_range[1] + _REACH, _STEP),
    )
    return reduction.gr, files


def _says_simulated(path: Path) -> bool:
    """Whether the head of a file of ours says that its data were made from a model."""
    return b"SIMULATED DATA" in path.read_bytes()[:4096]
