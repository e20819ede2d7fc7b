"""A fit of an Artemis project as one of ours: FEFF8L in place of Artemis's FEFF6, the rest as it was."""

from __future__ import annotations

from shortrange.fit.paths.problem import DataSet, FitParameter, FitPath
from shortrange.fit.paths.space import FitRange
from shortrange.load.artemis import ArtemisFit, ArtemisPath, FeffAtoms
from shortrange.simulate.feff import Cluster
from shortrange.simulate.paths import ScatteringPath, path_of_geometry

__all__ = ["from_artemis"]


def from_artemis(fit: ArtemisFit) -> tuple[tuple[FitParameter, ...], tuple[DataSet, ...]]:
    """Parameters and data sets for `fit_paths`, starting where the user of Artemis started.

    Paths are calculated anew by FEFF8L from the atoms of the project's FEFF inputs.

    Raises
    ------
    SimulationError
        If FEFF fails.
    """
    parameters = tuple(_parameter(p.name, p.kind, p.start) for p in fit.parameters)
    data = tuple(
        DataSet(
            name=each.name,
            chi=each.chi,
            paths=tuple(
                FitPath(path=_path(path, fit.feff[path.feff]), parameters=path.parameters)
                for path in fit.paths
                if path.data == each.key
            ),
            fit_range=FitRange(
                k_range=each.k_range, r_range=each.r_range, k_weights=each.k_weights, dk=each.dk,
                window=each.window, space=each.space,
            ),
            background=each.background,
        )
        for each in fit.data
    )  # fmt: skip
    return parameters, data


def _parameter(name: str, kind: str, start: str) -> FitParameter:
    try:
        return FitParameter(name=name, value=float(start), free=kind == "guess")
    except ValueError:
        return FitParameter(name=name, value=start, free=False)


def _path(path: ArtemisPath, atoms: FeffAtoms) -> ScatteringPath:
    from dataclasses import replace

    others = [i for i in range(len(atoms.symbols)) if i != atoms.absorber]
    cluster = Cluster(
        atoms.symbols[atoms.absorber],
        tuple(atoms.symbols[i] for i in others),
        atoms.positions[others] - atoms.positions[atoms.absorber],
    )
    made = path_of_geometry(
        cluster, edge=atoms.edge, symbols=path.symbols, positions=path.positions, degeneracy=path.degeneracy
    )
    return replace(made, label=f"{path.label} {made.reff:.3f}")
