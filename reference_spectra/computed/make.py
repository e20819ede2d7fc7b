"""Compute reference spectra by FEFF8L and Debye sums: chi(k) of one absorber, G(r) of the whole structure.

Run: ``python reference_spectra/computed/make.py [NAME ...]``. Nothing here is measured.

chi(k): FEFF8L without self-consistency, all paths of up to four legs and of half length up to ``R_PATH``, no
path filter, S02 = 1, k from FEFF's own threshold; once at rest, once with one sigma2 for all paths. G(r): of
X-rays, Q from 0.8 to 23 1/angstrom, one isotropic u_iso; of a molecule without the -4 pi rho r of a solid.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import shortrange as sr
from shortrange.quantities import Trajectory
from shortrange.simulate.exafs.check import chi_of_paths
from shortrange.simulate.exafs.representative import cluster_around
from shortrange.simulate.feff import run_feff

HERE = Path(__file__).resolve().parent
MODELS = HERE.parents[1] / "studies" / "structures"
CRYSTALS = HERE.parent / "crystals"
K = np.arange(0.5, 15.0001, 0.05)
R = np.arange(1.0, 10.0001, 0.02)
R_PATH, SIGMA2, U_ISO = 5.0, 0.005, 0.004
Q_RANGE = (0.8, 23.0)


@dataclass(frozen=True)
class System:
    """A structure, how it is made, and whose edge is computed."""

    structure: Callable[[], Trajectory]
    source: str
    absorber: str
    edge: str


def molecule(path: Path, *, without: str = "") -> Trajectory:
    """Read a relaxed unit without its box, and without its counter-ion."""
    found = sr.load_trajectory(path)
    keep = [i for i, symbol in enumerate(found.species) if symbol != without]
    species = tuple(found.species[i] for i in keep)
    return Trajectory(species=species, positions=found.positions[:1, keep], label=path.stem)


SYSTEMS = {
    "TaCl5_dimer": System(
        lambda: molecule(MODELS / "7net-l3i5_Ta2Cl10_edge_muCl2.extxyz"),
        "Ta2Cl10 relaxed with SevenNet l3i5 (studies/structures)", "Ta", "L3",
    ),
    "TaCl6_isolated": System(
        lambda: molecule(MODELS / "7net-l3i5_NaTaCl6.extxyz", without="Na"),
        "NaTaCl6 relaxed with SevenNet l3i5 (studies/structures), Na left out", "Ta", "L3",
    ),
    "Ta2Cl10S_corner": System(
        lambda: sr.motif("corner", bridge="S", angle=140.0).trajectory(),
        "motif of two octahedra that share S, 140 degrees at S, distances of simulate/motifs", "Ta", "L3",
    ),
    "Ta2Cl8S2_edge": System(
        lambda: sr.motif("edge", bridge="S2").trajectory(),
        "motif of two octahedra that share an edge S-S, distances of simulate/motifs", "Ta", "L3",
    ),
    "TaS2_2H": System(
        lambda: sr.load_trajectory(CRYSTALS / "TaS2_2H.cif"),
        "crystal, reference_spectra/crystals", "Ta", "L3",
    ),
    "NaTaCl6": System(
        lambda: sr.load_trajectory(MODELS / "NaTaCl6_P21c_32_l3i5.extxyz"),
        "P2_1/c crystal relaxed with SevenNet l3i5 (studies/structures)", "Ta", "L3",
    ),
    "Na2S": System(
        lambda: sr.load_trajectory(CRYSTALS / "Na2S.cif"), "crystal, reference_spectra/crystals", "S", "K"
    ),
    "NaCl": System(
        lambda: sr.load_trajectory(CRYSTALS / "NaCl.cif"), "crystal, reference_spectra/crystals", "Cl", "K"
    ),
}  # fmt: skip


def chi_columns(system: System, structure: Trajectory) -> dict[str, np.ndarray]:
    """chi(k) at rest and with one sigma2, of the first atom of the absorbing element."""
    atom = structure.species.index(system.absorber)
    cluster = cluster_around(structure, frame=0, atom=atom, radius=R_PATH + 2.0)
    paths = run_feff(cluster, edge=system.edge, r_path=R_PATH)[2]
    at_rest = chi_of_paths(paths, K)
    return {"k": K, "chi_at_rest": at_rest, "chi": at_rest * np.exp(-2.0 * SIGMA2 * K**2)}


def gr_columns(structure: Trajectory) -> dict[str, np.ndarray]:
    """G(r) of the whole structure."""
    histograms = sr.pair_histograms(structure, r_max=14.0)
    made = sr.simulate_gr(histograms, r=R, q_min=Q_RANGE[0], q_max=Q_RANGE[1], u_iso=U_ISO)
    return {"r": R, "G": made.gr.g}


def write(path: Path, columns: dict[str, np.ndarray], lines: list[str]) -> None:
    """Columns with a head that says that they are computed."""
    head = ["computed, not measured", *lines, " ".join(columns)]
    np.savetxt(
        path, np.column_stack(list(columns.values())), fmt="%.5g", header="\n".join(head), newline="\n"
    )


def main(names: list[str]) -> None:
    """Write ``NAME.chi`` and ``NAME.gr`` of each system."""
    for name in names or list(SYSTEMS):
        system = SYSTEMS[name]
        structure = system.structure()
        chi = [
            f"{name}: {system.source}",
            f"{system.absorber} {system.edge} by FEFF8L, no self-consistency, 4 legs, R to {R_PATH} A, S02 1",
            f"chi_at_rest without disorder, chi with sigma2 {SIGMA2} A^2 for every path",
        ]
        write(HERE / f"{name}.chi", chi_columns(system, structure), chi)
        gr = [
            f"{name}: {system.source}",
            f"X-ray G(r), Q {Q_RANGE[0]} to {Q_RANGE[1]} 1/A, u_iso {U_ISO} A^2",
        ]
        write(HERE / f"{name}.gr", gr_columns(structure), gr)
        print(name, len(structure.species), "atoms")


if __name__ == "__main__":
    main(sys.argv[1:])
