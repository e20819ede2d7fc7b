"""How wrong is a right model? The numbers behind `shortrange.compare.theory_error`.

PDF: the same structure relaxed by two machine-learned potentials (simulated; `structures/`), one taken as
data and the other fitted to it with the usual parameters. EXAFS: measured foils of known structure, first
shell, fitted with the usual parameters; needs the folder of measured data in SHORTRANGE_DATA.

    python studies/theory_error.py
"""

from __future__ import annotations

import itertools
import os
from pathlib import Path

import numpy as np

from shortrange.compare.evidence import judge
from shortrange.compare.theory_error import TheoryError
from shortrange.fit.exafs_term import EXAFS_PARAMETERS, exafs_term
from shortrange.fit.parameters import changed
from shortrange.fit.pdf_term import PDF_PARAMETERS, pdf_term
from shortrange.load import load_scans, load_trajectory
from shortrange.quantities import GR, Trajectory
from shortrange.reduce.xas import reduce_xas
from shortrange.simulate.exafs import ensemble_exafs
from shortrange.simulate.pairs import pair_histograms
from shortrange.simulate.pdf import PdfModel

HERE = Path(__file__).parent
R = np.arange(1.9, 6.0001, 0.02)
Q_RANGE = (0.8, 22.0)
# Wide enough that the fit is led by the data and not by what is to be found.
OPEN = TheoryError(median=0.1, log_sigma=1.0, source="this study")
FOILS = (
    ("W", "L3", "bcc", 3.1652, "W_L3/W_metal_rt_0*.xdi", (1.6, 3.3)),
    ("Cu", "K", "fcc", 3.6149, "other/cu_metal_rt.xdi", (1.4, 3.0)),
    ("Pt", "L3", "fcc", 3.9242, "other/pt_metal_rt.xdi", (1.6, 3.2)),
)
SITES = {"fcc": [[0, 0, 0], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]], "bcc": [[0, 0, 0], [0.5, 0.5, 0.5]]}


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


def exafs_misfit(
    folder: Path, element: str, edge: str, lattice: str, a: float, files: str, r_range: tuple[float, float]
) -> float:
    """Root of the R-factor of a measured foil's first shell."""
    scans = [s for path in sorted((folder / "xas_xdi").glob(files)) for s in load_scans(path)]
    reduction = reduce_xas(scans, element=element, edge=edge, k_range=(3.0, 13.0))
    sites = np.array(SITES[lattice])
    crystal = Trajectory(
        species=(element,) * len(sites), positions=a * sites[None], cells=a * np.eye(3)[None]
    )
    ensemble = ensemble_exafs(crystal, absorber=element, edge=edge)
    thermal = changed(
        EXAFS_PARAMETERS, "delta_sigma2", value=0.005, lower=0.0, upper=0.04, prior=(0.006, 0.006)
    )
    term = exafs_term(
        reduction.chi, ensemble, measurement=element, k_range=(3.0, 13.0), r_range=r_range, parameters=thermal
    )
    return float(np.sqrt(judge(term, theory_error=OPEN).R))


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
    print("EXAFS: rms misfit of the first shell of measured foils, k 3-13 1/A")
    for foil in FOILS:
        print(f"  {foil[0]} {foil[1]}: {exafs_misfit(Path(folder), *foil):.3f}")


if __name__ == "__main__":
    main()
