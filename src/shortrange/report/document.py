"""The HTML document around a page: style, scripts and figures, all inside one file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from shortrange.report.markup import Markup, element, join

__all__ = ["document", "json_script", "plotly_script"]

# Nothing may be fetched: the page shows the same on a beamline without network, and ten years from now.
_POLICY = (
    "default-src 'none'; img-src data: blob:; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
    "font-src data:; base-uri 'none'; form-action 'none'"
)


def document(title: str, body: Markup, *, plots: Mapping[str, Mapping[str, Any]] | None = None) -> str:
    """Write an HTML document without references to anything outside it.

    Parameters
    ----------
    title
        Of the window.
    body
        What is seen.
    plots
        Figures of plotly by the name that ``body`` gives their place. Where plotly is not installed they are
        left out, and the page shows the still pictures.
    """
    own = files("shortrange.report")
    style = own.joinpath("page.css").read_text(encoding="utf-8")
    script = own.joinpath("page.js").read_text(encoding="utf-8")
    head = join(
        [
            Markup('<meta charset="utf-8">'),
            Markup(f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'),
            Markup('<meta name="viewport" content="width=device-width, initial-scale=1">'),
            Markup('<link rel="icon" href="data:,">'),  # or the browser asks the server for one
            element("title", f"{title} – shortrange"),
            element("style", Markup(style)),
        ]
    )
    library = plotly_script() if plots else None
    tail = []
    if plots and library is not None:
        tail.append(json_script("plots", plots))
        tail.append(Markup(f"<script>{library}</script>"))
    tail.append(Markup(f"<script>{script}</script>"))
    foot = join(tail)
    return f'<!DOCTYPE html>\n<html lang="en">\n<head>{head}</head>\n<body>{body}\n{foot}</body>\n</html>\n'


def json_script(name: str, value: Any) -> Markup:
    """Embed data for scripts; no text in it can end the element early."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    text = text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    return Markup(f'<script type="application/json" id="{name}">{text}</script>')


@cache
def plotly_script() -> str | None:
    """Return plotly's own script as its Python package ships it; None where that is not installed."""
    spec = find_spec("plotly")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        path = Path(folder) / "package_data" / "plotly.min.js"
        if path.is_file():
            return path.read_text(encoding="utf-8").replace("</script", "<\\/script")
    return None
