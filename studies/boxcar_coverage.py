"""How often the truth lies within one error of the fractions and the coherence length of a box-car.

    python studies/boxcar_coverage.py [--draws 200] [--case mixture] [--out coverage.json]

SIMULATED data: nickel beside nickel oxide, as a mixture throughout, with an oxide that falls to nothing from
7 to 9 angstrom, with one that stops at 9.2, and with one that fades around 9 (a logistic curve 0.8 wide).
Each goes to F(Q) from 0.7 to 22 1/angstrom, gets white noise, and comes back; with and without stated errors.
Fractions of the windows centred beyond 15 angstrom, of the fit of all windows at all its knots, and the
length at which the fraction has fallen to half, are compared with what was put in. Lattices start off by
0.2 %.
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


def fades() -> dict[str, np.ndarray]:
    """Part of the oxide that is still ordered at each r."""
    return {
        "mixture": np.ones(R_FINE.size),
        "oxide ends at 9": np.clip((9.0 - R_FINE) / 2.0, 0.0, 1.0),
        "oxide stops at 9.2": np.clip((9.25 - R_FINE) / 0.1, 0.0, 1.0),
        "oxide fades at 9": 1.0 / (1.0 + np.exp((R_FINE - 9.0) / 0.8)),
    }


def clean(models: dict[str, CrystalPdf], fade: np.ndarray) -> np.ndarray:
    """Return F(Q) of the sample, shape of ``Q``: order fades before form factors and the ends of Q."""
    total = np.zeros(Q.size)
    for name, model in models.items():
        r = np.arange(1, 1500) * 0.03
        window = model.on(r, model.tables(r, q_max=Q_MAX), active=())
        h = window.density(np.array([*model.start[:-1], Q_DAMP]))[:, 0]
        if name != "Ni":
            h = h * np.interp(window.grid, R_FINE, fade)
        transform = np.sin(np.outer(Q, window.grid)) * (window.grid[1] - window.grid[0])
        total += SCALES[name] * np.sum(model.pair_weights(Q).T * (transform @ h.T), axis=1)
    return total


def study(fade: np.ndarray, *, known: bool, draws: int) -> dict[str, float]:
    """Misfits of fractions and lengths in their errors, over draws of noise."""
    models = {n: crystal_pdf(c, r_max=50.0, composition=SAMPLE) for n, c in crystals(off=0.0).items()}
    f = clean(models, fade)
    weights = mass_weights(models) * np.array(list(SCALES.values()))
    truth = weights[1] * fade / (weights[0] + weights[1] * fade)
    below = truth < truth[0] / 2
    half = None
    if below.any():
        k = int(np.argmax(below))
        # Errors of lengths may be as small as the steps of this grid.
        half = float(np.interp(-truth[0] / 2, -truth[k - 1 : k + 1], R_FINE[k - 1 : k + 1]))
    back = 2 / np.pi * np.sin(np.outer(R, Q)) * 0.01
    sigma = NOISE * np.sqrt(np.sum(back**2, axis=1)) if known else None
    windows, trends, halves, errors = [], [], [], []
    for seed in range(draws):
        g = back @ (f + np.random.default_rng(seed).normal(0, NOISE, Q.size))
        gr = GR(r=R, g=g, sigma=sigma, q_min=Q_MIN, q_max=Q_MAX, q_damp=Q_DAMP, label="simulated")
        found = boxcar(gr, crystals(off=0.002), r_range=(1.5, 26.5), window=5.0, step=5.0, composition=SAMPLE)
        beyond = [w for w in found.windows if w.r_center > BEYOND]
        at = np.interp([w.r_center for w in beyond], R_FINE, truth)
        windows.append([(w.share("NiO")[0] - t) / w.share("NiO")[1] for w, t in zip(beyond, at, strict=True)])
        if found.trend is not None:
            k = found.trend.phases.index("NiO")
            error = np.sqrt(np.diag(found.trend.mass_covariance[k]))
            trends.append((found.trend.mass[k] - np.interp(found.trend.knots, R_FINE, truth)) / error)
            errors.append(float(np.median(error)))
        length = found.coherence.get("NiO")
        if length is not None and length.half is not None and length.sigma is not None:
            halves.append([length.half, length.sigma])
    out = {"draws": draws, "failed": draws - len(trends), **_of("windows", windows),
           **_of("all_at_once", trends), "median_error_all_at_once": float(np.median(errors)),
           "lengths_given": len(halves) / draws}  # fmt: skip
    if half is not None and halves:
        given, error = np.array(halves).T
        out |= {"true_length": half, "median_error_of_length": float(np.median(error)),
                "mean_length": float(given.mean()), "spread_of_length": float(given.std()),
                **_of("length", (given - half) / error)}  # fmt: skip
    return out


def _of(name: str, misfits: object) -> dict[str, float]:
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
    for name, fade in fades().items():
        for known in (True, False):
            case = f"{name}, errors {'stated' if known else 'not stated'}"
            if asked.case not in case:
                continue
            found[case] = study(fade, known=known, draws=asked.draws)
            print(case, json.dumps(found[case], indent=1), flush=True)
    if asked.out:
        asked.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
