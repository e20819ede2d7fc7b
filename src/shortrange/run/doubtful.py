"""What may be wrong with inputs of a comparison that are read without a fault."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from itertools import combinations
from pathlib import Path
from typing import Literal

import numpy as np

from shortrange.config import Project, XasMeasurement
from shortrange.config.measurements import Sample
from shortrange.quantities import Trajectory
from shortrange.simulate.feff import SHORTEST_DISTANCE
from shortrange.simulate.neighbours import find_neighbours

__all__ = [
    "NOTICED",
    "closest_atoms",
    "data_used_twice",
    "doubts_of_model",
    "relative_path",
    "same_snapshots",
]

NOTICED = 0.02
"""Part of the atoms by which a composition may differ without being noticed."""

_DENSITY = 0.15  # part by which the density of a model may differ without being noticed


def doubts_of_model(snapshots: Trajectory, sample: Sample) -> list[str]:
    """Say how a model differs from the sample by more than is tolerated, in composition and density.

    Parameters
    ----------
    snapshots
        The model.
    sample
        What was measured.
    """
    found = []
    total = sum(sample.atoms.values())
    wrong = []
    for element in sorted(set(sample.atoms) | set(snapshots.composition)):
        ours = snapshots.composition.get(element, 0) / snapshots.n_atoms
        theirs = sample.atoms.get(element, 0.0) / total
        if abs(ours - theirs) > NOTICED:
            wrong.append(f"{element} {ours:.1%} instead of {theirs:.1%}")
    if wrong:
        found.append(f"another composition than the sample: {', '.join(wrong)} of the atoms")
    density, measured = snapshots.number_density, sample.number_density
    if density is not None and measured is not None and abs(density / measured - 1) > _DENSITY:
        found.append(f"another density than the sample: {density:.4g} instead of {measured:.4g} atoms per Å³")
    return found


def closest_atoms(snapshots: Trajectory) -> float:
    """Shortest distance below `SHORTEST_DISTANCE` between atoms of any snapshot, angstrom; else infinity."""
    near = find_neighbours(
        snapshots.positions,
        snapshots.cells,
        centres=np.arange(snapshots.n_atoms),
        r_max=SHORTEST_DISTANCE,
    )
    return float(near.distances.min(initial=np.inf))


def same_snapshots(models: Mapping[str, Trajectory]) -> list[tuple[str, str]]:
    """Pairs of models one of which holds nothing but snapshots of the other, whatever the order of atoms.

    Parameters
    ----------
    models
        Snapshots, by name.
    """
    held = {name: _digests(model) for name, model in models.items()}
    return [(a, b) for a, b in combinations(models, 2) if held[a] <= held[b] or held[b] <= held[a]]


def _digests(model: Trajectory) -> set[str]:
    species = np.array(model.species)
    found = set()
    for frame in model.positions:
        order = np.lexsort((*frame.T, species))
        found.add(hashlib.sha256(",".join(species[order]).encode() + frame[order].tobytes()).hexdigest())
    return found


def data_used_twice(
    project: Project, files: Mapping[str, str]
) -> list[tuple[Literal["warning", "fault"], str, str]]:
    """Find repeats that are no repeats, and a container that is the sample.

    Parameters
    ----------
    project
        What names the files.
    files
        Digest of each file that was read, by path from the project.

    Returns
    -------
    list of (level, where, text)
    """
    found: list[tuple[Literal["warning", "fault"], str, str]] = []
    first: dict[tuple[str, ...], tuple[str, str]] = {}
    for measurement in project.measurement:
        where = f"measurement {measurement.name!r}"
        if isinstance(measurement, XasMeasurement):
            # One file may hold several edges, and an edge measured in several ways.
            kind: tuple[str, ...] = (measurement.element, measurement.edge, measurement.mode)
            paths = measurement.paths
        else:
            kind = ()
            paths = tuple(p for p in (measurement.pattern_path, measurement.pdf_path) if p is not None)
            if _empty_is_full(measurement.background_path, paths, project.folder, files):
                found.append(("fault", where, "the background is the pattern itself: it leaves no sample"))
        for name in (relative_path(path, project.folder) for path in paths):
            if name not in files:
                continue
            other, place = first.setdefault((files[name], *kind), (name, where))
            if (other, place) != (name, where):
                beside = "" if place == where else f" of {place}"
                what = f"is that{beside} too" if name == other else f"is a copy of {other}{beside}"
                found.append(("warning", where, f"{name} {what}: it is no second measurement"))
    return found


def _empty_is_full(
    background: Path | None, patterns: tuple[Path, ...], folder: Path, files: Mapping[str, str]
) -> bool:
    if background is None:
        return False
    digest = files.get(relative_path(background, folder))
    return digest is not None and digest in {files.get(relative_path(path, folder)) for path in patterns}


def relative_path(path: Path, folder: Path) -> str:
    """Path from the folder of a project, where it lies in it."""
    try:
        return path.resolve().relative_to(folder.resolve()).as_posix()
    except ValueError:
        return path.as_posix()
