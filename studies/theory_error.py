"""How wrong is a right model? The numbers behind `shortrange.compare.theory_error`.

PDF: the same structure relaxed by two machine-learned potentials (simulated; `structures/`), one taken as
data and the other fitted to it with the usual parameters; and measured crystals. EXAFS: measured compounds of
known structure, fitted with the usual parameters. Measurements need their folder in SHORTRANGE_DATA.

    python studies/theory_error.py
"""

from __future__ import annotations

import itertools
import os
from dataclasses import replace
from pathlib import Path

import numpy as np

from shortrange.compare.evidence import judge
from shortrange.compare.theory_error import TheoryError
from shortrange.fit.exafs_term import EXAFS_PARAMETERS, exafs_term
from shortrange.fit.parameters import changed
from shortrange.fit.pdf_term import PDF_PARAMETERS, arbitrary_scale, pdf_term
from shortrange.fit.term import Term
from shortrange.load import load_gr, load_scans, load_trajectory
from shortrange.quantities import GR, Trajectory
from shortrange.reduce.xas import reduce_xas
from shortrange.simulate.exafs import ensemble_exafs
from shortrange.simulate.pairs import pair_histograms
from shortrange.simulate.pdf import PdfModel
from shortrange.simulate.pdf_peaks import Widths

HERE = Path(__file__).parent
R = np.arange(1.9, 6.0001, 0.02)
Q_RANGE = (0.8, 22.0)
# Wide enough that the fit is led by the data and not by what is to be found.
OPEN = TheoryError(median=0.1, log_sigma=1.0, source="this study")
# Name, absorber, edge, lattice, cell edge (angstrom), files, range of R (angstrom, without phase correction).
COMPOUNDS = (
    ("W", "W", "L3", "bcc", 3.1652, "xas_xdi/W_L3/W_metal_rt_0*.xdi", (1.6, 3.3)),
    ("Cu", "Cu", "K", "fcc", 3.6149, "xas_xdi/other/cu_metal_rt.xdi", (1.4, 3.0)),
    ("Pt", "Pt", "L3", "fcc", 3.9242, "xas_xdi/other/pt_metal_rt.xdi", (1.6, 3.2)),
    ("FeO, second shell", "Fe", "K", "rock salt", 4.326, "xas_xdi/other/FeO_rt_01.xdi", (2.1, 3.3)),
    ("FeO, first shell", "Fe", "K", "rock salt", 4.326, "xas_xdi/other/FeO_rt_01.xdi", (1.0, 2.1)),
    ("ZnSe", "Zn", "K", "zinc blende", 5.668, "xas_xdi/other/zn_znse_rt.xdi", (1.5, 2.8)),
)
# Shortest distance that is compared, in cell edges.
NEAREST = {"W": 0.75**0.5, "Cu": 0.5**0.5, "Pt": 0.5**0.5, "ZnSe": 0.1875**0.5}
NEAREST |= {"FeO, second shell": 0.5**0.5, "FeO, first shell": 0.5}
MEAN_FREE_PATH = 8.0
"""Of photoelectrons of k 3 to 12, angstrom; 6 or 12 would change the stretches by 0.0005 or less."""
# Name, lattice, species, cell edge (angstrom), file, range of Q (1/angstrom).
CRYSTALS = (
    ("Ni", "fcc", ("Ni",), 3.524, "pdf_gr/cmi_book/Ni.gr", (0.8, 25.0)),
    ("NaCl", "rock salt", ("Na", "Cl"), 5.640, "pdf_gr/NaCl.gr", (0.8, 21.0)),
    ("Ag", "fcc", ("Ag",), 4.0857, "pdf_gr/srmise/Ag-nyquist-qmax30.gr", (1.0, 30.0)),
    ("CdSe", "wurtzite", ("Cd", "Se"), 4.299, "pdf_gr/cmi_book/CdSe-bulk.gr", (0.8, 19.0)),
)
FCC = [[0, 0, 0], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]]
SITES = {"fcc": (FCC,), "bcc": ([[0, 0, 0], [0.5, 0.5, 0.5]],)}
SITES["rock salt"] = (FCC, [[x + 0.5, y, z] for x, y, z in FCC])
SITES["zinc blende"] = (FCC, [[x + 0.25, y + 0.25, z + 0.25] for x, y, z in FCC])
THIRD = [[1 / 3, 2 / 3, 0.0], [2 / 3, 1 / 3, 0.5]]
SITES["wurtzite"] = (THIRD, [[x, y, z + 0.3757] for x, y, z in THIRD])


def crystal(lattice: str, species: tuple[str, ...], a: float) -> Trajectory:
    """One cell at rest; of wurtzite, with c/a of CdSe."""
    cell = a * np.eye(3)
    if lattice == "wurtzite":
        cell = a * np.array([[1, 0, 0], [-0.5, 0.75**0.5, 0], [0, 0, 7.010 / 4.299]])
    sites = SITES[lattice]
    names = tuple(s for s, places in zip(species, sites, strict=True) for _ in places)
    return Trajectory(species=names, positions=(np.concatenate(sites) @ cell)[None], cells=cell[None])


def pdf_misfit(truth: Path, model: Path, *, u_iso: float) -> float:
    """Rw between the G(r) of two versions of one structure, 1.9 to 6 angstrom."""
    first, second = (
        PdfModel(pair_histograms(load_trajectory(p), r_max=20.0), R, *Q_RANGE[::-1]) for p in (truth, model)
    )
    g = first(u_iso=u_iso, q_damp=0.04)
    data = GR(r=R, g=g, cov=1e-6 * np.mean(g**2) * np.eye(R.size))
    widened = changed(PDF_PARAMETERS, "delta_u", value=u_iso, lower=0.0, upper=0.05, prior=(u_iso, 0.001))
    term = pdf_term(data, second, measurement="PDF", r_range=(1.9, 6.0), q_range=Q_RANGE, parameters=widened)
    return judge(term, theory_error=OPEN).R


def bond_spread(path: Path) -> float:
    """Return the standard deviation of the Ta-Cl bonds of a structure, angstrom."""
    frame = load_trajectory(path)
    species, x = np.array(frame.species), frame.positions[0]
    length = np.linalg.norm(x[species == "Ta"][:, None] - x[species == "Cl"][None], axis=-1)
    return float(np.std(length[length < 3.1]))


def exafs_misfit(
    folder: Path,
    name: str,
    element: str,
    edge: str,
    lattice: str,
    a: float,
    files: str,
    r_range: tuple[float, float],
) -> tuple[float, float, float]:
    """Root of the R-factor of a compound's first shells; its stretch, and that corrected for thermal motion.

    A cell at rest with a Gaussian width lacks the shift of the effective distance by
    -2 sigma2 (1/R + 1/lambda) (Bunker, Nucl. Instrum. Methods 207, 437 (1983)), which snapshots have in them.
    """
    scans = [s for path in sorted(folder.glob(files)) for s in load_scans(path)]
    reduction = reduce_xas(scans, element=element, edge=edge, mode="auto", k_range=(3.0, 12.0))
    partner = {"FeO": ("O",), "ZnSe": ("Se",)}.get(name.partition(",")[0], ())
    ensemble = ensemble_exafs(crystal(lattice, (element, *partner), a), absorber=element, edge=edge)
    thermal = changed(
        EXAFS_PARAMETERS, "delta_sigma2", value=0.005, lower=0.0, upper=0.04, prior=(0.006, 0.006)
    )
    term = exafs_term(
        reduction.chi, ensemble, measurement=name, k_range=(3.0, 12.0), r_range=r_range, parameters=thermal
    )
    fit = judge(term, theory_error=OPEN)
    value = {p.name: p.value for p in fit.parameters}
    shortest = NEAREST[name] * a
    thermal_shift = -2.0 * value["delta_sigma2"] * (1.0 / shortest + 1.0 / MEAN_FREE_PATH) / shortest
    return float(np.sqrt(fit.R)), value["stretch"], value["stretch"] - thermal_shift


def crystal_misfit(
    folder: Path, lattice: str, species: tuple[str, ...], a: float, file: str, q_range: tuple[float, float]
) -> float:
    """Rw of a measured crystal against its cell, 1.9 to 6 angstrom.

    Atoms have one width, narrowed at short distances by their correlated motion (delta2, tried in steps),
    which snapshots have in them.
    """
    data = load_gr(folder / file)
    inside = (data.r >= 1.9 - 1e-9) & (data.r <= 6.0)
    data = GR(r=data.r[inside], g=data.g[inside], sigma=np.full(inside.sum(), 1e-3 * np.std(data.g[inside])))
    counted = pair_histograms(crystal(lattice, species, a), r_max=20.0)
    model = PdfModel(counted, data.r, *q_range[::-1])
    wide = changed(PDF_PARAMETERS, "delta_u", value=0.008, lower=0.001, upper=0.05, prior=(0.01, 0.01))
    at_start = model(u_iso=0.008, q_damp=0.03)
    scale = float(at_start @ data.g / (at_start @ at_start))
    term = pdf_term(
        data, model, measurement=file, r_range=(1.9, 6.0), q_range=q_range,
        parameters=arbitrary_scale(wide, estimate=scale),
    )  # fmt: skip

    def narrowed(delta2: float) -> Term:
        def curve(theta: np.ndarray) -> np.ndarray:
            scale, q_damp, u_iso, stretch = theta
            return model(
                scale=scale, q_damp=q_damp, u_iso=u_iso, stretch=stretch, widths=Widths(delta2=delta2)
            )

        return replace(term, model=curve)

    return min(judge(narrowed(delta2), theory_error=OPEN).R for delta2 in (0.0, 1.5, 3.5, 4.5, 5.5))


def main() -> None:
    """Print all misfits."""
    print("PDF: rms misfit between two potentials, same structure (simulated), 1.9-6 A, Q 0.8-22 1/A")
    names = sorted(path.stem.split("_", 1)[1] for path in (HERE / "structures").glob("chgnet_*.extxyz"))
    pairs = [
        (name, a, b, HERE / f"structures/{a}_{name}.extxyz", HERE / f"structures/{b}_{name}.extxyz")
        for name in names
        for a, b in itertools.combinations(("chgnet", "7net-l3i5", "mf0-R2SCAN"), 2)
    ]
    crystal = [HERE / f"structures/NaTaCl6_P21c_32_{p}.extxyz" for p in ("l3i5", "chgnet")]
    pairs.append(("NaTaCl6 crystal", "7net-l3i5", "chgnet", *crystal))
    for name, a, b, truth, model in pairs:
        values = [pdf_misfit(truth, model, u_iso=u) for u in (0.006, 0.012, 0.02)]
        print(
            f"  {name:20s} {a:10s} {b:10s}  U = 0.006, 0.012, 0.02 A^2: "
            + "  ".join(f"{v:.3f}" for v in values)
        )
    folder = os.environ.get("SHORTRANGE_DATA")
    if not folder:
        print("EXAFS: set SHORTRANGE_DATA to the folder of measured foils")
        return
    print("relative standard deviation, between three potentials, of the spread of Ta-Cl bonds (simulated)")
    for name in ("NaTaCl6", "NaTaSCl4", "Ta2Cl10_edge_muCl2"):
        spreads = [
            bond_spread(HERE / f"structures/{p}_{name}.extxyz") for p in ("chgnet", "7net-l3i5", "mf0-R2SCAN")
        ]
        print(f"  {name}: {np.std(spreads, ddof=1) / np.mean(spreads):.2f}")
    print("EXAFS: rms misfit of the first shells of measured compounds, k 3-12 1/A")
    known_exactly = []
    for compound in COMPOUNDS:
        misfit, stretch, corrected = exafs_misfit(Path(folder), *compound)
        print(f"  {compound[0]}: {misfit:.3f}; stretch {stretch:.4f}, without thermal shift {corrected:.4f}")
        if not compound[0].startswith("FeO"):
            known_exactly.append(corrected)
    print(f"  rms stretch without FeO: {np.sqrt(np.mean(np.square(known_exactly))):.4f}")
    print("PDF: rms misfit of measured crystals, 1.9-6 A")
    for name, *known in CRYSTALS:
        print(f"  {name}: {crystal_misfit(Path(folder), *known):.3f}")


if __name__ == "__main__":
    main()
