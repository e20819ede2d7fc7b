"""Pages made when the site is built: the reference from docstrings, agreement with peers."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src" / "shortrange"
STAGES = {
    "load": "Reading files",
    "reduce": "Reducing data",
    "transform": "Transforms",
    "simulate": "Simulating spectra and G(r)",
    "analyse": "What snapshots contain",
    "fit": "Fitting",
    "compare": "Comparing models",
    "report": "Figures, tables, files",
    "run": "Whole runs",
    "config": "Project files",
    "numeric": "Numerical foundations",
    "": "Quantities, units, errors",
}
"""Subpackages in the order of the data, and what their pages are called."""


def on_files(files: Files, config: Any) -> Files:
    """Add the pages of the reference."""
    for stage, title in STAGES.items():
        name = f"reference/{stage or 'foundations'}.md"
        files.append(File.generated(config, name, content=reference_page(stage, title)))
    files.append(File.generated(config, "reference/commands.md", content=commands_page()))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Fill in what is kept elsewhere: agreement with peers."""
    if page.file.src_uri == "validation.md":
        return markdown.replace("<!-- agreement -->", agreement_tables())
    return markdown


def reference_page(stage: str, title: str) -> str:
    """One page for a stage: every public module with its public names."""
    parts = [f"# {title}", ""]
    for path in modules(stage):
        parts += [f"::: {dotted(path)}", ""]
    return "\n".join(parts)


def modules(stage: str) -> list[Path]:
    """Modules of a subpackage that have public names of their own."""
    found = sorted((SOURCE / stage).rglob("*.py")) if stage else sorted(SOURCE.glob("*.py"))
    return [path for path in found if path.name != "__init__.py" and has_public_names(path)]


def has_public_names(path: Path) -> bool:
    """Whether ``__all__`` of a module names something."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and any(getattr(t, "id", "") == "__all__" for t in node.targets):
            return bool(ast.literal_eval(node.value))
    return False


def dotted(path: Path) -> str:
    """Name of a module."""
    return ".".join(path.relative_to(SOURCE.parent).with_suffix("").parts)


def commands_page() -> str:
    """Write the help of each command."""
    from shortrange.cli.app import make_app

    return "# Commands\n\n" + make_app().generate_docs(output_format="markdown", heading_level=2)


def agreement_tables() -> str:
    """Write what the tests recorded of agreement with peers and published values."""
    path = ROOT / "docs" / "validation.json"
    groups: dict[str, list[dict[str, Any]]] = {}
    for entry in json.loads(path.read_text(encoding="utf-8")):
        groups.setdefault(entry["part"], []).append(entry)
    parts = []
    for part, entries in groups.items():
        parts += [f"## {part}", "", "| what | here | there | limit | whose |", "|---|---|---|---|---|"]
        parts += ["| " + " | ".join(cells(entry)) + " |" for entry in entries]
        parts.append("")
    return "\n".join(parts)


def cells(entry: dict[str, Any]) -> list[str]:
    """One line of a table: two values and how far they may be apart, or a largest difference."""
    if "differ" in entry:
        return [entry["what"], f"{entry['differ']:.2g}", "0", f"{entry['below']:.2g}", entry["by"]]
    unit = f" {entry['unit']}" if entry["unit"] else ""
    here, there = (f"{entry[key]:.4g}{unit}" for key in ("ours", "theirs"))
    return [entry["what"], here, there, f"{entry['within']:.2g}{unit}", entry["by"]]
