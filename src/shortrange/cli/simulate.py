"""``shortrange simulate``: G(r) and EXAFS of snapshots."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from cyclopts import App

from shortrange.cli.outcome import Outcome
from shortrange.cli.simulate_settings import (
    check_particle,
    check_positive,
    displacements,
    filled,
    measured_chi,
    no_cell,
    numbers,
    particle_of,
    ranges,
)
from shortrange.cli.snapshots import open_snapshots, working

if TYPE_CHECKING:
    from shortrange.load.frames import FrameFile
    from shortrange.quantities import Step, Trajectory

__all__ = ["exafs", "pdf", "simulate"]

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
    u_iso: str = "0",
    weights: Literal["xray", "xray-constant", "neutron"] = "xray",
    energy: float | None = None,
    window: Literal["lorch", "soft"] | None = None,
    diameter: float | None = None,
    particle: str | None = None,
    density: float | None = None,
    like: Path | None = None,
    mask: bool = False,
    r_step: float = 0.01,
    frames: str | None = None,
    cell: str | None = None,
    species: str | None = None,
    fill: str | None = None,
    fillings: int = 20,
    seed: int = 1,
    workers: int | None = None,
    scheduler: str | None = None,
    out: Path = Path("simulated"),
) -> Outcome:
    """Simulate G(r): gr.csv (r, g, sigma, and the part of each pair of elements such as Ta-Cl).

    Beside it: partials.csv (Faber-Ziman g(r)), coordination.csv (neighbours nearer than r), and for enough
    snapshots convergence.csv and correlation.csv. Run again after an interruption, it goes on where it was.

    Parameters
    ----------
    trajectory
        Snapshots (extxyz, XDATCAR, vasprun.xml, ...), a crystal (CIF) or a molecule. A large file is read in
        pieces and need not fit into memory.
    q_max, q_min
        Range of F(Q) that is transformed, 1/angstrom.
    r_max
        End of G(r), angstrom.
    q_damp
        Resolution of the instrument, 1/angstrom.
    q_broad, delta1, delta2
        Peak widths that vary with distance, as in PDFgui; they act on u_iso, not on the snapshots' motion.
    u_iso
        Mean square displacement added to that of the snapshots, angstrom^2: one number, or Ta=0.003,Cl=0.01.
    weights
        X-ray form factors f(Q), or f(0) as PDFgui has, or neutron scattering lengths.
    energy
        Of the X-rays, eV: adds f' and f''.
    window
        Of F(Q), against ripples.
    diameter
        Of the ball that the sample consists of, angstrom.
    particle
        Another form than a ball: sphere=30, shell=20,5 (inner diameter and thickness) or sheet=12, angstrom.
        Of a crystal, it thins pairs and baseline. Of a cluster, which has its form already, it is that of
        the baseline (the small-angle part) that belongs to --density.
    density
        Atoms per cubic angstrom around a molecule, for the baseline -4 pi r rho0, or of the inside of a
        cluster of --particle; none without it.
    like
        Measured G(r), whose ranges and q_damp are taken where none is given here.
    mask
        Write nan where r is beyond half the cell of a simulation box.
    r_step
        Step of G(r), angstrom.
    frames
        Which snapshots, as start:stop:step: 200: leaves out the first 200, ::10 takes each tenth.
    cell
        Of plain XYZ: a .cell file of CP2K, or numbers: an edge, three edges, or edges and angles.
    species
        Elements of the types 1, 2, ... of a LAMMPS dump, such as Na,Ta,Cl.
    fill
        Of a crystal with shared or partly empty sites: cells along a, b and c, such as 4,4,4, of supercells
        that are filled at random with whole atoms.
    fillings, seed
        How many such supercells, and of the random numbers.
    workers
        Threads; default one for each processor.
    scheduler
        Address of a dask.distributed scheduler, such as tcp://node1:8786.
    out
        Folder of the results.
    """
    from dataclasses import replace

    import numpy as np

    from shortrange.cli.simulated_files import write_pdf
    from shortrange.report import ResultFolder
    from shortrange.simulate.pairs import pair_histograms
    from shortrange.simulate.pdf import TAPER, simulate_gr

    chosen = ranges(like, q_max=q_max, r_max=r_max, q_min=q_min, q_damp=q_damp)
    check_positive(**{name: chosen[name] for name in ("q_max", "r_max")}, r_step=r_step)
    u = displacements(u_iso)
    form = None if particle is None else particle_of(particle)
    ResultFolder(out, kind="simulate pdf").check()
    snapshots: FrameFile | Trajectory
    if fill is not None:
        snapshots = filled(trajectory, fill, fillings=fillings, seed=seed, frames=frames)
    else:
        snapshots = open_snapshots(trajectory, frames, cell=cell, species=species)
    end = chosen.pop("r_max")
    r = r_step * np.arange(1, int(np.floor(end / r_step + 1e-6)) + 1)
    with working(workers, scheduler, keep=True) as who:
        histograms = pair_histograms(
            snapshots, r_max=end + TAPER, r_step=min(0.01, 0.5 / chosen["q_max"]), workers=who
        )
    is_cluster = histograms.number_density is None
    check_particle(diameter, form, density, is_cluster=is_cluster)
    if density is not None:
        check_positive(density=density)
        no_cell(histograms.number_density, trajectory)
    if density is not None and form is None:
        histograms = replace(histograms, number_density=density)
    model = simulate_gr(
        histograms, r=r, q_max=chosen["q_max"], q_min=chosen["q_min"], q_damp=chosen["q_damp"], u_iso=u,
        q_broad=q_broad, delta1=delta1, delta2=delta2,
        diameter=diameter if form is None or is_cluster else form,
        small_angle=(form, density) if form is not None and density is not None else None,
        weights=weights, energy=energy, window=window, per_run=True,
    )  # fmt: skip
    half = histograms.half_width if mask and histograms.n_frames > 1 else None
    settings = {
        **chosen, "r_max": end, "r_step": r_step, "u_iso": u, "q_broad": q_broad, "delta1": delta1,
        "delta2": delta2, "weights": weights, "energy": energy, "window": window, "diameter": diameter,
        "particle": particle, "fill": fill, "density": density, "mask": mask,
        "half_width": histograms.half_width,
    }  # fmt: skip
    with ResultFolder(out, kind="simulate pdf") as new:
        masked = None if half is None else r > half
        write_pdf(new, model, histograms, title=trajectory.name, masked=masked)
        _write_summary(
            new / "gr_summary.json", trajectory, model.gr.history, frames=histograms.n_frames,
            atoms=histograms.n_atoms, number_density=histograms.number_density, settings=settings,
        )  # fmt: skip
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
    like: Path | None = None,
    atoms: str | None = None,
    scf_radius: float | None = None,
    potentials: int | None = None,
    frames: str | None = None,
    cell: str | None = None,
    species: str | None = None,
    fill: str | None = None,
    fillings: int = 20,
    seed: int = 1,
    workers: int | None = None,
    scheduler: str | None = None,
    out: Path = Path("simulated"),
) -> Outcome:
    """Simulate the EXAFS of all absorbers: chi_k.csv (k, chi, sigma) and summary.json.

    Beside it: contributions.csv (parts by path), absorbers.csv (mean of each atom), and for enough snapshots
    convergence.csv. Run again after an interruption, it goes on where it was.

    Parameters
    ----------
    trajectory
        Snapshots (extxyz, XDATCAR, vasprun.xml, ...), a crystal (CIF) or a molecule. A large file is read in
        pieces and need not fit into memory.
    absorber, edge
        Such as Ta and L3.
    r_max
        Longest path (half length), angstrom.
    like
        Measured chi(k), columns k and chi: its values of k are taken, and it is drawn beside.
    atoms
        Numbers of the absorbers in a frame, from 0, separated by commas; default all of the element.
    scf_radius
        Of self-consistent potentials, angstrom; default none (it acts mainly as a shift of E0).
    potentials
        Clusters whose phase shifts are averaged; default as many as are found to be necessary.
    frames
        Which snapshots, as start:stop:step: 200: leaves out the first 200, ::10 takes each tenth.
    cell
        Of plain XYZ: a .cell file of CP2K, or numbers: an edge, three edges, or edges and angles.
    species
        Elements of the types 1, 2, ... of a LAMMPS dump, such as Na,Ta,Cl.
    fill
        Of a crystal with shared or partly empty sites: cells along a, b and c, such as 4,4,4, of supercells
        that are filled at random with whole atoms.
    fillings, seed
        How many such supercells, and of the random numbers.
    workers
        Threads, and FEFF processes at a time; default one for each processor.
    scheduler
        Address of a dask.distributed scheduler, such as tcp://node1:8786.
    out
        Folder of the results.
    """
    from shortrange.cli.simulated_files import write_exafs
    from shortrange.report import ResultFolder
    from shortrange.simulate.exafs import ensemble_exafs

    check_positive(r_max=r_max)
    measured = None if like is None else measured_chi(like)
    ResultFolder(out, kind="simulate exafs").check()
    snapshots: FrameFile | Trajectory
    if fill is not None:
        snapshots = filled(trajectory, fill, fillings=fillings, seed=seed, frames=frames)
    else:
        snapshots = open_snapshots(trajectory, frames, cell=cell, species=species)
    with working(workers, scheduler, keep=True) as who:
        result = ensemble_exafs(
            snapshots, absorber=absorber, edge=edge, r_max=r_max, k=None if measured is None else measured.k,
            stretches=(), scf_radius=scf_radius, n_potentials=potentials, atoms=numbers(atoms), workers=who,
        )  # fmt: skip
    with ResultFolder(out, kind="simulate exafs") as new:
        write_exafs(new, result, title=trajectory.name, measured=measured)
        sampling = None if result.convergence is None else float(result.convergence[-1, 1])
        _write_summary(
            new / "summary.json", trajectory, result.history, frames=result.n_frames,
            absorber=result.absorber, edge=result.edge, absorbers=result.n_absorbers, paths=result.n_paths,
            potentials=result.potentials["clusters"], potentials_chosen=dict(result.potentials),
            e0=result.mu, dropped=list(result.bounds), bounds=dict(result.bounds),
            method_error=result.method_error,
            sampling_error=sampling, design_effect=result.design_effect,
            settings={"r_max": r_max, "scf_radius": scf_radius, "like": None if like is None else str(like)},
        )  # fmt: skip
    _tell(result.history, out / "chi_k.csv")
    return Outcome(out / "summary.json")


def _write_summary(path: Path, trajectory: Path, history: Sequence[Step], **content: Any) -> None:
    from shortrange.cli.summary import doubts, write_summary

    write_summary(path, {"simulated": True, **content, "warnings": doubts(history)}, files=[trajectory])


def _tell(history: Sequence[Step], path: Path) -> None:
    from shortrange.cli.summary import doubts

    for doubt in doubts(history):
        print(f"warning: {doubt}")
    print(f"simulated: {path}")
