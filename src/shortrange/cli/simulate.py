"""``shortrange simulate``: G(r) and EXAFS of snapshots."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cyclopts import App

from shortrange.cli.outcome import Outcome

if TYPE_CHECKING:
    from shortrange.quantities import Step, Trajectory

__all__ = ["exafs", "frames_of", "load_snapshots", "pdf", "simulate"]

simulate = App(name="simulate", help="Simulate a measurement of snapshots, a crystal or a molecule.")


@simulate.command
def pdf(
    trajectory: Path,
    /,
    *,
    q_max: float | None = None,
    r_max: float | None = None,
    q_min: float | None = None,
    q_damp: float | None = None,
    q_broad: float = 0.0,
    delta1: float = 0.0,
    delta2: float = 0.0,
    u_iso: float = 0.0,
    diameter: float | None = None,
    like: Path | None = None,
    mask: bool = False,
    r_step: float = 0.01,
    frames: str | None = None,
    out: Path = Path("simulated"),
) -> Outcome:
    """Simulate the X-ray G(r): gr.csv (r, g, sigma, and the part of each pair of elements).

    Beside it: coordination.csv (neighbours nearer than r) and, for 8 snapshots or more, convergence.csv.

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
    q_broad, delta1, delta2
        Peak widths that vary with distance, as in PDFgui; they act on u_iso, not on the snapshots' motion.
    u_iso
        Mean square displacement added to that of the snapshots, angstrom^2.
    diameter
        Of the ball that the sample consists of, angstrom.
    like
        Measured G(r), whose ranges and q_damp are taken where none is given here.
    mask
        Write nan where r is beyond half the cell of a simulation box.
    r_step
        Step of G(r), angstrom.
    frames
        Which snapshots, as start:stop:step.
    out
        Folder of the results.
    """
    import numpy as np

    from shortrange.report import ResultFolder
    from shortrange.report.columns import gr_columns, write_csv
    from shortrange.simulate.pairs import pair_histograms, running_coordination
    from shortrange.simulate.pdf import TAPER, simulate_gr

    chosen = _ranges(like, q_max=q_max, r_max=r_max, q_min=q_min, q_damp=q_damp)
    _check_positive(**{name: chosen[name] for name in ("q_max", "r_max")}, r_step=r_step)
    snapshots = load_snapshots(trajectory, frames)
    end = chosen.pop("r_max")
    r = r_step * np.arange(1, int(np.floor(end / r_step + 1e-6)) + 1)
    histograms = pair_histograms(snapshots, r_max=end + TAPER, r_step=min(0.01, 0.5 / chosen["q_max"]))
    model = simulate_gr(
        histograms, r=r, q_max=chosen["q_max"], q_min=chosen["q_min"], q_damp=chosen["q_damp"], u_iso=u_iso,
        q_broad=q_broad, delta1=delta1, delta2=delta2, diameter=diameter,
    )  # fmt: skip
    gr, parts = model.gr, model.contributions
    columns = {**gr_columns(gr), **parts}
    if mask and histograms.half_width is not None and snapshots.n_frames > 1:
        beyond = r > histograms.half_width
        columns |= {
            name: np.where(beyond, np.nan, x) for name, x in columns.items() if x is not None and name != "r"
        }
    with ResultFolder(out, kind="simulate pdf") as new:
        write_csv(new / "gr.csv", columns)
        write_csv(new / "coordination.csv", {"r": r, **running_coordination(histograms, r)})
        if model.convergence is not None:
            frames_used, error = model.convergence.T
            write_csv(new / "convergence.csv", {"frames": frames_used, "rms_sigma": error})
        settings = {
            **chosen, "r_max": end, "u_iso": u_iso, "q_broad": q_broad, "delta1": delta1, "delta2": delta2,
            "diameter": diameter, "mask": mask, "half_width": histograms.half_width,
        }  # fmt: skip
        _write_summary(new, "gr_summary.json", snapshots, trajectory, gr.history, settings=settings)
        _draw_gr(new, trajectory.name, gr, model.convergence)
    _tell(model.gr.history, out / "gr.csv")
    return Outcome(out / "gr_summary.json")


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
) -> Outcome:
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
    return Outcome(out / "summary.json")


def _ranges(like: Path | None, **given: float | None) -> dict[str, float]:
    """Take settings as given, else from the measured G(r)."""
    from shortrange.errors import ProjectError

    found: dict[str, float | None] = {"q_min": 0.0, "q_damp": 0.0}
    if like is not None:
        from shortrange.load import load_gr

        data = load_gr(like)
        found["r_max"] = float(data.r[-1])
        stated = {"q_max": data.q_max, "q_min": data.q_min, "q_damp": data.q_damp}
        found |= {name: value for name, value in stated.items() if value is not None}
    found |= {name: value for name, value in given.items() if value is not None}
    chosen = {name: value for name, value in found.items() if value is not None}
    for name in ("q_max", "r_max"):
        if name not in chosen:
            raise ProjectError(
                f"{name} is not given" + ("" if like is None else f", and {like.name} does not state it"),
                where=f"--{name.replace('_', '-')}",
                do=f"write, say, --{name.replace('_', '-')} 20",
            )
    return chosen


def load_snapshots(path: Path, frames: str | None) -> Trajectory:
    """Read snapshots, or those that ``frames`` (start:stop:step) selects."""
    from shortrange.load import load_trajectory

    return load_trajectory(path, frames=frames_of(frames))


def frames_of(text: str | None) -> slice | None:
    """Frames as a slice; None for all."""
    from shortrange.config import parse_frames
    from shortrange.errors import ProjectError

    if text is None:
        return None
    try:
        return parse_frames(text)
    except ValueError as error:
        raise ProjectError(f"frames = {text!r} {error}", where="--frames", do="write 0:1000:10") from None


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


def _draw_gr(folder: Path, title: str, data: Any, convergence: Any) -> None:
    from shortrange.report.figures.scattering import plot_convergence, plot_gr
    from shortrange.report.style import finish, new_figure, png_bytes

    if convergence is None:
        figure = new_figure(3.2)
        plot_gr(ax=figure.subplots(), data=data)
    else:
        figure = new_figure(5.2)
        top, bottom = figure.subplots(2, 1, height_ratios=(3, 2))
        plot_gr(ax=top, data=data)
        plot_convergence(ax=bottom, frames=convergence[:, 0], error=convergence[:, 1])
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
