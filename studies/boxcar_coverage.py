"""How often the truth lies within one error of the fractions of a box-car beyond 15 angstrom.

    python studies/boxcar_coverage.py [--draws 200] [--case mixture] [--out coverage.json]

SIMULATED data: nickel beside nickel oxide, once as a mixture throughout, once with an oxide that ends at 9
angstrom. Each goes to F(Q) from 0.7 to 22 1/angstrom, gets white noise, and comes back; with and without
stated errors. Fractions of the windows centred beyond 15 angstrom, and of the fit of all windows at its knots
there, are compared with what was put in.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

from shortrange.crystal import Crystal
from shortrange.fit.boxcar import boxcar
from shortrange.fit.fractions import mass_weights
from shortrange.quantities import GR
from shortrange.simulate.crystal_gr import CrystalPdf, crystal_pdf

FCC = np.array([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
SAMPLE = {"Ni": 2.0, "O": 1.0}
SCALES = {"Ni": 0.5, "NiO": 0.3}
Q_MIN, Q_MAX, Q_DAMP, NOISE = 0.7, 22.0, 0.04, 0.15
R_FINE, Q = np.arange(1, 5001) * 0.01, np.arange(Q_MIN, Q_MAX, 0.01)
R = R_FINE[:2700]
BEYOND = 15.0


def cubic(a: float, species: tuple[str, ...], positions: np.ndarray, u_iso: float) -> Crystal:
    """Return a cubic crystal, angstrom and angstrom^2."""
    n = len(species)
    return Crystal(
        lattice=(a, a, a, 90, 90, 90), species=species, positions=positions, occupancies=np.ones(n),
        u_iso=np.full(n, u_iso), system="cubic",
    )  # fmt: skip


def crystals(*, off: float) -> dict[str, Crystal]:
    """Nickel and its oxide, with lattices off by a part of their length."""
    return {
        "Ni": cubic(3.53 * (1 + off), ("Ni",) * 4, FCC, 0.005),
        "NiO": cubic(4.185 * (1 - off), ("Ni",) * 4 + ("O",) * 4, np.vstack([FCC, FCC + 0.5]), 0.007),
    }


def clean(models: dict[str, CrystalPdf], end: float | None) -> np.ndarray:
    """Return F(Q) of the sample, shape of ``Q``."""
    total = np.zeros(R_FINE.size)
    for name, model in models.items():
        g = SCALES[name] * model.curve(model.start, R_FINE, q_max=40.0)
        g = g * np.exp(-0.5 * (Q_DAMP * R_FINE) ** 2)
        total += g if end is None or name == "Ni" else g * np.clip((end - R_FINE) / 2.0, 0.0, 1.0)
    return np.sin(np.outer(Q, R_FINE)) @ total * 0.01


def study(end: float | None, *, known: bool, draws: int) -> dict[str, float]:
    """Misfits of the fractions in their errors, over draws of noise."""
    models = {n: crystal_pdf(c, r_max=50.0, composition=SAMPLE) for n, c in crystals(off=0.0).items()}
    f = clean(models, end)
    weights = mass_weights(models) * np.array(list(SCALES.values()))
    truth = float(weights[1] / weights.sum()) if end is None else 0.0
    back = 2 / np.pi * np.sin(np.outer(R, Q)) * 0.01
    sigma = NOISE * np.sqrt(np.sum(back**2, axis=1)) if known else None
    windows, trends, widest = [], [], []
    for seed in range(draws):
        g = back @ (f + np.random.default_rng(seed).normal(0, NOISE, Q.size))
        gr = GR(r=R, g=g, sigma=sigma, q_min=Q_MIN, q_max=Q_MAX, q_damp=Q_DAMP, label="simulated")
        found = boxcar(gr, crystals(off=0.002), r_range=(1.5, 26.5), window=5.0, step=2.5, composition=SAMPLE)
        pairs = [w.share("NiO") for w in found.windows if w.r_center > BEYOND]
        windows.append([(value - truth) / error for value, error in pairs])
        if found.trend is not None:
            trend, beyond = found.trend, found.trend.knots > BEYOND
            k = trend.phases.index("NiO")
            errors = np.sqrt(np.diag(trend.mass_covariance[k]))
            trends.append(((trend.mass[k] - truth) / errors)[beyond])
            widest.append(float(errors[beyond].max()))
    return {"truth": truth, "draws": draws, **_of("windows", windows), **_of("all_at_once", trends),
            "largest_error_all_at_once": float(np.median(widest))}  # fmt: skip


def _of(name: str, misfits: list) -> dict[str, float]:
    z = np.array(misfits)
    return {
        f"{name}_within_one_error": float(np.mean(np.abs(z) < 1)),
        f"{name}_within_two_errors": float(np.mean(np.abs(z) < 2)),
        f"{name}_mean": float(z.mean()),
        f"{name}_spread": float(z.std()),
    }


def main() -> None:
    """Run the cases and print how often the truth was met."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draws", type=int, default=200)
    parser.add_argument("--case", default="", help="only those whose name holds this")
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    found = {}
    for name, end in (("mixture", None), ("oxide ends at 9", 9.0)):
        for known in (True, False):
            case = f"{name}, errors {'stated' if known else 'not stated'}"
            if asked.case not in case:
                continue
            found[case] = study(end, known=known, draws=asked.draws)
            print(case, json.dumps(found[case], indent=1), flush=True)
    if asked.out:
        asked.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
