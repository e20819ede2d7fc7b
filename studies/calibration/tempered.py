"""What a power of the evidence does to the odds of EXAFS alone, and to those of G(r) alone.

python studies/calibration/tempered.py

Points count too much if their theory error is alike from one to the next; a power below one of the evidence
counts them as fewer (Miller and Dunson, J. Am. Stat. Assoc. 114 (2019) 1113, who do so to the likelihood).
The power of EXAFS is chosen on truths 100 to 264 of earlier/fits.csv, by the mean -ln P of the truth, and
judged on those of covariances.csv, and of covariances_new.csv, which were looked at when it stood. All hold
ln Z with every point counted in full.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

HERE = Path(__file__).parent
POWERS = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2)
EDGES = (0.0, 0.5, 0.9, 1.0)
Array = NDArray[Any]


def evidences(path: Path, wanted: Callable[[Mapping[str, str]], bool]) -> tuple[Array, Array]:
    """Ln evidence (n, m) of the models that every truth was offered, and the number (n,) of the right one."""
    found: dict[tuple[str, str], dict[str, float]] = defaultdict(dict)
    with path.open() as stream:
        for row in csv.DictReader(stream):
            if wanted(row):
                found[row["truth"], row["kind"]][row["model"]] = float(row["log_evidence"])
    models = sorted(set.intersection(*(set(each) for each in found.values())))
    kept = {key: each for key, each in found.items() if key[1] in models}
    logs = np.array([[each[model] for model in models] for each in kept.values()])
    return logs, np.array([models.index(kind) for _, kind in kept])


def log_odds(logs: Array, power: float) -> Array:
    """Ln P of each model, equal before the data, shape (n, m)."""
    return np.asarray(power * logs - logsumexp(power * logs, axis=1, keepdims=True))


def row(logs: Array, right: Array, power: float) -> Sequence[str]:
    """Stated and right by P of the best (runs); mean -ln P of the truth, and that less the one of power 1."""
    tempered, plain = log_odds(logs, power), log_odds(logs, 1.0)
    n = np.arange(right.size)
    best = tempered.argmax(axis=1)
    stated, hit = np.exp(tempered.max(axis=1)), best == right
    cells = [f"{power:g}"]
    for low, high in pairwise(EDGES):
        some = (stated >= low) & (stated < high + (high == 1.0))
        means = f"{stated[some].mean():.2f}, {hit[some].mean():.2f}" if some.any() else "-"
        cells.append(f"{means} ({some.sum()})")
    change = plain[n, right] - tempered[n, right]
    return [*cells, f"{-tempered[n, right].mean():.3f}",
            f"{change.mean():+.3f} ± {change.std(ddof=1) / np.sqrt(change.size):.3f}"]  # fmt: skip


def main() -> None:
    """Print a Markdown table for each set of truths."""
    earlier = HERE / "earlier" / "fits.csv"
    sets = {
        "EXAFS, chosen on": evidences(
            earlier,
            lambda r: r["measurement"] == "Ta L3" and float(r["share"]) == 1.0 and int(r["truth"]) < 300,
        ),
        "EXAFS, judged on": evidences(HERE / "covariances.csv", lambda r: r["covariance"] == "white"),
        "EXAFS, new": evidences(HERE / "covariances_new.csv", lambda r: r["covariance"] == "white"),
        "G(r)": evidences(earlier, lambda r: r["measurement"] == "PDF" and float(r["share"]) == 1.0),
    }
    for name, (logs, right) in sets.items():
        print(f"\n{name}: {right.size} truths\n")
        print("| power | P below 0.5 | 0.5 to 0.9 | 0.9 and more | mean −ln P of the truth | more than 1 |")
        print("|---|---|---|---|---|---|")
        for power in POWERS:
            print("| " + " | ".join(row(logs, right, power)).replace("-0.", "−0.") + " |")


if __name__ == "__main__":
    main()
