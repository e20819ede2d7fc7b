"""Judge fits made before the points of EXAFS counted in part by the rule as it is.

    python studies/calibration/rejudge.py

Fits, misfits and errors do not depend on how points count, and ln Z is multiplied by the part that counts, so
that the verdicts on pure truths follow from earlier/fits.csv but for one thing: no mixture is tried, which
would make some of the verdicts `undecided` that are `supported` here. Writes earlier/verdicts.csv.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from truths import CANDIDATES

from analyse import DATA_SETS, read
from run import HEAD, VERDICTS
from shortrange.compare.rank import decide, rank
from shortrange.compare.theory_error import EXAFS_THEORY_ERROR, PDF_THEORY_ERROR
from shortrange.compare.verdict import MeasurementFit
from shortrange.load import load_trajectory
from shortrange.run.inputs import incomplete_models

EARLIER = Path(__file__).parent / "earlier"
COUNTS = {"Ta L3": EXAFS_THEORY_ERROR.independent, "PDF": PDF_THEORY_ERROR.independent}


def fit(row: Mapping[str, str]) -> MeasurementFit:
    """Return what the rule needs to know of a fit."""
    name, nothing = row["measurement"], np.zeros(1)
    return MeasurementFit(
        measurement=name, technique="xas" if name == "Ta L3" else "total-scattering", x=nothing, data=nothing,
        sigma=None, model=nothing, theory_sigma=None, fit_range=(0.0, 1.0), R=float(row["R"]),
        chi2_reduced=float(row["chi2_reduced"]), p_value=float(row["p_value"]),
        log_evidence=COUNTS[name] * float(row["log_evidence"]),
    )  # fmt: skip


def verdicts(
    fits: Mapping[str, Mapping[str, MeasurementFit]], kind: str, composition: Mapping[str, Mapping[str, int]]
) -> Iterator[dict[str, Any]]:
    """Yield the verdict of each data set, with the right model and without it."""
    for data, measurement in DATA_SETS.items():
        wanted: Sequence[str] = [measurement] if measurement else list(COUNTS)
        for offered in ("right", "absent"):
            names = [name for name in fits if offered == "right" or name != kind]
            ranked = rank({name: [fits[name][each] for each in wanted] for name in names})
            lacking = incomplete_models({name: composition[name] for name in names}, composition[kind])
            yield {
                "data": data, "offered": offered, "verdict": decide(ranked, incomplete=lacking).verdict,
                "best": ranked[0].name, "probability": f"{ranked[0].probability:.5g}",
            }  # fmt: skip


def main() -> None:
    """Read the fits, and write the verdicts."""
    truths: dict[str, list[dict[str, str]]] = defaultdict(list)
    for row in read(EARLIER / "fits.csv"):
        if row["kind"] in CANDIDATES:
            truths[row["truth"]].append(row)
    composition = {name: load_trajectory(path).composition for name, path in CANDIDATES.items()}
    with (EARLIER / "verdicts.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, VERDICTS, restval="", lineterminator="\n")
        writer.writeheader()
        for rows in truths.values():
            fits: dict[str, dict[str, MeasurementFit]] = defaultdict(dict)
            for row in rows:
                fits[row["model"]][row["measurement"]] = fit(row)
            head = {name: rows[0][name] for name in HEAD}
            for found in verdicts(fits, rows[0]["kind"], composition):
                writer.writerow({**head, **found})


if __name__ == "__main__":
    main()
