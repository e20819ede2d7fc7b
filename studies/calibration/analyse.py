"""Tables and the reliability diagram from fits.csv and verdicts.csv.

python studies/calibration/analyse.py [folder ...] [--figure docs/images/calibration.png]
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

HERE = Path(__file__).parent
DATA_SETS = {"EXAFS": "Ta L3", "G(r)": "PDF", "both": None}
SPREAD = 0.15
"""Relative standard deviation of the spread of bonds: what truths are drawn with, and errors assume."""
ONE_SIDED = 1.645
"""Standard deviations below which 95 % of a normal distribution lie, as in a verdict's upper limits."""
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


def read(path: Path) -> list[dict[str, str]]:
    """Rows of a table."""
    with path.open() as file:
        return list(csv.DictReader(file))


def outcomes(rows: Iterable[Mapping[str, str]]) -> list[Outcome]:
    """All verdicts beside their truths."""
    return [
        Outcome(
            data=row["data"], condition=row["condition"], offered=row["offered"], verdict=row["verdict"],
            best=row["best"], probability=float(row["probability"]), right=row["best"] == row["kind"],
        )
        for row in rows
    ]  # fmt: skip


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


def pulls(rows: Iterable[Mapping[str, str]], true: str, name: str) -> tuple[Array, Array]:
    """Return deviation over error, and deviation, of what was found of a quantity.

    Parameters
    ----------
    rows
        Of fits; those without the quantity, or with a parameter at its limit, are passed over.
    true, name
        Column of the true value, and the quantity in ``found_...`` and ``sigma_...``.
    """
    found = [
        (float(row[f"found_{name}"]) - float(row[true]), float(row[f"sigma_{name}"]))
        for row in rows
        if row[f"found_{name}"] and row[f"sigma_{name}"] and float(row[f"sigma_{name}"]) > 0
    ]
    error, sigma = np.array(found).reshape(-1, 2).T
    return error / sigma, error


def right_models(rows: Iterable[Mapping[str, str]], measurement: str) -> list[Mapping[str, str]]:
    """Return fits of the right model to one measurement."""
    return [row for row in rows if row["measurement"] == measurement and row["model"] == row["kind"]]


def misfits(rows: Iterable[Mapping[str, str]]) -> dict[str, Array]:
    """Return the 5 % and 95 % points of Rw of right and of wrong models, for good data of one kind."""
    good = [
        row
        for row in rows
        if row["condition"] == "good" and row["measurement"] == "PDF" and "+" not in row["kind"]
    ]
    right = [float(row["R"]) for row in good if row["model"] == row["kind"]]
    wrong = [float(row["R"]) for row in good if row["model"] != row["kind"]]
    both = {"right": right, "wrong": wrong}
    return {kind: np.percentile(each, [5, 95]) for kind, each in both.items() if each}


def coverage(label: str, pull: Array, error: Array) -> str:
    """Row of a Markdown table: how often errors are right, with the standard error of that rate."""
    inside = np.mean(abs(pull) < 1)
    doubt = np.sqrt(0.68 * 0.32 / pull.size)
    return (
        f"| {label} | {pull.size} | {100 * inside:.1f} ± {100 * doubt:.1f} % "
        f"| {100 * np.mean(abs(pull) < 1.96):.1f} % | {np.sqrt(np.mean(error**2)):.3f} |"
    )


def coverage_over_spread(rows: Sequence[Mapping[str, str]], limit: float) -> float:
    """Rate of bond lengths inside ``limit`` errors, averaged over the spread of bonds that errors assume.

    The spread drawn for a truth moves its fit by a slope that is the same for all truths of a kind. With the
    slope from a straight line, each truth stands for all draws of the spread instead of the one it had.

    Parameters
    ----------
    rows
        Fits of right models to one kind of data.
    limit
        In errors.
    """
    rates = []
    for kind in dict.fromkeys(row["kind"] for row in rows):
        some = [row for row in rows if row["kind"] == kind and row["sigma_bond"]]
        found, true, sigma, spread = (
            np.array([float(row[name]) for row in some])
            for name in ("found_bond", "bond", "sigma_bond", "split")
        )
        slope, _ = np.polyfit(spread, found - true, 1)
        left = found - true - slope * spread
        # Two numbers were taken from the line.
        left = left.mean() + (left - left.mean()) * np.sqrt(left.size / (left.size - 2.0))
        width = abs(slope) * SPREAD
        rates.append(ndtr((limit * sigma - left) / width) - ndtr((-limit * sigma - left) / width))
    return float(np.mean(np.concatenate(rates)))


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


EDGES = (0.25, 0.5, 0.7, 0.9, 1.0001)
COARSE = (0.0, 0.5, 0.9, 1.0001)


def draw(found: Sequence[Outcome], path: Path) -> None:
    """Draw stated probability against the rate of right models."""
    from shortrange.report.style import GUIDE, MODELS, dress, finish, new_figure, png_bytes

    figure = new_figure(3.1, width=8.6)
    axes = figure.subplots(1, 3, sharey=True)
    for ax, data in zip(axes, DATA_SETS, strict=True):
        some = [o for o in found if o.data == data and o.offered == "right"]
        bins = reliability(some, EDGES)
        x, y, n = (np.array(v, dtype=float) for v in zip(*bins, strict=True))
        # Wilson's 68 % interval of each rate.
        centre, half = (y + 0.5 / n) / (1 + 1 / n), np.sqrt(y * (1 - y) / n + 0.25 / n**2) / (1 + 1 / n)
        ax.plot([0.25, 1], [0.25, 1], color=GUIDE, lw=1)
        ax.errorbar(x, y, yerr=[np.maximum(y - centre + half, 0), np.maximum(centre + half - y, 0)],
                    fmt="o", ms=5, lw=1.2, color=MODELS[0], capsize=3)  # fmt: skip
        for a, count in zip(x, n, strict=True):
            ax.text(a, 0.02, f"{count:.0f}", rotation=90, ha="center", va="bottom", fontsize=8)
        ax.set_title(data, loc="left", fontsize=9)
        ax.set(xlim=(0.25, 1.05), ylim=(0, 1.05))
        dress(ax, xlabel="stated probability of the best model")
    axes[0].set_ylabel("part that is right", fontsize=9)
    title = "Simulated truths that differ from all candidates; at the bottom: numbers of runs"
    path.write_bytes(png_bytes(finish(figure, title=title, simulated=True), dpi=110))


def tell_mixtures(judged: Sequence[Mapping[str, str]]) -> None:
    """Print the mixtures that one kind was supported for, and what mixtures gain over pure truths."""
    print("\nmixtures called by one kind: its part; nats that the best mixture gains, and the stated limit")
    tried = [row for row in judged if row["gain"]]
    for row in tried:
        if (row["offered"], row["verdict"]) == ("mixture", "supported"):
            kinds, share = row["kind"].split(" + "), float(row["share"])
            part = {kinds[0]: share, kinds[1]: 1.0 - share}.get(row["best"], 0.0)
            limit = float(row["other_share"]) + ONE_SIDED * float(row["other_sigma"])
            print(
                f"    {row['truth']} {row['data']} {row['condition']}: {row['best']}, {part:.2f}; "
                f"{float(row['gain']):+.1f}, {row['other']} below {limit:.2f}"
            )
    for offered in ("right", "mixture"):
        gains = [float(row["gain"]) for row in tried if (row["offered"], row["data"]) == (offered, "both")]
        print(f"nats that mixtures gain, {offered}, both data sets: {np.round(sorted(gains), 1).tolist()}")


def tell_coverage(fits: Sequence[Mapping[str, str]]) -> None:
    """Print how often errors are right."""
    print("\n| quantity | number | inside one error | inside two | rms error |\n|---|---|---|---|---|")
    averaged = []
    for data, measurement in DATA_SETS.items():
        if measurement:
            rows = right_models(fits, measurement)
            print(coverage(f"mean bond of Ta, from {data} (Å)", *pulls(rows, "bond", "bond")))
            averaged.append(
                f"{data}: {', '.join(f'{100 * coverage_over_spread(rows, n):.1f} %' for n in (1, 1.96))}"
            )
    for label, true, name in (
        ("share of a kind in a mixture", "share", "share"),
        ("S bonded to a Ta, from the mixture", "sulphur", "sulphur"),
        ("Ta that share a ligand with a Ta, from the mixture", "bridged", "bridged"),
    ):
        rows = [row for row in fits if row["measurement"] == "both"]
        if rows:
            print(coverage(label, *pulls(rows, true, name)))
    print(f"\nbonds inside one and two errors, averaged over a spread of {SPREAD:g}: {'; '.join(averaged)}")


def main() -> None:
    """Print the tables; draw the figure where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", type=Path, nargs="*", default=[HERE])
    parser.add_argument("--figure", type=Path)
    asked = parser.parse_args()
    fits = [row for folder in asked.results for row in read(folder / "fits.csv")]
    judged = [row for folder in asked.results for row in read(folder / "verdicts.csv")]
    found = outcomes(judged)
    for offered in ("right", "absent", "mixture"):
        print(f"\nRight model {offered}\n\n{table(found, offered)}")
    some = [o for o in found if o.offered == "right"]
    for data in (*DATA_SETS, None):
        each = [o for o in some if data in (None, o.data)]
        if not each:
            continue
        sure = [o for o in each if o.probability >= 0.9]
        print(
            f"\n{data or 'all'}: of {len(sure)} with P >= 0.9, {_percent(o.right for o in sure)} right; "
            f"wrong supported {_percent(o.verdict == 'supported' and not o.right for o in each)}; "
            f"none fits although it does {_percent(o.verdict == 'none fits' for o in each)}"
        )
        for stated, true, n in reliability(each, COARSE):
            print(f"    stated {stated:.2f}  right {true:.2f}  of {n}")
    for offers in (("right", "absent"), ("absent",), ("mixture",)):
        those = [o for o in found if o.offered in offers]
        wrong = [o for o in those if o.verdict == "supported" and not o.right]
        print(f"\nwrong supported, {' and '.join(offers)}: {len(wrong)} of {len(those)}, "
              f"{100 * len(wrong) / max(len(those), 1):.1f} %")  # fmt: skip
    absent = [o for o in found if o.offered == "absent"]
    sure = [o for o in absent if o.probability >= 0.9]
    print(
        f"\nright model absent: P >= 0.9 in {len(sure)} of {len(absent)} runs; the verdict is `supported` in "
        f"{_percent(o.verdict == 'supported' for o in sure)} of these"
    )
    tell_mixtures(judged)
    for kind, rows in misfits(fits).items():
        print(f"\nRw of {kind} models with good data, 5 to 95 %: {' to '.join(f'{x:.2f}' for x in rows)}")
    tell_coverage(fits)
    if asked.figure:
        draw(found, asked.figure)


if __name__ == "__main__":
    main()
