"""Are odds between motifs right? Against truths of the calibration study, by G(r) alone and with EXAFS.

    python studies/calibration/motif_odds.py --first 900 --truths 80 [--exafs] [--out table.csv]

Everything is SIMULATED. What stands for the surroundings of a unit is pooled without the kind of structure
that is the truth. The truth of edge-sharing (mu-S)2 holds isolated octahedra for half of its Ta: there the
mixture of the two motifs is right.
"""

from __future__ import annotations

import argparse
import csv
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1]))

from measurement import pattern, scans
from scipy.special import logsumexp
from spectra import Q, Truth, make_truth
from surroundings import load_boxes, pool

from run import CONDITIONS, WAVELENGTH, xas_table
from shortrange.compare.evidence import judge
from shortrange.compare.mixture import Component, judge_mixture
from shortrange.compare.theory_error import EXAFS_THEORY_ERROR, PDF_THEORY_ERROR
from shortrange.fit.motif_gr_term import motif_gr_term
from shortrange.fit.motif_term import find_angles
from shortrange.fit.term import Term
from shortrange.quantities import GR
from shortrange.reduce.scattering import reduce_scattering
from shortrange.reduce.xas import reduce_xas
from shortrange.run.xas import SimulatedExafs, compare_exafs, simulate_exafs
from shortrange.simulate.motifs import MotifHypothesis, motif_hypothesis
from shortrange.simulate.motifs.scattering import MotifGr
from shortrange.simulate.motifs.surroundings import SURROUNDINGS_END, Surroundings

MOTIFS: Mapping[str, Mapping[str, str]] = {
    "corner S": {"kind": "corner", "bridge": "S"},
    "corner Cl": {"kind": "corner", "bridge": "Cl"},
    "isolated": {"kind": "octahedron"},
    "edge S2": {"kind": "edge", "bridge": "S2"},
    "edge SCl": {"kind": "edge", "bridge": "SCl"},
    "edge Cl2": {"kind": "edge", "bridge": "Cl2"},
}
MIXED = "edge S2", "isolated"
MIXTURE = "edge S2 + isolated"
RIGHT = {"corner": "corner S", "isolated": "isolated", "edge S2": MIXTURE, "edge SCl": "edge SCl"}
DENSITY, R_LOW, Q_MIN = 0.0335, 1.9, 0.8
DATA = ("G(r)", "EXAFS", "both")
COLUMNS = ("truth", "kind", "condition", "data", "model", "log_evidence", "p_value", "share", "sigma_share")


def measured_gr(truth: Truth, number: int) -> GR:
    """Measure total scattering of a truth, and reduce it."""
    condition = CONDITIONS[number]
    inside = condition.q_max + 0.3 >= Q
    sample, empty = pattern(
        truth.f[inside], Q[inside], truth.composition, condition, wavelength=WAVELENGTH,
        rng=np.random.default_rng([2028, truth.number, number]),
    )  # fmt: skip
    return reduce_scattering(
        sample, background=empty, composition=truth.composition, number_density=DENSITY,
        q_range=(Q_MIN, condition.q_max), r=np.arange(0.0, 12.0, 0.02),
    ).gr  # fmt: skip


def gr_terms(
    gr: GR, truth: Truth, units: Mapping[str, MotifHypothesis], around: Surroundings, q_max: float
) -> dict[str, Term]:
    """State the comparison of G(r) with every motif."""
    r = gr.r[(gr.r >= R_LOW - 1e-9) & (gr.r <= SURROUNDINGS_END + 1e-9)]
    terms = {
        name: motif_gr_term(
            gr, MotifGr(unit, r=r, q_range=(Q_MIN, q_max), composition=truth.composition, q_damp=0.03),
            surroundings=around, number_density=DENSITY, measurement="PDF", q_range=(Q_MIN, q_max),
        )
        for name, unit in units.items()
    }  # fmt: skip
    return {name: find_angles(term, theory_error=PDF_THEORY_ERROR.median)[0] for name, term in terms.items()}


def exafs_terms(truth: Truth, number: int, simulated: SimulatedExafs) -> Mapping[str, Term]:
    """Measure EXAFS of a truth, reduce it, and state the comparison with every motif."""
    condition = CONDITIONS[number]
    sweeps = scans(truth.k, truth.chi, condition, rng=np.random.default_rng([2029, truth.number, number]))
    k_range = (3.0, condition.k_max)
    reduction = reduce_xas(sweeps, element="Ta", edge="L3", mode="transmission", k_range=k_range)
    return compare_exafs(xas_table(condition.k_max), reduction, simulated).terms


def judged(components: Mapping[str, Component]) -> list[dict[str, Any]]:
    """Return the evidence of every motif and of the mixture, from each measurement and from both."""
    rows = []
    for name in MOTIFS:
        fits = {d: judge(c.terms[name], theory_error=c.theory_error) for d, c in components.items()}
        rows += [
            {"data": data, "model": name, "log_evidence": fit.log_evidence, "p_value": fit.p_value}
            for data, fit in fits.items()
        ]
        if len(fits) > 1:
            total = sum(fit.log_evidence for fit in fits.values())
            rows.append({"data": "both", "model": name, "log_evidence": total})
    found = judge_mixture(list(components.values()), MIXED)
    share = {"share": found.shares[0].value, "sigma_share": found.shares[0].sigma}
    for data, fit in zip(components, found.fits, strict=True):
        own = {"log_evidence": fit.log_evidence, "p_value": fit.p_value}
        rows.append({"data": data, "model": MIXTURE, **own, **share})
    if len(components) > 1:
        rows.append({"data": "both", "model": MIXTURE, "log_evidence": found.log_evidence, **share})
    return rows


def summarise(path: Path) -> None:
    """Print how often the most probable motif, and the most probable way to share ligands, are right."""
    with path.open() as file:
        rows = list(csv.DictReader(file))
    for data in DATA:
        logs: dict[tuple[str, str], dict[str, float]] = {}
        for row in rows:
            if row["data"] == data:
                logs.setdefault((row["truth"], row["kind"]), {})[row["model"]] = float(row["log_evidence"])
        if not logs:
            continue
        chances = [
            (
                RIGHT[kind],
                {name: float(np.exp(x - logsumexp(list(each.values())))) for name, x in each.items()},
            )
            for (_, kind), each in logs.items()
        ]
        print(f"{data}, {len(chances)} truths")
        tell("motifs", chances)
        tell("ways to share", [(right.split()[0], shared(p)) for right, p in chances])


def shared(chances: Mapping[str, float]) -> dict[str, float]:
    """Add up motifs that share a corner, an edge, or nothing; the mixture counts among edges."""
    total: dict[str, float] = {}
    for name, p in chances.items():
        total[name.split()[0]] = total.get(name.split()[0], 0.0) + p
    return total


def tell(what: str, chances: Sequence[tuple[str, Mapping[str, float]]]) -> None:
    """Print what is stated and what is right."""
    truth = [p[right] for right, p in chances]
    print(f"  {what}: mean P of the truth {np.mean(truth):.2f}, mean -ln P {-np.mean(np.log(truth)):.2f}")
    best = [(max(p.values()), max(p, key=lambda name: p[name]) == right) for right, p in chances]
    for low, high in ((0.0, 0.5), (0.5, 0.9), (0.9, 1.01)):
        inside = [each for each in best if low <= each[0] < high]
        if inside:
            stated, found = np.mean(inside, axis=0)
            print(f"    P {low:.1f} to {min(high, 1):.1f}: {stated:.2f}, {found:.2f} ({len(inside)})")
    for kind in dict.fromkeys(right for right, _ in chances):
        own = [p[kind] for right, p in chances if right == kind]
        print(f"    {kind}: mean P {np.mean(own):.2f} ({len(own)})")


def main() -> None:
    """Run the study from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--first", type=int, default=900)
    parser.add_argument("--truths", type=int, default=80)
    parser.add_argument("--exafs", action="store_true", help="with Ta L3 EXAFS, a minute of CPU a truth")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "motif_odds.csv")
    parser.add_argument("--summary", action="store_true", help="only print what the table says")
    asked = parser.parse_args()
    if not asked.summary:
        run(asked)
    summarise(asked.out)


def run(asked: argparse.Namespace) -> None:
    """Judge the truths and write the table."""
    units = {name: motif_hypothesis(**kind) for name, kind in MOTIFS.items()}
    boxes = load_boxes()
    around = {kind: pool(boxes, without=[kind]) for kind in RIGHT}
    simulated = None
    if asked.exafs:
        starts = {name: unit.start.trajectory() for name, unit in units.items()}
        simulated = simulate_exafs(xas_table(12.5), starts, motifs=units, tell=lambda _: None)
    with asked.out.open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, restval="", lineterminator="\n")
        writer.writeheader()
        for number in range(asked.first, asked.first + asked.truths):
            if number % 5 == 4:  # mixtures of two boxes
                continue
            start, at = time.process_time(), number % len(CONDITIONS)
            truth = make_truth(number, absorption=asked.exafs)
            kind, q_max = truth.kinds[0], CONDITIONS[at].q_max
            terms = gr_terms(measured_gr(truth, at), truth, units, around[kind], q_max)
            strengths = dict.fromkeys(terms, 1.0)
            components = {"G(r)": Component(terms=terms, strengths=strengths, theory_error=PDF_THEORY_ERROR)}
            if simulated is not None:
                seen = exafs_terms(truth, at, simulated)
                components["EXAFS"] = Component(
                    terms=seen, strengths=strengths, theory_error=EXAFS_THEORY_ERROR
                )
            for row in judged(components):
                values = {k: f"{v:.5g}" if isinstance(v, float) else v for k, v in row.items()}
                writer.writerow({"truth": number, "kind": kind, "condition": CONDITIONS[at].name, **values})
            file.flush()
            print(f"truth {number}: {time.process_time() - start:.1f} s", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
