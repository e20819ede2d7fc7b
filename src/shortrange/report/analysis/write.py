"""An analysis as a folder: summary.json, tables, figures, densities, one page."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from shortrange.analyse.analysis import Analysis
from shortrange.analyse.density import write_chgcar, write_cube
from shortrange.report.analysis.figures import analysis_plates
from shortrange.report.analysis.page import analysis_page
from shortrange.report.analysis.record import analysis_record
from shortrange.report.analysis.tables import write_tables
from shortrange.report.folder import ResultFolder
from shortrange.report.plates import save_plates
from shortrange.report.verdict_json import plain_data

__all__ = ["write_analysis", "write_analysis_files"]


def write_analysis(
    analysis: Analysis,
    folder: str | Path,
    *,
    inputs: Iterable[tuple[str, str]] = (),
    versions: Mapping[str, str] | None = None,
    title: str | None = None,
) -> Path:
    """Write ``analysis.html``, ``summary.json``, CSV tables, ``figures/`` and density grids into a folder.

    Parameters
    ----------
    analysis
        Of `shortrange.analyse.analysis.analyse_trajectory`.
    folder
        Made if absent; a failure leaves earlier results in it as they were.
    inputs
        (path, sha256) of the files that were read.
    versions
        Of this package and of those that made the numbers.
    title
        By default the label of the trajectory.

    Returns
    -------
    Path
        The page.
    """
    with ResultFolder(folder, kind="analyse") as new:
        write_analysis_files(analysis, new, inputs=inputs, versions=versions, title=title)
    return Path(folder) / "analysis.html"


def write_analysis_files(
    analysis: Analysis,
    folder: Path,
    *,
    inputs: Iterable[tuple[str, str]] = (),
    versions: Mapping[str, str] | None = None,
    title: str | None = None,
) -> None:
    """Write the files of `write_analysis` into a folder that exists, one by one.

    Parameters
    ----------
    analysis, folder, inputs, versions, title
        As for `write_analysis`.
    """
    name = title or analysis.label or "analysis"
    record = plain_data(
        {
            **analysis_record(analysis),
            "inputs": [{"path": path, "sha256": digest} for path, digest in inputs],
            "versions": dict(versions or {}),
        }
    )
    text = json.dumps(record, indent=2, ensure_ascii=False, allow_nan=False)
    (folder / "summary.json").write_text(text + "\n", encoding="utf-8", newline="\n")
    write_tables(analysis, folder)
    if analysis.density is not None:
        write_cube(folder / "density.cube", analysis.density)
        write_chgcar(folder / "density.vasp", analysis.density)
    plates = analysis_plates(analysis, title=name)
    if plates:
        save_plates(plates, folder / "figures")
    page = analysis_page(analysis, plates, title=name, record=record)
    (folder / "analysis.html").write_text(page, encoding="utf-8", newline="\n")
