"""What would decide between the leading models, and the shares of mixtures."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from shortrange.report.markup import Markup, element, join, table
from shortrange.report.text import fixed, plus_minus, significant

__all__ = ["beside", "shares", "what_would_decide"]


def what_would_decide(record: Mapping[str, Any]) -> Markup:
    """Tabulate the expected gain of further measurements, the most telling first."""
    prospects: Sequence[Mapping[str, Any]] = record.get("what_would_decide", ())
    if not prospects:
        return Markup()
    rows = [
        [
            str(each["measurement"]),
            fixed(float(each["expected_gain_nats"]), 1),
            _odds(float(each["expected_gain_nats"])),
            str(each.get("assumed", "")),
        ]
        for each in sorted(prospects, key=lambda each: -float(each["expected_gain_nats"]))
    ]
    leaders = " and ".join(str(model["name"]) for model in record["models"][:2])
    text = (
        f"Expected gain in log-evidence between {leaders}, in favour of whichever is true; by the whole "
        "measurement, in place of what has been measured of its kind."
    )
    return join(
        [
            element("h2", "What would decide", id="prospects"),
            table(["Measurement", "Expected gain (nats)", "Odds", "Assumed"], rows, numbers=[1, 2]),
            element("p", text, classes="fine"),
        ]
    )


def _odds(nats: float) -> str:
    return "more than 10⁶ : 1" if nats > math.log(1e6) else f"{significant(math.exp(max(nats, 0.0)), 2)} : 1"


def beside(record: Mapping[str, Any]) -> Markup:
    """Tabulate how much of each other model the data allow beside the leading one."""
    tried: Mapping[str, Mapping[str, Any]] = record.get("settings", {}).get("admixtures", {})
    if not tried:
        return Markup()
    rows = [
        [
            other,
            plus_minus(float(found["share"]), found["sigma"]),
            "–" if found.get("upper_limit") is None else significant(float(found["upper_limit"]), 2),
        ]
        for other, found in tried.items()
    ]
    text = (
        "The leading model mixed with each other one. A share that is not zero by its error alone is no "
        "finding: bonds that are a little off look like some of another model."
    )
    return join(
        [
            element("h3", "What may lie beside the leading model"),
            table(["Model", "Share of the atoms", "95 % below"], rows, numbers=[1, 2]),
            element("p", text, classes="fine"),
        ]
    )


def shares(record: Mapping[str, Any]) -> Markup:
    """Tabulate which part of the atoms belongs to each model of a mixture."""
    rows = [
        [str(model["name"]), str(share["name"]), plus_minus(float(share["value"]), share["sigma"])]
        for model in record.get("models", ())
        for share in model.get("shares", ())
    ]
    if not rows:
        return Markup()
    return join(
        [
            element("h3", "Shares of mixtures"),
            table(["Mixture", "Model", "Share of the atoms"], rows, numbers=[2]),
        ]
    )
