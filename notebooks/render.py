"""Run the notebooks and write them, with their outputs, as pages of the documentation.

Run: ``python notebooks/render.py [NUMBER ...]`` (needs the extra ``notebooks``). The tests run each notebook
and compare what it prints with its page, so that a page that has grown old is found.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import jupytext
from nbclient import NotebookClient
from nbconvert import MarkdownExporter

HERE = Path(__file__).resolve().parent
PAGES = HERE.parent / "docs" / "notebooks"


def render(path: Path) -> Path:
    """Execute one notebook and write its page and figures."""
    notebook = jupytext.read(path)
    NotebookClient(
        notebook, timeout=600, kernel_name="python3", resources={"metadata": {"path": HERE}}
    ).execute()
    text, resources = MarkdownExporter().from_notebook_node(notebook)
    figures = PAGES / f"{path.stem}_files"
    figures.mkdir(parents=True, exist_ok=True)
    for old in figures.iterdir():
        old.unlink()
    for name, content in resources["outputs"].items():
        (figures / name).write_bytes(content)
        text = text.replace(f"({name})", f"({path.stem}_files/{name})")
    text = text.replace("![png](", "![Figure of this notebook](")
    title, _, rest = text.strip().partition("\n")
    origin = f"*Run it: `python notebooks/{path.name}`. This page shows its code and what it printed.*"
    page = PAGES / f"{path.stem}.md"
    body = re.sub(r"\n{3,}", "\n\n", f"{title}\n\n{origin}\n{rest}\n")
    page.write_text("\n".join(line.rstrip() for line in body.split("\n")), encoding="utf-8", newline="\n")
    return page


def main(numbers: list[str]) -> None:
    """Render all notebooks, or those whose numbers are given."""
    for path in sorted(HERE.glob("[0-9]*.py")):
        if not numbers or path.stem[:2] in numbers:
            print(render(path))


if __name__ == "__main__":
    main(sys.argv[1:])
