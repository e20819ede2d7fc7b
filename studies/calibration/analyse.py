"""Tables and the reliability diagram from results.csv.

python studies/calibration/analyse.py [results.csv] [--figure docs/images/calibration.svg]
"""

from __future__ import annotations

import argparse
import csv
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

HERE = Path(__file__).parent
DATA_SETS = {"EXAFS": ("Ta L3",), "G(r)": ("PDF",), "both": ("Ta L3", "PDF")}
ODDS, P_THRESHOLD, UNASKED = 20.0, 0.01, 0.1
"""As `shortrange.compare.rank` has them."""
BOND_LENGTH = 2.40
"""Mean Ta-Cl and Ta-S, angstrom."""
Array = NDArray[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One verdict beside the truth.

    Attributes
    ----------
    data, condition, offered
        Data sets, how well they were measured, and ``"right"``, ``"absent"`` or ``"mixture"``.
    verdict, best
        The rule's word and the most probable model.
    probability
        Of the best.
    right
        Whether the best is the true kind.
    """

    data: str
    condition: str
    offered: str
    verdict: str
    best: str
    probability: float
    right: bool


def outcomes(rows: Iterable[Mapping[str, str]]) -> list[Outcome]:
    """All verdicts that follow from the fits: by data set, with the right model and without it."""
    rows = list(rows)
    mixed = {
        (r["truth"], r["kind"], r["condition"]): float(r["log_evidence"])
        for r in rows
        if r["measurement"] == "both"
    }
    runs: dict[tuple[str, str, str], dict[str, dict[str, tuple[float, float]]]] = defaultdict(
        lambda: defaultdict(dict)
    )
    for row in rows:
        if row["measurement"] == "both":
            continue
        key = (row["truth"], row["kind"], row["condition"])
        runs[key][row["measurement"]][row["model"]] = (float(row["log_evidence"]), float(row["p_value"]))
    found = []
    for key, fits in runs.items():
        _, kind, condition = key
        for data, measurements in DATA_SETS.items():
            if not set(measurements) <= set(fits):
                continue
            models = list(fits[measurements[0]])
            if "+" in kind:
                offers = {"mixture": models}
            else:
                offers = {"right": models, "absent": [m for m in models if m != kind]}
            for offered, names in offers.items():
                verdict, best, probability = _decide([fits[m] for m in measurements], names)
                # The mixture of the true kinds, where one of them leads: tried without being asked for.
                if (
                    data == "both"
                    and best in kind.split(" + ")
                    and verdict == "supported"
                    and offered == "mixture"
                ):
                    gain = mixed[key] - sum(fits[m][best][0] for m in measurements)
                    verdict = "undecided" if gain >= np.log(ODDS / UNASKED) else verdict
                found.append(
                    Outcome(
                        data=data, condition=condition, offered=offered, verdict=verdict, best=best,
                        probability=probability, right=best == kind,
                    )
                )  # fmt: skip
    return found


def _decide(
    fits: Sequence[Mapping[str, tuple[float, float]]], names: Sequence[str]
) -> tuple[str, str, float]:
    """Apply the rule of `shortrange.compare.rank.decide` to bare numbers."""
    logs = {name: sum(each[name][0] for each in fits) for name in names}
    best, second, *_ = sorted(names, key=lambda name: -logs[name])
    total = np.logaddexp.reduce(list(logs.values()))
    chance = {name: min(each[name][1] for each in fits) for name in (best, second)}
    if chance[best] < P_THRESHOLD / len(fits):
        verdict = "none fits"
    else:
        sure = logs[best] - logs[second] >= np.log(ODDS) and chance[best] >= ODDS * chance[second]
        verdict = "supported" if sure else "undecided"
    return verdict, best, float(np.exp(logs[best] - total))


def table(found: Sequence[Outcome], offered: str) -> str:
    """Rates of verdicts by data set and condition, as a Markdown table."""
    lines = [
        "| data | condition | runs | supported, right | supported, wrong | undecided | none fits |",
        "|---|---|---|---|---|---|---|",
    ]
    for data in DATA_SETS:
        for condition in dict.fromkeys(o.condition for o in found):
            some = [o for o in found if (o.data, o.condition, o.offered) == (data, condition, offered)]
            if not some:
                continue
            n = len(some)
            counts = (
                sum(o.verdict == "supported" and o.right for o in some),
                sum(o.verdict == "supported" and not o.right for o in some),
                sum(o.verdict == "undecided" for o in some),
                sum(o.verdict == "none fits" for o in some),
            )
            lines.append(
                f"| {data} | {condition} | {n} | " + " | ".join(f"{100 * c / n:.0f} %" for c in counts) + " |"
            )
    return "\n".join(lines)


def shares(rows: Iterable[Mapping[str, str]]) -> list[tuple[float, float, float]]:
    """Return true share, found share and its error of every mixture."""
    return [
        (float(row["share"]), float(row["found_share"]), float(row["sigma_share"]))
        for row in rows
        if row["measurement"] == "both"
    ]


def lengths(rows: Iterable[Mapping[str, str]], measurement: str) -> tuple[Array, Array]:
    """Return deviation over error, and deviation (angstrom), of the mean bond of Ta from right models.

    The truth's bonds were shifted from those of the snapshots by known amounts; the fit's stretch of the
    candidate, times 2.40 angstrom, is what it says about them. Frames and runs add little to this.
    """
    found = []
    for row in rows:
        if row["measurement"] != measurement or row["model"] != row["kind"] or not row["sigma_stretch"]:
            continue
        ligands = {"Cl": 6.0, "S": 0.0} if row["kind"] == "isolated" else {"Cl": 5.0, "S": 1.0}
        true = (ligands["Cl"] * float(row["ta_cl"]) + ligands["S"] * float(row["ta_s"])) / 6.0
        error = BOND_LENGTH * float(row["stretch"]) - true
        found.append((error / (BOND_LENGTH * float(row["sigma_stretch"])), error))
    pull, error_of = np.array(found).T
    return pull, error_of


def reliability(found: Sequence[Outcome], edges: Sequence[float]) -> list[tuple[float, float, int]]:
    """Mean stated probability, rate of right ones and number of verdicts in bins of probability."""
    bins = []
    for low, high in pairwise(edges):
        some = [o for o in found if low <= o.probability < high]
        if some:
            bins.append(
                (
                    float(np.mean([o.probability for o in some])),
                    float(np.mean([o.right for o in some])),
                    len(some),
                )
            )
    return bins


def _percent(of: Iterable[bool]) -> str:
    return f"{100 * np.mean(list(of)):.1f} %"


EDGES = (0.25, 0.5, 0.7, 0.9, 0.97, 1.0001)


def draw(found: Sequence[Outcome], path: Path) -> None:
    """Draw stated probability against the rate of right models."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 3, figsize=(9.5, 3.3), sharey=True, layout="constrained")
    for ax, data in zip(axes, DATA_SETS, strict=True):
        some = [o for o in found if o.data == data and o.offered == "right"]
        bins = reliability(some, EDGES)
        x, y, n = (np.array(v, dtype=float) for v in zip(*bins, strict=True))
        # Wilson's 68 % interval of each rate.
        centre, half = (y + 0.5 / n) / (1 + 1 / n), np.sqrt(y * (1 - y) / n + 0.25 / n**2) / (1 + 1 / n)
        ax.plot([0.25, 1], [0.25, 1], color="0.6", lw=1)
        ax.errorbar(x, y, yerr=[np.maximum(y - centre + half, 0), np.maximum(centre + half - y, 0)],
                    fmt="o", color="C0", capsize=3)  # fmt: skip
        for a, b, count in zip(x, y, n, strict=True):
            ax.annotate(f"{count:.0f}", (a, b), xytext=(6, -11), textcoords="offset points", fontsize=8)
        ax.set(xlabel="stated probability of the best model", title=data, xlim=(0.25, 1.05), ylim=(0, 1.05))
    axes[0].set_ylabel("part that is right")
    figure.suptitle("Simulated truths that differ from all candidates; numbers of runs beside the points")
    figure.savefig(path)


def main() -> None:
    """Print the tables; draw the figure where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", type=Path, nargs="?", default=HERE / "results.csv")
    parser.add_argument("--figure", type=Path)
    asked = parser.parse_args()
    with asked.results.open() as file:
        rows = list(csv.DictReader(file))
    found = outcomes(rows)
    for offered in ("right", "absent", "mixture"):
        print(f"\nRight model {offered}\n\n{table(found, offered)}")
    some = [o for o in found if o.offered == "right"]
    for data in (*DATA_SETS, None):
        each = [o for o in some if data in (None, o.data)]
        sure = [o for o in each if o.probability >= 0.9]
        print(
            f"\n{data or 'all'}: of {len(sure)} with P >= 0.9, {_percent(o.right for o in sure)} right; "
            f"wrong supported {_percent(o.verdict == 'supported' and not o.right for o in each)}; "
            f"none fits although it does {_percent(o.verdict == 'none fits' for o in each)}"
        )
        for stated, true, n in reliability(each, EDGES):
            print(f"    stated {stated:.2f}  right {true:.2f}  of {n}")
    pure = [o for o in found if o.offered in ("right", "absent")]
    missed = [o for o in found if o.offered == "absent"]
    print(
        f"\nwrong models supported: {_percent(o.verdict == 'supported' and not o.right for o in pure)} of "
        f"{len(pure)} verdicts with or without the right model, "
        f"{_percent(o.verdict == 'supported' for o in missed)} of the {len(missed)} without it"
    )
    for data, (measurement,) in list(DATA_SETS.items())[:2]:
        pull, error = lengths(rows, measurement)
        print(
            f"\nbonds from {data}, {pull.size} right models: inside one error {_percent(abs(pull) < 1)}, "
            f"inside two {_percent(abs(pull) < 1.96)}, "
            f"rms error {np.sqrt(np.mean(error**2)):.4f} A"
        )
    pulls = np.array([abs(found_ - true) / sigma for true, found_, sigma in shares(rows)])
    print(
        f"\nshares of {pulls.size} mixtures: inside one error {_percent(pulls < 1)}, "
        f"inside two {_percent(pulls < 1.96)}, rms error "
        f"{np.sqrt(np.mean([(f - t) ** 2 for t, f, _ in shares(rows)])):.3f}"
    )
    if asked.figure:
        draw(found, asked.figure)


if __name__ == "__main__":
    main()
