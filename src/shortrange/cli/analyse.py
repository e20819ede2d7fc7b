"""``shortrange analyse``: what snapshots contain."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Parameter

from shortrange.cli.outcome import Outcome
from shortrange.cli.output import progress

__all__ = ["analyse"]

Part = Literal["coordination", "connectivity", "csm", "transport", "topology", "density"]


def analyse(
    trajectory: Path,
    /,
    *,
    only: str | None = None,
    out: Path = Path("analysis"),
    frames: str | None = None,
    centres: str | None = None,
    ligands: str | None = None,
    mobile: str | None = None,
    cutoff: Annotated[list[str] | None, Parameter(negative=())] = None,
    polyhedron: str | None = None,
    stride: int | None = None,
    time_step: float | None = None,
    temperature: float | None = None,
    charge: float = 1.0,
    window: tuple[float, float] | None = None,
    drift: Literal["all", "framework", "none"] = "all",
    hop_length: float | None = None,
    distances: Literal["minimum image", "bare cloud"] = "minimum image",
    symmetrise: float | None = None,
) -> Outcome:
    """Say what snapshots contain: coordination, connectivity, distortion, transport, topology, pathways.

    Parameters
    ----------
    trajectory
        Snapshots (extxyz, XDATCAR, vasprun.xml, ...), a crystal (CIF) or a molecule.
    only
        Parts, with commas: coordination, connectivity, csm, transport, topology, density. By default all
        that are possible.
    out
        Folder of the results: analysis.html, summary.json, CSV tables, figures, density.cube.
    frames
        Which snapshots, as start:stop:step.
    centres, ligands, mobile
        Elements, with commas; guessed where absent.
    cutoff
        End of a first shell, as Ta-Cl=3.1; may be repeated. Others are first minima of g(r).
    polyhedron
        Reference of the shape measure; by default from the coordination number.
    stride
        Every which frame for shapes and topology.
    time_step
        fs between saved frames, where the file does not say.
    temperature
        K, for the conductivity.
    charge
        Of a mobile ion.
    window
        Range of times of the line through the mean squared displacement, fs, two numbers.
    drift
        Which centre of mass is held still.
    hop_length
        Between neighbouring sites, angstrom.
    distances
        Of the topology.
    symmetrise
        Average the density over the symmetry of the atoms at rest, found within this distance, angstrom.
    """
    from shortrange.cli.snapshots import open_snapshots

    snapshots = open_snapshots(trajectory, frames)
    from shortrange.analyse.analysis import analyse_trajectory
    from shortrange.report import ResultFolder
    from shortrange.report.analysis import write_analysis
    from shortrange.report.analysis.words import doubts_of, sentences

    ResultFolder(out, kind="analyse").check()
    settings: dict[str, Any] = {"only": _names(only, "only"), "cutoffs": _cutoffs(cutoff or [])}
    for name, text in (("centres", centres), ("ligands", ligands), ("mobile", mobile)):
        settings[name] = _names(text, name)
    with progress() as tell:
        tell("analyse")
        found = analyse_trajectory(
            snapshots,
            **settings,
            polyhedron=polyhedron,
            stride=stride,
            time_step=time_step,
            temperature=temperature,
            charge=charge,
            window=window,
            drift=drift,
            hop_length=hop_length,
            distances=distances,
            symmetrise=symmetrise,
        )
        tell("write the report")
        with trajectory.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        page = write_analysis(found, out, inputs=[(str(trajectory), digest)], versions=_versions())
    print("SIMULATED DATA")
    for sentence in sentences(found):
        print(sentence)
    for doubt in doubts_of(found):
        print(f"warning: {doubt}")
    print(f"\nreport: {page}")
    return Outcome(out / "summary.json")


def _versions() -> dict[str, str]:
    """Of the usual parts, and of the extras that an analysis may use."""
    from importlib.metadata import PackageNotFoundError, version

    from shortrange.run.versions import versions

    found = versions()
    for name in ("kinisi", "ripser"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def _names(text: str | None, option: str) -> list[str] | None:
    from shortrange.errors import ProjectError

    if text is None:
        return None
    names = [name.strip() for name in text.split(",")]
    if not all(names):
        raise ProjectError(
            f"{text!r} holds an empty name", where=f"--{option}", do="write names with commas: Ta,Sm"
        )
    return names


def _cutoffs(texts: list[str]) -> dict[str, float]:
    from shortrange.errors import ProjectError

    out = {}
    for text in texts:
        pair, sign, value = text.partition("=")
        try:
            out[pair.strip()] = float(value)
        except ValueError:
            raise ProjectError(
                f"{text!r} is no cutoff" + ("" if sign else ": there is no equals sign"),
                where="--cutoff",
                do="write a pair and a distance in angstrom: --cutoff Ta-Cl=3.1",
            ) from None
    return out
