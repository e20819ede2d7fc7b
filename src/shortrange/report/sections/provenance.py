"""Settings, files with their hashes, what to cite, versions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from shortrange.report.citations import Citation
from shortrange.report.markup import Markup, describe, element, join, table

__all__ = ["assumptions", "cited", "footer", "inputs_table"]


def assumptions(settings: Mapping[str, Any]) -> Markup:
    """Tabulate settings and assumptions."""
    rows = describe(settings)
    return join([element("h2", "Settings and assumptions", id="settings"), table(["Setting", "Value"], rows)])


def inputs_table(inputs: Sequence[Mapping[str, str]]) -> Markup:
    """Tabulate the files that were read, with their hashes."""
    rows = [[entry["path"], element("code", entry["sha256"])] for entry in inputs]
    return join([element("h2", "Files read", id="files"), table(["File", "SHA-256"], rows)])


def cited(citations: Iterable[Citation]) -> Markup:
    """List what this result rests on."""
    items = [
        element(
            "li",
            element("b", citation.use),
            f": {citation.text} ",
            element("a", f"doi:{citation.doi}", href=citation.url) if citation.doi else "",
        )
        for citation in citations
    ]
    return join([element("h2", "How to cite", id="cite"), element("ul", *items, classes="cited")])


def footer(versions: Mapping[str, str]) -> Markup:
    """Name what made the report."""
    text = ", ".join(f"{name} {version}" for name, version in versions.items())
    return element("footer", f"Made with {text}.")
