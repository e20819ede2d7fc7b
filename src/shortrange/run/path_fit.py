"""A path fit from its file, or from an Artemis project."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.config.path_fit import ParameterTable, PathFitData, PathFitProject, PathTable, read_path_fit
from shortrange.errors import DataError, ProjectError
from shortrange.fit.paths import DataSet, FitParameter, FitPath, FitRange, PathFit, fit_paths
from shortrange.fit.paths.artemis import from_artemis
from shortrange.load import load_scans, load_trajectory
from shortrange.load.artemis import ArtemisFit, read_artemis
from shortrange.load.history import is_simulated, restore_history
from shortrange.load.reduced import read_chi_k
from shortrange.quantities import ChiK
from shortrange.reduce.xas import reduce_xas
from shortrange.shown import run_html
from shortrange.simulate.paths import ScatteringPath, paths_of_structure, read_feff_dat

__all__ = ["PathFitRun", "read_chi", "run_path_fit"]

Array = NDArray[Any]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PathFitRun:
    """What came of a path fit.

    Attributes
    ----------
    title
        Of the figures.
    result
        The fit.
    files
        Every file read.
    simulated
        Whether the data were made from models, as this file or theirs says.
    artemis
        What Artemis found, if it was its project.
    """

    title: str
    result: PathFit
    files: tuple[Path, ...]
    simulated: bool = False
    artemis: ArtemisFit | None = None

    def _repr_html_(self) -> str:
        """Return the title and what was found, for a notebook."""
        return run_html(self.title, self.simulated, self.result._repr_html_())


def run_path_fit(
    path: str | Path, *, engine: str | None = None, fit: str | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> PathFitRun:  # fmt: skip
    """Load and fit.

    Parameters
    ----------
    path
        A TOML file (see `shortrange.config.read_path_fit`) or an Artemis project (.fpj).
    engine
        ``"shortrange"`` or ``"feffit"``; default what the file says.
    fit
        Which fit of an Artemis project; default the one last shown.
    progress
        Told what is being done.

    Raises
    ------
    ProjectError, DataError, SimulationError
        If a file cannot be read, or what is asked for is impossible.
    """
    file = Path(path)
    if file.suffix.lower() == ".fpj":
        found = read_artemis(file, fit=fit)
        progress("run FEFF")
        parameters, data = from_artemis(found)
        progress("fit")
        result = fit_paths(parameters, data, engine=engine or "shortrange")
        return PathFitRun(title=f"{file.name}, {found.name}", result=result, files=(file,), artemis=found)
    if fit is not None:
        raise ProjectError(
            f"fit = {fit!r} belongs to an Artemis project", where=str(file), do="leave it out, or give a .fpj"
        )
    project = read_path_fit(file)
    files = [file]
    progress("load the data and the paths")
    sets = [_data_set(each, files) for each in project.data]
    progress("fit")
    result = fit_paths(_parameters(project), sets, engine=engine or project.engine)
    return PathFitRun(
        title=project.title,
        result=result,
        files=tuple(dict.fromkeys(files)),
        simulated=project.simulated or any(is_simulated(each.chi.history) for each in sets),
    )


def _parameters(project: PathFitProject) -> list[FitParameter]:
    made = []
    for name, value in project.parameters.items():
        if isinstance(value, ParameterTable):
            low = -np.inf if value.min is None else value.min
            high = np.inf if value.max is None else value.max
            made.append(
                FitParameter(name=name, value=value.value, free=not value.fixed, lower=low, upper=high)
            )
        else:
            made.append(FitParameter(name=name, value=value, free=not isinstance(value, str)))
    return made


def _data_set(table: PathFitData, files: list[Path]) -> DataSet:
    paths = [
        FitPath(path=path, parameters={**table.every_path.expressions, **each.expressions})
        for number, each in enumerate(table.path, start=1)
        for path in _paths(table, each, number, files)
    ]
    return DataSet(
        name=table.name, chi=_chi(table, files), paths=tuple(paths), background=table.background,
        epsilon=table.epsilon,
        fit_range=FitRange(
            k_range=table.k_range, r_range=table.r_range, k_weights=table.k_weights, dk=table.dk,
            window=table.window, space=table.space,
        ),
    )  # fmt: skip


def _paths(table: PathFitData, each: PathTable, number: int, files: list[Path]) -> list[ScatteringPath]:
    where = f"data {table.name!r}, path {number}"
    if each.feff is not None:
        named = table.files(each.feff)
        files += named
        found = [read_feff_dat(file) for file in named]
    else:
        assert each.structure is not None
        assert each.absorber is not None
        assert each.edge is not None
        source = table.folder / each.structure
        files.append(source)
        found = list(
            paths_of_structure(
                load_trajectory(source), absorber=each.absorber, edge=each.edge, r_max=each.r_max or 5.0
            )
        )
    if each.number is not None:
        first, last = each.number
        if not 1 <= first <= last <= len(found):
            raise ProjectError(
                f"paths {first} to {last} of {len(found)}",
                where=where,
                do=f"count from 1 to {len(found)}",
            )
        found = found[first - 1 : last]
    if each.degeneracy is not None:
        found = [replace(path, degeneracy=each.degeneracy) for path in found]
    return found


def _chi(table: PathFitData, files: list[Path]) -> ChiK:
    if table.chi is not None:
        files.append(table.folder / table.chi)
        return read_chi(table.folder / table.chi, label=table.name)
    assert table.scans is not None
    assert table.element is not None
    assert table.edge is not None
    named = [file for pattern in table.scans for file in table.files(pattern)]
    files += named
    scans = [s for file in named for s in load_scans(file, element=table.element, edge=table.edge)]
    reduction = reduce_xas(
        scans,
        element=table.element,
        edge=table.edge,
        mode=table.mode,
        k_range=table.k_range,
        r_bkg=table.r_bkg,
    )
    if reduction.chi is None:
        raise DataError(
            "the scans end before EXAFS begins",
            where=f"data {table.name!r}",
            do="measure further above the edge",
        )
    return reduction.chi


def read_chi(path: str | Path, *, label: str = "") -> ChiK:
    """Read chi(k), not weighted; a column ``sigma`` is its standard error.

    Raises
    ------
    DataError
        If the file has no such columns, k does not rise, or it cannot be k.
    """
    chi: ChiK = restore_history(read_chi_k(Path(path)), Path(path))
    if chi.k.size < 10 or not np.isfinite(chi.chi).all():
        raise DataError(
            f"{chi.k.size} rows of k and chi, or not all of them finite",
            where=str(path),
            do="give two columns, k and chi, of at least 10 rows",
        )
    if chi.k[-1] > 50:
        raise DataError(
            f"the first column ends at {chi.k[-1]:g}: an energy?", where=str(path), do="give chi(k), or scans"
        )
    return replace(chi, label=label or Path(path).name)
