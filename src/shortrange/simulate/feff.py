"""Potentials and phase shifts from FEFF8L, and full calculations as a check."""

from __future__ import annotations

import importlib.metadata
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.atoms import atomic_number, edge_energy
from shortrange.errors import SimulationError
from shortrange.simulate.cache import content_key, load_entry, store_entry
from shortrange.simulate.feff_pad import FeffPad, read_feff_pad
from shortrange.simulate.feff_programs import run_program

__all__ = ["SHORTEST_DISTANCE", "Cluster", "Potentials", "feff_input", "feff_potentials", "run_feff"]

Array = NDArray[Any]

# What the later programs need of a run of the potential and phase programs.
_KEPT = ("phase.pad", "xsect.json", "global.json", "genfmt.json")
_MAX_ATOMS = 1000  # dimension natx of FEFF8L
SHORTEST_DISTANCE = 0.7
"""angstrom; shorter than any bond, H2 included."""


@dataclass(frozen=True, slots=True, eq=False)
class Cluster:
    """Atoms around one absorber.

    Attributes
    ----------
    absorber
        Its element.
    species, vectors
        Elements (n,) and positions relative to the absorber, angstrom (n, 3), of the other atoms.
    """

    absorber: str
    species: tuple[str, ...]
    vectors: Array

    @property
    def kinds(self) -> tuple[str, ...]:
        """Elements around the absorber in alphabetical order: FEFF's potentials 1, 2, ..."""
        return tuple(sorted(set(self.species)))


@dataclass(frozen=True, slots=True, eq=False)
class Potentials:
    """Scattering phase shifts of FEFF8L for one absorber class.

    Attributes
    ----------
    absorber, edge
        For example ``"Ta"``, ``"L3"``.
    kinds
        Elements with a potential, in FEFF's order from 1; potential 0 is the absorber.
    files
        What FEFF's path program needs, by file name.
    key
        Content hash: equal keys mean equal phase shifts.
    settings
        How they were made.
    from_cache
        Whether they were read from the cache.
    """

    absorber: str
    edge: str
    kinds: tuple[str, ...]
    files: Mapping[str, bytes]
    key: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    from_cache: bool = False


def feff_input(
    cluster: Cluster,
    *,
    edge: str,
    scf_radius: float | None = None,
    r_path: float | None = None,
    n_legs: int = 4,
) -> str:
    """Text of feff.inp: S02 = 1, Hedin-Lundqvist losses, no path filter, k to 20 1/angstrom.

    Parameters
    ----------
    cluster
        Atoms; those of one element share a potential.
    edge
        Absorption edge.
    scf_radius
        Radius of self-consistency in angstrom; None overlaps free-atom potentials.
    r_path, n_legs
        Longest half path length (angstrom) and most legs of a full calculation.
    """
    _check_cluster(cluster, edge)
    longest = float(np.linalg.norm(cluster.vectors, axis=1).max())
    lines = [
        f"TITLE {cluster.absorber} {edge} edge", f"EDGE {edge}", "S02 1.0", "CONTROL 1 1 1 1 1 1",
        "PRINT 1 0 0 0 0 0", "EXCHANGE 0 0.0 0.0", "EXAFS 20.0", "CRITERIA 0 0",
        f"RPATH {r_path if r_path is not None else longest:.4f}", f"NLEG {n_legs}",
    ]  # fmt: skip
    if scf_radius is not None:
        lines.append(f"SCF {scf_radius:g}")
    lines += ["POTENTIALS", f" 0 {atomic_number(cluster.absorber)} {cluster.absorber}"]
    numbers = {kind: i for i, kind in enumerate(cluster.kinds, start=1)}
    lines += [f" {i} {atomic_number(kind)} {kind}" for kind, i in numbers.items()]
    lines += ["ATOMS", f"{0:14.8f}{0:14.8f}{0:14.8f} 0 {cluster.absorber}"]
    for kind, (x, y, z) in zip(cluster.species, cluster.vectors, strict=True):
        lines.append(f"{x:14.8f}{y:14.8f}{z:14.8f} {numbers[kind]} {kind}")
    return "\n".join([*lines, "END", ""])


def _check_cluster(cluster: Cluster, edge: str) -> None:
    where = f"cluster around {cluster.absorber}"
    edge_energy(cluster.absorber, edge)
    if not cluster.species:
        raise SimulationError(
            "the absorber has no neighbours", where=where, do="give a larger cluster radius"
        )
    if len(cluster.species) + 1 > _MAX_ATOMS:
        raise SimulationError(
            f"{len(cluster.species) + 1} atoms are more than FEFF8L holds ({_MAX_ATOMS})",
            where=where,
            do="give a smaller cluster radius",
        )
    if len(cluster.kinds) > 10:
        raise SimulationError(
            f"{len(cluster.kinds)} elements are more than FEFF8L holds (10)",
            where=where,
            do="use fewer elements",
        )
    points = np.vstack([np.zeros(3), cluster.vectors])
    gaps = np.linalg.norm(points[:, None] - points[None], axis=2) + 9.0 * np.eye(len(points))
    if gaps.min() < SHORTEST_DISTANCE:
        i, j = np.unravel_index(int(gaps.argmin()), gaps.shape)
        names = (cluster.absorber, *cluster.species)
        raise SimulationError(
            f"two atoms ({names[i]} and {names[j]}) are only {gaps.min():.3f} angstrom apart",
            where=where,
            do="drop the frame, or repair the structure (doubled atoms? wrong cell?)",
        )


def feff_potentials(
    cluster: Cluster, *, edge: str, scf_radius: float | None = None, timeout: float = 600.0
) -> Potentials:
    """Potentials and phase shifts around one absorber, from the cache if the same were made before.

    Parameters
    ----------
    cluster
        The absorber and the atoms around it.
    edge
        Such as ``"L3"``.
    scf_radius
        Radius of self-consistency, angstrom; None overlaps the potentials of free atoms.
    timeout
        Longest time that each of FEFF's programs may take, s.

    Returns
    -------
    Potentials
        Phase shifts with the exchange of Hedin and Lundqvist, and what they were made with.

    Raises
    ------
    SimulationError
        If FEFF is missing or fails, or if the cluster cannot be (overlapping atoms, too many).
    """
    text = feff_input(cluster, edge=edge, scf_radius=scf_radius)
    key = content_key("potentials", importlib.metadata.version("xraylarch"), text)
    settings = {
        "programs": f"FEFF8L of xraylarch {importlib.metadata.version('xraylarch')}", "edge": edge,
        "atoms": len(cluster.species) + 1, "radius": float(np.linalg.norm(cluster.vectors, axis=1).max()),
        "scf_radius": scf_radius, "exchange": "Hedin-Lundqvist", "key": key,
    }  # fmt: skip
    held = load_entry(f"potentials-{key}")
    if held is not None and set(held) == set(_KEPT):
        files = {name: held[name].tobytes() for name in _KEPT}
        return Potentials(cluster.absorber, edge, cluster.kinds, files, key, settings, True)
    with tempfile.TemporaryDirectory(prefix="shortrange-feff-") as name:
        folder = Path(name)
        (folder / "feff.inp").write_text(text)
        for module in ("rdinp", "pot", "xsph"):
            run_program(module, folder=folder, timeout=timeout)
        files = {kept: _read(folder / kept) for kept in _KEPT}
    store_entry(
        f"potentials-{key}", {kept: np.frombuffer(raw, dtype=np.uint8) for kept, raw in files.items()}
    )
    return Potentials(cluster.absorber, edge, cluster.kinds, files, key, settings)


def _read(path: Path) -> bytes:
    if not path.is_file():
        raise SimulationError(
            f"FEFF wrote no {path.name}", where="FEFF8L", do="check the cluster; is the disk full?"
        )
    return path.read_bytes()


def run_feff(
    cluster: Cluster, *, edge: str, r_path: float, n_legs: int = 4, potentials: Potentials | None = None,
    scf_radius: float | None = None, timeout: float = 600.0,
) -> tuple[Array, Array, FeffPad]:  # fmt: skip
    """Full FEFF8L calculation without path filter: the truth that faster ways are held to.

    Parameters
    ----------
    cluster, edge, scf_radius, timeout
        As for `feff_potentials`.
    r_path, n_legs
        Longest half path length, angstrom, and most legs.
    potentials
        Phase shifts to use instead of the cluster's own; their kinds must be those of the cluster.

    Returns
    -------
    k, chi
        As FEFF wrote them to chi.dat (k every 0.05 1/angstrom), shape (n,).
    paths
        The paths, as FEFF wrote them to feff.pad.

    Raises
    ------
    SimulationError
        If FEFF is missing or fails, the cluster cannot be, or its elements are not those of ``potentials``.
    """
    if potentials is not None and potentials.kinds != cluster.kinds:
        raise SimulationError(
            f"the potentials are for {list(potentials.kinds)}, the cluster has {list(cluster.kinds)}",
            where="run_feff",
            do="use potentials made from a cluster of the same elements",
        )
    with tempfile.TemporaryDirectory(prefix="shortrange-feff-") as name:
        folder = Path(name)
        text = feff_input(cluster, edge=edge, scf_radius=scf_radius, r_path=r_path, n_legs=n_legs)
        (folder / "feff.inp").write_text(text)
        run_program("rdinp", folder=folder, timeout=timeout)
        if potentials is None:
            run_program("pot", folder=folder, timeout=timeout)
            run_program("xsph", folder=folder, timeout=timeout)
        else:
            for made in ("phase.pad", "xsect.json"):
                (folder / made).write_bytes(potentials.files[made])
        for module in ("pathfinder", "genfmt", "ff2x"):
            run_program(module, folder=folder, timeout=timeout)
        _read(folder / "chi.dat")
        table = np.loadtxt(folder / "chi.dat", usecols=(0, 1), ndmin=2)
        return table[:, 0], table[:, 1], read_feff_pad(folder / "feff.pad")
