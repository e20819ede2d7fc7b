"""``shortrange simulate``: G(r) and EXAFS of snapshots."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cyclopts import App

if TYPE_CHECKING:
    from shortrange.quantities import Step, Trajectory

__all__ = ["exafs", "load_snapshots", "pdf", "simulate"]

simulate = App(name="simulate", help="Simulate a measurement of snapshots, a crystal or a molecule.")


@simulate.command
def pdf(
    trajectory: Path,
    /,
    *,
    q_max: float,
    r_max: float,
    q_min: float = 0.0,
    q_damp: float = 0.0,
    u_iso: float = 0.0,
    r_step: float = 0.01,
    frames: str | None = None,
    out: Path = Path("simulated"),
) -> int:
    """Simulate the X-ray G(r): gr.csv (r, g, sigma, and the part of each pair of elements).

    Parameters
    ----------
    trajectory
        Snapshots (extxyz, XDATCAR, vasprun.xml, ...), a crystal (CIF) or a molecule.
    q_max, q_min
        Range of F(Q) that is transformed, 1/angstrom.
    r_max
        End of G(r), angstrom.
    q_damp
        Resolution of the instrument, 1/angstrom.
    u_iso
        Mean square displacement added to that of the snapshots, angstrom^2.
    r_step
        Step of G(r), angstrom.
    frames
        Which snapshots, as start:stop:step.
    out
        Folder of the results.
    """
    snapshots = load_snapshots(trajectory, frames)
    import numpy as np

    from shortrange.report import ResultFolder
    from shortrange.report.columns import gr_columns, write_csv
    from shortrange.simulate.pairs import pair_histograms
    from shortrange.simulate.pdf import TAPER, simulate_gr

    _check_positive(q_max=q_max, r_max=r_max, r_step=r_step)
    r = r_step * np.arange(1, int(np.floor(r_max / r_step + 1e-6)) + 1)
    histograms = pair_histograms(snapshots, r_max=r_max + TAPER, r_step=min(0.01, 0.5 / q_max))
    model = simulate_gr(histograms, r=r, q_min=q_min, q_max=q_max, q_damp=q_damp, u_iso=u_iso)
    with ResultFolder(out, kind="simulate pdf") as new:
        write_csv(new / "gr.csv", {**gr_columns(model.gr), **model.contributions})
        settings = {"q_min": q_min, "q_max": q_max, "q_damp": q_damp, "u_iso": u_iso, "r_max": r_max}
        _write_summary(new, "gr_summary.json", snapshots, trajectory, model.gr.history, settings=settings)
        _draw_gr(new, trajectory.name, model.gr)
    _tell(model.gr.history, out / "gr.csv")
    return 0


@simulate.command
def exafs(
    trajectory: Path,
    /,
    *,
    absorber: str,
    edge: str,
    r_max: float = 6.0,
    frames: str | None = None,
    out: Path = Path("simulated"),
) -> int:
    """Simulate the EXAFS of all absorbers: chi_k.csv (k, chi, sigma) and summary.json.

    Parameters
    ----------
    trajectory
        Snapshots (extxyz, XDATCAR, vasprun.xml, ...), a crystal (CIF) or a molecule.
    absorber, edge
        Such as Ta and L3.
    r_max
        Longest path (half length), angstrom.
    frames
        Which snapshots, as start:stop:step.
    out
        Folder of the results.
    """
    _check_positive(r_max=r_max)
    snapshots = load_snapshots(trajectory, frames)
    from shortrange.report import ResultFolder
    from shortrange.report.columns import chi_k_columns, write_csv
    from shortrange.simulate.exafs.ensemble import ensemble_exafs

    result = ensemble_exafs(snapshots, absorber=absorber, edge=edge, r_max=r_max)
    with ResultFolder(out, kind="simulate exafs") as new:
        write_csv(new / "chi_k.csv", chi_k_columns(result.chi_k()))
        _write_summary(
            new,
            "summary.json",
            snapshots,
            trajectory,
            result.history,
            absorber=result.absorber,
            edge=result.edge,
            absorbers=result.n_absorbers,
            paths=result.n_paths,
            potentials=1,
            e0=result.mu,
            dropped=result.dropped,
            method_error=result.method_error,
            design_effect=result.design_effect,
            settings={"r_max": r_max},
        )
        _draw_chi(new, trajectory.name, result)
    _tell(result.history, out / "chi_k.csv")
    return 0


def load_snapshots(path: Path, frames: str | None) -> Trajectory:
    """Read snapshots, or those that ``frames`` (start:stop:step) selects."""
    from shortrange.config import parse_frames
    from shortrange.errors import ProjectError
    from shortrange.load import load_trajectory

    if frames is None:
        return load_trajectory(path)
    try:
        selection = parse_frames(frames)
    except ValueError as error:
        raise ProjectError(f"frames = {frames!r} {error}", where="--frames", do="write 0:1000:10") from None
    return load_trajectory(path, frames=selection)


def _check_positive(**values: float) -> None:
    from shortrange.errors import ProjectError

    for name, value in values.items():
        if not 0 < value < float("inf"):
            raise ProjectError(
                f"{name} = {value:g}", where=f"--{name.replace('_', '-')}", do="give a number above zero"
            )


def _write_summary(
    folder: Path, name: str, snapshots: Trajectory, path: Path, history: Sequence[Step], **more: Any
) -> None:
    from shortrange.cli.summary import doubts, write_summary

    write_summary(
        folder / name,
        {
            "simulated": True,
            "frames": snapshots.n_frames,
            "atoms": snapshots.n_atoms,
            **more,
            "warnings": doubts(history),
        },
        files=[path],
    )


def _draw_gr(folder: Path, title: str, data: Any) -> None:
    from shortrange.report.figures.scattering import plot_gr
    from shortrange.report.style import finish, new_figure, png_bytes

    figure = new_figure(3.2)
    plot_gr(ax=figure.subplots(), data=data)
    _save(folder, "gr.png", png_bytes(finish(figure, title=title, simulated=True)))


def _draw_chi(folder: Path, title: str, result: Any) -> None:
    from shortrange.report.figures.xas import plot_chi_k
    from shortrange.report.style import finish, new_figure, png_bytes

    figure = new_figure(3.2)
    plot_chi_k(ax=figure.subplots(), data=result.chi_k())
    _save(folder, "chi_k.png", png_bytes(finish(figure, title=title, simulated=True)))


def _save(folder: Path, name: str, png: bytes) -> None:
    (folder / "figures").mkdir()
    (folder / "figures" / name).write_bytes(png)


def _tell(history: Sequence[Step], path: Path) -> None:
    from shortrange.cli.summary import doubts

    for doubt in doubts(history):
        print(f"warning: {doubt}")
    print(f"simulated: {path}")
