"""The tables of an analysis: CSV files with a row of names."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.analyse.analysis import Analysis
from shortrange.analyse.angles import AngleDistribution
from shortrange.analyse.estimate import Estimate
from shortrange.report.columns import write_csv

__all__ = ["write_tables"]

Array = NDArray[Any]


def write_tables(analysis: Analysis, folder: Path) -> list[Path]:
    """Write every table that the analysis has content for.

    Parameters
    ----------
    analysis
        What was found.
    folder
        It must exist.
    """
    paths = _coordination(analysis, folder)
    paths += _connectivity(analysis, folder)
    paths += _shapes(analysis, folder)
    paths += _transport(analysis, folder)
    paths += _topology(analysis, folder)
    return paths + _jumps(analysis, folder)


def _rows(path: Path, head: Sequence[str], rows: Iterable[Sequence[object]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(head)
        writer.writerows([["" if cell is None else _cell(cell) for cell in row] for row in rows])
    return path


def _cell(value: object) -> str:
    return f"{value:.9g}" if isinstance(value, float | np.floating) else str(value)


def _pair(e: Estimate | None) -> list[float | None]:
    return [None, None] if e is None else [e.value, e.sigma]


def _coordination(analysis: Analysis, folder: Path) -> list[Path]:
    if not analysis.shells:
        return []
    d = analysis.distributions
    columns: dict[str, Array | None] = {"r": d.r}
    for name, g in d.g.items():
        columns |= {f"g_{name}": g, f"sigma_{name}": d.sigma_g[name]}
    running: dict[str, Array | None] = {"r": d.r}
    for name, numbers in d.running.items():
        running |= {name: numbers, f"sigma_{name}": d.sigma_running[name]}
    head = [
        "centre", "ligand", "cutoff_A", "cutoff_from", "coordination", "sigma_coordination", "mean_A",
        "sigma_mean_A", "variance_A2", "sigma_variance_A2", "c3_A3", "sigma_c3_A3", "distances",
    ]  # fmt: skip
    rows = [
        [s.centre, s.ligand, s.cutoff.r, s.cutoff.origin, *_pair(s.coordination), *_pair(s.mean),
         *_pair(s.variance), *_pair(s.third), s.n]
        for s in analysis.shells
    ]  # fmt: skip
    paths = [
        write_csv(folder / "running_coordination.csv", running),
        _rows(folder / "shells.csv", head, rows),
    ]
    if d.g:
        paths.append(write_csv(folder / "partial_gr.csv", columns))
    return paths + _angles(analysis.angles, folder / "bond_angles.csv")


def _angles(found: Sequence[AngleDistribution], path: Path) -> list[Path]:
    if not found:
        return []
    columns: dict[str, Array | None] = {"angle_deg": found[0].angle}
    for each in found:
        columns |= {each.name: each.density, f"sigma_{each.name}": each.sigma}
    return [write_csv(path, columns)]


def _connectivity(analysis: Analysis, folder: Path) -> list[Path]:
    c = analysis.connectivity
    if c is None:
        return []
    head = ["sharing", "fraction", "sigma_fraction", "pairs_per_centre", "sigma_pairs_per_centre", "pairs",
            "distance_A", "sigma_distance_A", "spread_A", "p05_A", "median_A", "p95_A"]  # fmt: skip
    rows = []
    for s in (*c.sharing, *c.by_bridge):
        d = s.distance
        spread = [0, *[None] * 6] if d is None else [d.n, d.mean, d.sigma_mean, d.std, d.p05, d.median, d.p95]
        rows.append([s.name, *_pair(s.fraction), *_pair(s.per_centre), *spread])
    b = c.bridges
    frame = np.arange(analysis.n_frames)
    paths = [
        _rows(folder / "connectivity.csv", head, rows),
        write_csv(
            folder / "connectivity_over_time.csv",
            {"frame": frame, **{k: c.over_time[:, i] for i, k in enumerate(("corner", "edge", "face"))}},
        ),
        _rows(
            folder / "bridge_angles.csv",
            ["bridge", "n", "mean_deg", "sigma_mean_deg", "spread_deg", "p05_deg", "median_deg", "p95_deg"],
            [[k, s.n, s.mean, s.sigma_mean, s.std, s.p05, s.median, s.p95] for k, s in c.angles.items()],
        ),
        _rows(
            folder / "bridged_pairs.csv",
            ["frame", "first_atom", "second_atom", "shared_ligands", "bridge", "distance_A"],
            zip(b.frame, b.first, b.second, b.shared, (b.kinds[k] for k in b.kind), b.distance, strict=True),
        ),
    ]
    paths += _angles(c.angle_distributions, folder / "bridge_angle_distributions.csv")
    if c.unexpected:
        paths.append(
            _rows(
                folder / "unexpected_bonds.csv",
                [
                    "pair",
                    "limit_A",
                    "mean_count",
                    "frames",
                    "shortest_A",
                    "frame",
                    "first_atom",
                    "second_atom",
                ],
                [[u.pair, u.limit, u.mean_count, u.frames, u.shortest, *u.example] for u in c.unexpected],
            )
        )
    return paths


def _shapes(analysis: Analysis, folder: Path) -> list[Path]:
    paths = []
    for d in analysis.distortions:
        columns: dict[str, Array | None] = {
            "frame": np.repeat(d.frames, d.atoms.size),
            "atom": np.tile(d.atoms, d.frames.size),
        }
        columns |= {f"csm_about_{name}": values.ravel() for name, values in d.measures.items()}
        paths.append(write_csv(folder / f"csm_{d.centre_element}.csv", columns))
    if analysis.distortions:
        head = ["centre", "polyhedron", "origin", "every_frame", "n", "mean", "sigma_mean", "std", "median",
                "p05", "p95"]  # fmt: skip
        rows = [
            [d.centre_element, d.polyhedron, origin, d.stride, s.n, s.mean, s.sigma_mean, s.std, s.median,
             s.p05, s.p95]
            for d in (*analysis.distortions, *analysis.other_shapes)
            for origin, s in d.spreads.items()
        ]  # fmt: skip
        paths.append(_rows(folder / "csm.csv", head, rows))
    return paths


def _transport(analysis: Analysis, folder: Path) -> list[Path]:
    t = analysis.transport
    if t is None:
        return []
    columns: dict[str, Array | None] = {"time_fs": t.time}
    for e in t.elements:
        columns |= {f"msd_{e.element}_A2": e.msd, f"sigma_{e.element}_A2": e.sigma_msd}
    if t.collective is not None:
        columns["collective_A2"] = t.collective
    rows = [
        [
            e.element,
            e.n_atoms,
            *_pair(e.d),
            *(e.posterior or [None] * 5),
            *e.d_by_axis,
            e.intercept,
            e.exponent,
        ]
        for e in t.elements
    ]
    head = ["element", "atoms", "D_cm2_s", "sigma_D_cm2_s", "D_p2.5", "D_p16", "D_p50", "D_p84", "D_p97.5",
            "Dx_cm2_s", "Dy_cm2_s", "Dz_cm2_s", "intercept_A2", "exponent"]  # fmt: skip
    return [write_csv(folder / "msd.csv", columns), _rows(folder / "diffusion.csv", head, rows)]


def _topology(analysis: Analysis, folder: Path) -> list[Path]:
    paths = []
    for p in analysis.persistence:
        frame = np.repeat(p.frames, p.h0.shape[1])
        paths.append(write_csv(folder / f"h0_{p.name}.csv", {"frame": frame, "death_A": p.h0.ravel()}))
        if p.h1 is not None and any(len(x) for x in p.h1):
            bars = np.concatenate(p.h1)
            frame = np.repeat(p.frames, [len(x) for x in p.h1])
            columns = {"frame": frame, "birth_A": bars[:, 0], "death_A": bars[:, 1]}
            paths.append(write_csv(folder / f"h1_{p.name}.csv", columns))
    return paths


def _jumps(analysis: Analysis, folder: Path) -> list[Path]:
    j = analysis.jumps
    if j is None:
        return []
    places = {name: j.sites[:, k] for k, name in enumerate(("a", "b", "c"))}
    site = np.arange(len(j.sites))
    paths = [write_csv(folder / "sites.csv", {"site": site, **places, "occupancy": j.occupancy})]
    if j.edges.size:
        head = ["first_site", "second_site", "turn_a", "turn_b", "turn_c", "jumps", "length_A"]
        rows = [[*e, n, x] for e, n, x in zip(j.edges, j.counts, j.lengths, strict=True)]
        paths.append(_rows(folder / "jumps.csv", head, rows))
    return paths
