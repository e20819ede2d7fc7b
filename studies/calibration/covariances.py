"""What theory errors with a structure would do to the odds of EXAFS alone, in a linear evaluation.

    python studies/calibration/covariances.py --first 300 --truths 100 --out covariances.csv
    python studies/calibration/covariances.py --read covariances.csv

Each model is fitted as in a verdict and taken as linear about its fit; with normal priors the evidence is
then that of a normal distribution, for any covariance. Beside the white theory error stand the spread of the
bonds about their mean, and an error in amplitude and phase that is smooth in k, as FEFF's is. Mixtures are
left out. Everything is SIMULATED.
"""

from __future__ import annotations

import argparse
import csv
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve
from scipy.special import logsumexp

sys.path.insert(0, str(Path(__file__).parent))

from measurement import scans
from spectra import Truth, make_truth

from run import CANDIDATES, CONDITIONS, xas_table
from shortrange.compare.theory_error import EXAFS_THEORY_ERROR
from shortrange.fit.laplace import fit_term, model_slopes
from shortrange.fit.term import Term
from shortrange.load import load_trajectory
from shortrange.reduce.xas import XasReduction, reduce_xas
from shortrange.run.xas import SimulatedExafs, compare_exafs, simulate_exafs

Array = NDArray[Any]
SPREAD, FEFF_LENGTH = 0.15, 4.0
"""Relative spread of the bonds; correlation of FEFF's errors in k, 1/angstrom."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A covariance: size of the spread, and the part of the theory error's power that is like FEFF's."""

    spread: float = 0.0
    feff: float = 0.0
    median: float = EXAFS_THEORY_ERROR.median


COLUMNS = ("truth", "kind", "condition", "covariance", "model", "log_evidence")
KINDS = {
    "white": Kind(),
    "white, 0.08": Kind(median=0.08),
    "white + spread": Kind(spread=SPREAD),
    "half as FEFF's": Kind(feff=0.5),
    "half as FEFF's + spread": Kind(feff=0.5, spread=SPREAD),
}


def measured(truth: Truth, number: int) -> XasReduction:
    """Measure a truth under condition ``number``, as in the study, and reduce the scans."""
    condition = CONDITIONS[number]
    rng = np.random.default_rng([2027, truth.number, number])
    sweeps = scans(truth.k, truth.chi, condition, rng=rng)
    return reduce_xas(sweeps, element="Ta", edge="L3", mode="transmission", k_range=(3.0, condition.k_max))


def smooth_error(term: Term, theta: Array) -> Array:
    """Covariance of errors in amplitude and phase that are smooth in k, of the signal's power, (m, m)."""
    from scipy.signal import hilbert

    k, curve = term.x, term.model(theta)
    pad = np.zeros(k.size)
    turned = hilbert(np.concatenate([pad, curve, pad]))[k.size : 2 * k.size].imag
    near = np.exp(-0.5 * ((k[:, None] - k) / FEFF_LENGTH) ** 2)
    found = term.modes.T @ (near * (np.outer(curve, curve) + np.outer(turned, turned))) @ term.modes
    return np.asarray(found * term.signal_power / np.mean(np.diag(found)))


def evidences(term: Term) -> dict[str, float]:
    """Logarithm of the evidence of one model with each covariance."""
    identity = np.eye(term.modes.shape[1])
    size = EXAFS_THEORY_ERROR.median**2 * term.signal_power
    theta = fit_term(term, term.known_covariance() + size * identity).theta
    slopes, feff = model_slopes(term, theta), smooth_error(term, theta)
    means, sigmas = np.array([p.prior for p in term.parameters]).T
    residual = term.residual(theta) + slopes @ (theta - means)
    free = term.known_covariance() + (slopes * sigmas**2) @ slopes.T
    assert term.spread is not None
    bonds = term.modes.T @ term.spread(theta)
    found = {}
    for name, kind in KINDS.items():
        sizes, prior = EXAFS_THEORY_ERROR.nodes()
        sizes = sizes * kind.median / EXAFS_THEORY_ERROR.median
        theory = term.signal_power * (1 - kind.feff) * identity + kind.feff * feff
        base = free + kind.spread**2 * bonds @ bonds.T
        found[name] = float(
            logsumexp(np.log(prior) + [_log_normal(residual, base + s**2 * theory) for s in sizes])
        )
    return found


def _log_normal(residual: Array, covariance: Array) -> float:
    factor = cho_factor(covariance, lower=True)
    return float(
        -0.5 * residual @ cho_solve(factor, residual)
        - np.sum(np.log(np.diag(factor[0])))
        - 0.5 * residual.size * np.log(2 * np.pi)
    )


def rows(numbers: Iterable[int], candidates: SimulatedExafs) -> Iterator[dict[str, Any]]:
    """Yield a row for each truth, covariance and model."""
    for number in numbers:
        if number % 5 == 4:  # mixtures
            continue
        start, condition = time.process_time(), number % len(CONDITIONS)
        truth = make_truth(number, scattering=False)
        comparison = compare_exafs(
            xas_table(CONDITIONS[condition].k_max), measured(truth, condition), candidates
        )
        for model, term in comparison.terms.items():
            for covariance, value in evidences(term).items():
                yield {
                    "truth": number, "kind": truth.kinds[0], "condition": CONDITIONS[condition].name,
                    "covariance": covariance, "model": model, "log_evidence": f"{value:.4f}",
                }  # fmt: skip
        print(f"truth {number}: {time.process_time() - start:.1f} s", file=sys.stderr, flush=True)


def tell(table: Iterable[Mapping[str, str]]) -> None:
    """Print how far stated probabilities are right."""
    sums: dict[str, dict[tuple[str, str], dict[str, float]]] = {}
    for row in table:
        each = sums.setdefault(row["covariance"], {}).setdefault((row["truth"], row["kind"]), {})
        each[row["model"]] = float(row["log_evidence"])
    heads = (
        "theory error",
        "P below 0.5",
        "0.5 to 0.9",
        "0.9 and more",
        "-ln P, truth",
        "than white",
        "ln Z",
    )
    print(f"| {' | '.join(heads)} |")
    print(f"|{'---|' * len(heads)}")
    white = next(iter(sums.values()))
    lost_white = np.array([_lost(logs, kind) for (_, kind), logs in white.items()])
    for covariance, truths in sums.items():
        found = []
        for (number, kind), logs in truths.items():
            best = max(logs, key=lambda model: logs[model])
            gain = logs[kind] - white[number, kind][kind]
            found.append((np.exp(-_lost(logs, best)), best == kind, _lost(logs, kind), gain))
        p, right, lost, gain = (np.array(x, dtype=float) for x in zip(*found, strict=True))
        cells = []
        for low, high in ((0.0, 0.5), (0.5, 0.9), (0.9, 1.01)):
            some = (p >= low) & (p < high)
            cells.append(
                f"{p[some].mean():.2f}, {right[some].mean():.2f} ({some.sum()})" if some.any() else "-"
            )
        more = lost - lost_white
        error = more.std(ddof=1) / np.sqrt(more.size)
        cells += [f"{lost.mean():.3f}", f"{more.mean():+.3f} ± {error:.3f}", f"{gain.sum():+.1f}"]
        print(f"| {covariance} | {' | '.join(cells)} |")


def _lost(logs: Mapping[str, float], model: str) -> float:
    """Return minus the logarithm of a model's probability among all."""
    return float(logsumexp(list(logs.values())) - logs[model])


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--first", type=int, default=300)
    parser.add_argument("--truths", type=int, default=100)
    parser.add_argument("--out", type=Path, default=Path("covariances.csv"))
    parser.add_argument("--read", type=Path)
    asked = parser.parse_args()
    if asked.read:
        with asked.read.open() as file:
            tell(csv.DictReader(file))
        return
    models = {name: load_trajectory(path) for name, path in CANDIDATES.items()}
    candidates = simulate_exafs(xas_table(12.5), models, tell=lambda _: None)
    with asked.out.open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        for row in rows(range(asked.first, asked.first + asked.truths), candidates):
            writer.writerow(row)
            file.flush()
    with asked.out.open() as file:
        tell(csv.DictReader(file))


if __name__ == "__main__":
    main()
