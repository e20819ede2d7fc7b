"""``shortrange references``: energies of standards, their sources and their disagreements."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from shortrange.cli.outcome import Outcome
from shortrange.cli.output import show_table

if TYPE_CHECKING:
    from shortrange.references import Reference

__all__ = ["references"]


def references(
    *words: str,
    element: str | None = None,
    edge: str | None = None,
    compound: str | None = None,
    full: bool = False,
    crystals: bool = False,
    plot: Path | None = None,
) -> Outcome:
    """List the energies of standards for calibration, each with its source.

    Entries of your own come from the TOML file, or folder of them, that SHORTRANGE_REFERENCES names.

    Parameters
    ----------
    words
        Show only entries that hold all these words, such as: sulfate camd. An element, such as S, means its
        edges.
    element
        Show only this element, such as S.
    edge
        Show only this edge, such as K.
    compound
        Show only this compound: a formula, or a name such as gypsum.
    full
        Show definition, source and notes of each entry.
    crystals
        List the crystal data of standards instead (of --compound, if given).
    plot
        Draw the energies listed into this file (png, svg or pdf), a panel for each edge.
    """
    from shortrange.references import find

    if crystals:
        return _crystals(compound)
    found = [
        each
        for each in find(element=element, edge=edge, compound=compound)
        if all(_holds(each, word) for word in words)
    ]
    record = [asdict(each) for each in found]
    if not found:
        print("no reference fits" + _near([*words, *([compound] if compound else [])]))
        return Outcome(record)
    if plot is not None:
        _plot(found, plot)
    if full:
        print("\n\n".join(_details(each) for each in found))
        return Outcome(record)
    head = ["standard", "edge", "feature", "energy (eV)", "status", "key"]
    rows = [
        [
            each.compound,
            f"{each.element} {each.edge}",
            each.feature,
            _energy(each),
            each.status + (" *" if each.note else ""),
            each.key,
        ]
        for each in found
    ]
    show_table(head, rows, right=[3])
    print("\n* has a note: --full shows notes and sources")
    return Outcome(record)


def _holds(entry: Reference, word: str) -> bool:
    """Whether an entry holds a word; that of an element, which is a part of many words, means the element."""
    from shortrange.references import find

    if word in {each.element for each in find()}:
        return entry.element == word
    return word.lower() in _text(entry)


def _crystals(compound: str | None) -> Outcome:
    from shortrange.references import crystals

    found = crystals(compound)
    head = ["standard", "space group", "a, b, c (Å)", "angles (°)", "source (AMCSD record)"]
    rows = [
        [
            c.compound,
            c.space_group,
            _numbers(c.cell[:3]),
            _numbers(c.cell[3:]),
            f"{c.source} ({c.amcsd})",
        ]
        for c in found
    ]
    if found:
        show_table(head, rows)
    else:
        print("no crystal fits" + _near([compound or ""], [c.compound for c in crystals()]))
    return Outcome([asdict(each) for each in found])


def _near(words: Sequence[str], known: Sequence[str] = ()) -> str:
    """Names that a word may have been meant to be."""
    from difflib import get_close_matches

    from shortrange.references import find

    names = known or [name for each in find() for name in (each.compound, *each.names)]
    lower = {name.lower(): name for name in names}
    near = [lower[found] for word in words for found in get_close_matches(word.lower(), lower, n=1)]
    return f": did you mean {' '.join(near)}?" if near else ": fewer words find more"


def _numbers(values: Sequence[float]) -> str:
    """Several numbers, or one if they are all the same."""
    return ", ".join(f"{value:g}" for value in (values if len(set(values)) > 1 else values[:1]))


def _plot(found: Sequence[Reference], path: Path) -> None:
    from shortrange.errors import ProjectError
    from shortrange.report.figures.references import references_figure

    edges = {(each.element, each.edge) for each in found}
    if len(edges) > 4:
        raise ProjectError(
            f"{len(edges)} edges are too many for one figure", where="--plot", do="name --element or --edge"
        )
    if path.suffix.lower() not in (".png", ".svg", ".pdf"):
        raise ProjectError(f"{path.name} is no figure", where="--plot", do="end it in .png, .svg or .pdf")
    references_figure(found).savefig(path, dpi=200)


def _text(each: Reference) -> str:
    return " ".join(str(value) for value in asdict(each).values()).lower()


def _energy(each: Reference) -> str:
    return f"{each.energy:.2f}" + ("" if each.uncertainty is None else f" ± {each.uncertainty:g}")


def _details(each: Reference) -> str:
    spectrum = each.spectrum and f"reference_spectra/{each.spectrum}"
    lines = [
        f"{each.key}: {each.compound}, {each.element} {each.edge}, {each.feature} {_energy(each)} eV",
        f"{each.definition} ({each.status})",
        each.citation(),
        *filter(None, (each.url, spectrum, each.note)),
    ]
    rest = [textwrap.fill(line, 96, break_long_words=False, break_on_hyphens=False) for line in lines[1:]]
    return "\n".join([lines[0], *(textwrap.indent(line, "  ") for line in rest)])
