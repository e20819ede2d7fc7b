"""Run the calibration study: simulate, reduce and judge every data set, and write results.csv.

    python studies/calibration/run.py [--truths 100] [--first 0] [--out results.csv]

Each truth is measured under three conditions. What the measurements say together or alone, and with the right
model absent, follows from the same fits (`analyse.py`).
"""

from __future__ import annotations

import argparse
import csv
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))

from measurement import Condition, pattern, scans
from spectra import Q, Truth, make_truth
from truths import CANDIDATES

from shortrange.compare.evidence import judge
from shortrange.compare.mixture import Component, judge_mixture
from shortrange.compare.verdict import MeasurementFit
from shortrange.config import TotalScatteringMeasurement, XasMeasurement
from shortrange.load import load_trajectory
from shortrange.reduce.scattering import ScatteringReduction, reduce_scattering
from shortrange.reduce.xas import XasReduction, reduce_xas
from shortrange.run.comparison import Comparison
from shortrange.run.scattering import R_SIMULATED, R_STEP, compare_gr, simulate_pairs
from shortrange.run.xas import compare_exafs, simulate_exafs

CONDITIONS = (
    Condition(name="good", photons=2e8, n_scans=4, k_max=12.5, counts=1e7, q_max=23.0),
    Condition(name="middling", photons=1e6, n_scans=3, k_max=11.0, counts=1e5, q_max=19.0),
    Condition(name="poor", photons=6e4, n_scans=3, k_max=9.0, counts=3e3, q_max=15.0),
)
WAVELENGTH = 0.251
COLUMNS = (
    "truth", "kind", "share", "ta_cl", "ta_s", "bridge", "split", "amplitude", "packing", "condition",
    "model", "measurement", "log_evidence", "p_value", "R", "chi2_reduced", "points", "stretch",
    "sigma_stretch", "found_share", "sigma_share",
)  # fmt: skip


def xas_table(k_max: float) -> XasMeasurement:
    """Build the table that a project file would hold."""
    return XasMeasurement.model_construct(
        name="Ta L3", technique="xas", element="Ta", edge="L3", mode="transmission", scans=("*.xdi",),
        k_range=(3.0, k_max), k_weight=2.0, r_range=None,
    )  # fmt: skip


def pdf_table(q_max: float) -> TotalScatteringMeasurement:
    """Build the table that a project file would hold."""
    return TotalScatteringMeasurement.model_construct(
        name="PDF", technique="total-scattering", pattern="sample.chi", wavelength=WAVELENGTH,
        q_range=(0.8, q_max), r_range=None, qdamp=None,
    )  # fmt: skip


def measure(truth: Truth, number: int) -> tuple[XasReduction, ScatteringReduction]:
    """Measure a truth under condition ``number``, and reduce what was measured."""
    condition = CONDITIONS[number]
    rng = np.random.default_rng([2027, truth.number, number])
    sweeps = scans(truth.k, truth.chi, condition, rng=rng)
    inside = condition.q_max + 0.3 >= Q
    sample, empty = pattern(
        truth.f[inside], Q[inside], truth.composition, condition, wavelength=WAVELENGTH, rng=rng
    )
    xas = reduce_xas(sweeps, element="Ta", edge="L3", mode="transmission", k_range=(3.0, condition.k_max))
    pdf = reduce_scattering(
        sample, background=empty, composition=truth.composition, number_density=0.0335,
        q_range=(0.8, condition.q_max), r=np.arange(0.0, R_SIMULATED - 1.0 + R_STEP / 2, R_STEP),
    )  # fmt: skip
    return xas, pdf


class Candidates:
    """The hypotheses, simulated once."""

    def __init__(self) -> None:
        models = {name: load_trajectory(path) for name, path in CANDIDATES.items()}
        self.exafs = simulate_exafs(xas_table(12.5), models, tell=lambda _: None)
        self.pairs = simulate_pairs(pdf_table(23.0), models, tell=lambda _: None)

    def compare(self, xas: XasReduction, pdf: ScatteringReduction, number: int) -> tuple[Comparison, ...]:
        """State both comparisons of what was measured under condition ``number``."""
        condition = CONDITIONS[number]
        return (
            compare_exafs(xas_table(condition.k_max), xas, self.exafs),
            compare_gr(pdf_table(condition.q_max), pdf, self.pairs),
        )


def judged(comparison: Comparison) -> Iterator[dict[str, Any]]:
    """Yield one row for each model."""
    for name, term in comparison.terms.items():
        fit = judge(term, theory_error=comparison.theory_error)
        yield {
            "model": name, "measurement": fit.measurement, "log_evidence": fit.log_evidence,
            "p_value": fit.p_value, "R": fit.R, "chi2_reduced": fit.chi2_reduced,
            "points": term.modes.shape[1], **_stretch(fit),
        }  # fmt: skip


def _stretch(fit: MeasurementFit) -> dict[str, float | None]:
    found = next(p for p in fit.parameters if p.name == "stretch")
    return {"stretch": found.value, "sigma_stretch": found.sigma}


def judged_mixture(comparisons: Sequence[Comparison], kinds: Sequence[str]) -> dict[str, Any]:
    """Return the row of the mixture of the true kinds; its share is that of the first."""
    fit = judge_mixture(
        [Component(terms=c.terms, strengths=c.strengths, theory_error=c.theory_error) for c in comparisons],
        (kinds[0], kinds[1]),
    )  # fmt: skip
    return {
        "model": " + ".join(kinds), "measurement": "both", "log_evidence": fit.log_evidence,
        "p_value": min(each.p_value for each in fit.fits), "found_share": fit.shares[0].value,
        "sigma_share": fit.shares[0].sigma,
    }  # fmt: skip


def rows_of(
    truth: Truth, condition: int, reductions: tuple[XasReduction, ScatteringReduction], candidates: Candidates
) -> Iterator[dict[str, Any]]:
    """Yield all rows of one data set."""
    head = {
        "truth": truth.number, "kind": " + ".join(truth.kinds), "share": truth.share,
        **truth.change.as_dict(), "condition": CONDITIONS[condition].name,
    }  # fmt: skip
    comparisons = candidates.compare(*reductions, condition)
    for comparison in comparisons:
        for row in judged(comparison):
            yield {**head, **row}
    if len(truth.kinds) > 1:
        yield {**head, **judged_mixture(comparisons, truth.kinds)}


def main() -> None:
    """Run the study from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--truths", type=int, default=100)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results.csv")
    asked = parser.parse_args()
    candidates = Candidates()
    with asked.out.open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, restval="", lineterminator="\n")
        writer.writeheader()
        for number in range(asked.first, asked.first + asked.truths):
            start = time.process_time()
            truth = make_truth(number)
            for condition in range(len(CONDITIONS)):
                for row in rows_of(truth, condition, measure(truth, condition), candidates):
                    writer.writerow({k: f"{v:.5g}" if isinstance(v, float) else v for k, v in row.items()})
            print(f"truth {number}: {time.process_time() - start:.1f} s", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
