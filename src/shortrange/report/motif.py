"""Distances of a motif, for tables, columns and JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from shortrange.simulate.motifs import Motif

__all__ = ["distance_rows", "motif_record"]


def distance_rows(motif: Motif) -> list[tuple[str, str, float, int]]:
    """(pair, what it is, distance in angstrom, how many), shortest first; equal distances together."""
    bonded = {frozenset(bond) for bond in motif.bonds}
    groups: dict[tuple[str, str, float], int] = {}
    for i in range(len(motif.species)):
        for j in range(i):
            pair = f"{motif.species[j]}-{motif.species[i]}"
            what = "no bond"
            if frozenset((i, j)) in bonded:
                what = "bridge" if {i, j} & set(motif.shared) else "terminal"
            key = pair, what, round(motif.distance(i, j), 3)
            groups[key] = groups.get(key, 0) + 1
    rows = [(pair, what, distance, count) for (pair, what, distance), count in groups.items()]
    return sorted(rows, key=lambda row: row[2])


def motif_record(motif: Motif) -> dict[str, Any]:
    """JSON-like record of what a motif was built from, its distances and its clashes."""
    return {
        "kind": motif.kind,
        "formula": motif.formula,
        "parameters": dict(motif.parameters),
        "metal_metal": motif.metal_metal,
        "sources": {name: asdict(known) for name, known in motif.sources.items()},
        "distances": [
            {"pair": pair, "what": what, "distance": distance, "count": count}
            for pair, what, distance, count in distance_rows(motif)
        ],
        "closest_contacts": [{**asdict(contact), "clash": contact.clash} for contact in motif.contacts],
        "clashes": [asdict(contact) for contact in motif.clashes],
    }
