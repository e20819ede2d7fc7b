"""Run the calibration study: simulate, reduce and judge every data set.

    python studies/calibration/run.py [--first 100] [--truths 200] [--mixtures] [--processes 2] [--out folder]

Each truth is measured under one of three conditions in turn, so that data sets are independent. Fits go to
fits.csv; verdicts of EXAFS, G(r) and both, with the right model and without it, to verdicts.csv. Where a
model is mixed with others before it is supported, the mixture that gains most stands beside the verdict.
"""

from __future__ import annotations

import argparse
import csv
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, replace
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))

from measurement import Condition, pattern, scans
from spectra import Q, Truth, make_truth
from truths import CANDIDATES, Local, local

from shortrange.compare.evidence import judge
from shortrange.compare.mixture import Component, MixtureFit, judge_mixture
from shortrange.compare.rank import decide, rank
from shortrange.compare.verdict import MeasurementFit
from shortrange.config import TotalScatteringMeasurement, XasMeasurement
from shortrange.load import load_trajectory
from shortrange.reduce.scattering import ScatteringReduction, reduce_scattering
from shortrange.reduce.xas import XasReduction, reduce_xas
from shortrange.run.comparison import Comparison
from shortrange.run.inputs import incomplete_models
from shortrange.run.scattering import R_SIMULATED, R_STEP, compare_gr, simulate_pairs
from shortrange.run.xas import compare_exafs, simulate_exafs

CONDITIONS = (
    Condition(name="good", photons=2e8, n_scans=4, k_max=12.5, counts=1e7, q_max=23.0),
    Condition(name="middling", photons=1e6, n_scans=3, k_max=11.0, counts=1e5, q_max=19.0),
    Condition(name="poor", photons=6e4, n_scans=3, k_max=9.0, counts=3e3, q_max=15.0),
)
WAVELENGTH = 0.251
HEAD = (
    "truth", "kind", "share", "ta_cl", "ta_s", "bridge", "split", "amplitude", "packing", "bond", "sulphur",
    "bridged", "condition",
)  # fmt: skip
FITS = (
    *HEAD, "model", "measurement", "log_evidence", "p_value", "R", "chi2_reduced", "points", "stretch",
    "sigma_stretch", "found_bond", "sigma_bond", "found_share", "sigma_share", "found_sulphur",
    "sigma_sulphur", "found_bridged", "sigma_bridged",
)  # fmt: skip
VERDICTS = (
    *HEAD, "data", "offered", "verdict", "best", "probability", "other", "gain", "other_share", "other_sigma",
)  # fmt: skip
DATA_SETS = {"EXAFS": (0,), "G(r)": (1,), "both": (0, 1)}


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
        self.local = {name: local(model) for name, model in models.items()}
        self.compositions = {name: model.composition for name, model in models.items()}
        self.absorbers = {name: model.composition["Ta"] / model.n_atoms for name, model in models.items()}
        self.exafs = simulate_exafs(xas_table(12.5), models, tell=lambda _: None)
        self.pairs = simulate_pairs(pdf_table(23.0), models, tell=lambda _: None)

    def compare(self, xas: XasReduction, pdf: ScatteringReduction, number: int) -> tuple[Comparison, ...]:
        """State both comparisons of what was measured under condition ``number``."""
        condition = CONDITIONS[number]
        return (
            compare_exafs(xas_table(condition.k_max), xas, self.exafs),
            compare_gr(pdf_table(condition.q_max), pdf, self.pairs),
        )


def judged(fit: MeasurementFit, model: str, points: int, found: Local) -> dict[str, Any]:
    """Return the row of one model and one measurement; its bonds are those of the model, stretched."""
    stretch = next(p for p in fit.parameters if p.name == "stretch")
    return {
        "model": model, "measurement": fit.measurement, "log_evidence": fit.log_evidence,
        "p_value": fit.p_value, "R": fit.R, "chi2_reduced": fit.chi2_reduced, "points": points,
        "stretch": stretch.value, "sigma_stretch": stretch.sigma,
        "found_bond": found.bond * (1.0 + stretch.value),
        "sigma_bond": None if stretch.sigma is None else found.bond * stretch.sigma,
    }  # fmt: skip


def judged_mixture(fit: MixtureFit, kinds: Sequence[str], candidates: Candidates) -> dict[str, Any]:
    """Return the row of the mixture of the true kinds; its share is that of the first.

    Numbers of neighbours are averages over absorbers, and their errors those of the share.
    """
    share, sigma = fit.shares[0].value, fit.shares[0].sigma
    row: dict[str, Any] = {
        "model": " + ".join(kinds), "measurement": "both", "log_evidence": fit.log_evidence,
        "p_value": min(each.p_value for each in fit.fits), "found_share": share, "sigma_share": sigma,
    }  # fmt: skip
    a, b = (candidates.absorbers[kind] for kind in kinds)
    part = share * a / (share * a + (1.0 - share) * b)
    slope = a * b / (share * a + (1.0 - share) * b) ** 2
    for name in ("sulphur", "bridged"):
        first, second = (getattr(candidates.local[kind], name) for kind in kinds)
        row[f"found_{name}"] = part * first + (1.0 - part) * second
        row[f"sigma_{name}"] = None if sigma is None else abs(first - second) * slope * sigma
    return row


class Mixtures:
    """Mixtures of candidates with one data set, each made once."""

    def __init__(self, comparisons: Sequence[Comparison]) -> None:
        self._components = [
            Component(terms=c.terms, strengths=c.strengths, theory_error=c.theory_error) for c in comparisons
        ]
        self._made: dict[tuple[str, str], MixtureFit] = {}

    def of(self, first: str, second: str) -> MixtureFit:
        """Return the mixture of two, with all measurements."""
        key = (first, second)
        if key not in self._made:
            self._made[key] = judge_mixture(self._components, key)
        return self._made[key]

    def seen_by(self, which: Sequence[int], first: str, second: str) -> MixtureFit:
        """Return the mixture with some of the measurements."""
        whole = self.of(first, second)
        if len(which) == len(self._components):
            return whole
        return replace(whole, log_evidence=whole.fits[which[0]].log_evidence)


def verdicts(
    fits: Mapping[str, Sequence[MeasurementFit]], truth: Truth, mixtures: Mixtures, candidates: Candidates
) -> Iterator[dict[str, Any]]:
    """Yield the verdict of each data set, with the right model and without it, by the rule of the package."""
    offers = {"mixture": list(fits)}
    if len(truth.kinds) == 1:
        offers = {"right": list(fits), "absent": [name for name in fits if name not in truth.kinds]}
    for data, which in DATA_SETS.items():
        for offered, names in offers.items():
            ranked = rank({name: [fits[name][i] for i in which] for name in names})
            lacking = incomplete_models({n: candidates.compositions[n] for n in names}, truth.composition)
            found, beside = decide(ranked, incomplete=lacking), {}
            if found.verdict == "supported":
                best = ranked[0].name
                tried = {name: mixtures.seen_by(which, best, name) for name in names if name != best}
                found = decide(ranked, admixtures=tried, incomplete=lacking)
                beside = best_mixture(tried, ranked[0].log_evidence)
            yield {
                "data": data, "offered": offered, "verdict": found.verdict, "best": ranked[0].name,
                "probability": ranked[0].probability, **beside,
            }  # fmt: skip


def best_mixture(tried: Mapping[str, MixtureFit], alone: float) -> dict[str, Any]:
    """Return the mixture that gains most over the model alone, and the other model's share in it."""
    other = max(tried, key=lambda name: tried[name].log_evidence)
    share = next(s for s in tried[other].shares if s.name == other)
    return {
        "other": other, "gain": tried[other].log_evidence - alone, "other_share": share.value,
        "other_sigma": share.sigma,
    }  # fmt: skip


def judge_truth(
    truth: Truth, condition: int, candidates: Candidates
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the rows of fits and of verdicts of one data set."""
    head = {
        "truth": truth.number, "kind": " + ".join(truth.kinds), "share": truth.share,
        **truth.change.as_dict(), **asdict(truth.local), "condition": CONDITIONS[condition].name,
    }  # fmt: skip
    comparisons = candidates.compare(*measure(truth, condition), condition)
    fits = {
        name: [judge(c.terms[name], theory_error=c.theory_error) for c in comparisons] for name in CANDIDATES
    }
    rows = [
        judged(fit, name, c.terms[name].modes.shape[1], candidates.local[name])
        for name, each in fits.items()
        for fit, c in zip(each, comparisons, strict=True)
    ]
    mixtures = Mixtures(comparisons)
    if len(truth.kinds) > 1:
        rows.append(judged_mixture(mixtures.of(*truth.kinds), truth.kinds, candidates))
    return [{**head, **row} for row in rows], [
        {**head, **row} for row in verdicts(fits, truth, mixtures, candidates)
    ]


@cache
def _candidates() -> Candidates:
    """Return the hypotheses, simulated once in each process."""
    return Candidates()


def _tables(number: int, *, mixture: bool) -> tuple[int, float, tuple[list[dict[str, Any]], ...]]:
    """Return the number of a truth, the seconds of CPU that it took, and its rows."""
    candidates = _candidates()
    start = time.process_time()
    tables = judge_truth(make_truth(number, mixture=mixture), number % len(CONDITIONS), candidates)
    return number, time.process_time() - start, tables


def main() -> None:
    """Run the study from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--truths", type=int, default=200)
    parser.add_argument("--first", type=int, default=100)
    parser.add_argument("--every", type=int, default=1, help="of the numbers of truths; 5 from 104: mixtures")
    parser.add_argument("--mixtures", action="store_true", help="make each truth a mixture of two kinds")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent)
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    numbers = range(asked.first, asked.first + asked.truths * asked.every, asked.every)
    with (
        ProcessPoolExecutor(asked.processes) as pool,
        (asked.out / "fits.csv").open("w", newline="") as fits,
        (asked.out / "verdicts.csv").open("w", newline="") as found,
    ):
        writers = [
            csv.DictWriter(file, columns, restval="", lineterminator="\n")
            for file, columns in ((fits, FITS), (found, VERDICTS))
        ]
        for writer in writers:
            writer.writeheader()
        for number, seconds, tables in pool.map(partial(_tables, mixture=asked.mixtures), numbers):
            for writer, rows in zip(writers, tables, strict=True):
                for row in rows:
                    writer.writerow({k: f"{v:.5g}" if isinstance(v, float) else v for k, v in row.items()})
            fits.flush(), found.flush()
            print(f"truth {number}: {seconds:.1f} s", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
