"""Pieces of HTML in which nothing of the user's can be taken for markup."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from shortrange.report.plates import Plate

__all__ = ["Markup", "describe", "element", "join", "plate_html", "plates_html", "table"]


class Markup(str):
    """Text that is HTML already; any other text is escaped where it enters an element."""

    __slots__ = ()


def element(name: str, *content: str, classes: str = "", **attributes: str) -> Markup:
    """One element with its content; attribute values and plain content are escaped."""
    if classes:
        attributes = {"class": classes, **attributes}
    head = "".join(f' {key}="{escape(value, quote=True)}"' for key, value in attributes.items())
    return Markup(f"<{name}{head}>{join(content)}</{name}>")


def join(content: Iterable[str]) -> Markup:
    """Content of an element: markup as it is, plain text escaped."""
    return Markup(
        "".join(part if isinstance(part, Markup) else escape(part, quote=False) for part in content)
    )


def table(
    head: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    numbers: Iterable[int] = (),
    row_classes: Sequence[str] = (),
) -> Markup:
    """Make a table that scrolls by itself where it is wider than the page.

    Parameters
    ----------
    head, rows
        Cells.
    numbers
        Columns that are set flush right.
    row_classes
        Class of each row, or nothing.
    """
    right = frozenset(numbers)

    def cells(name: str, row: Sequence[str]) -> Markup:
        return join(
            element(name, cell, classes="number" if column in right else "name" if column == 0 else "")
            for column, cell in enumerate(row)
        )

    body = []
    for index, row in enumerate(rows):
        body.append(element("tr", cells("td", row), classes=row_classes[index] if row_classes else ""))
    rows_of = element("table", element("thead", element("tr", cells("th", head))), element("tbody", *body))
    return element("div", element("div", rows_of, classes="wide"), classes="table")


def plate_html(plate: Plate) -> Markup:
    """Embed a figure with its caption: the still picture, and a place for the live one if there is any."""
    data = base64.b64encode(plate.svg.encode()).decode()
    alt = escape(plate.caption, quote=True)
    still = Markup(f'<img class="still" alt="{alt}" src="data:image/svg+xml;base64,{data}">')
    live = element("div", classes="live", **{"data-plot": plate.name}) if plate.live is not None else ""
    caption = element("figcaption", plate.caption)
    classes = "broad" if plate.broad else ""
    return element("figure", live, still, caption, classes=classes, **{"data-name": plate.name})


def plates_html(plates: Iterable[Plate]) -> Markup:
    """Figures side by side where the page is wide enough."""
    return element("div", *(plate_html(plate) for plate in plates), classes="plates")


def describe(settings: Mapping[str, Any], *, prefix: str = "") -> list[tuple[str, str]]:
    """Nested settings as rows of (name, value), names joined by a middle dot."""
    rows: list[tuple[str, str]] = []
    for key, value in settings.items():
        name = f"{prefix}{str(key).replace('_', ' ')}"
        if isinstance(value, Mapping) and value:
            rows += describe(value, prefix=f"{name} · ")
        elif isinstance(value, list | tuple) and value and all(isinstance(item, Mapping) for item in value):
            for number, item in enumerate(value, start=1):
                rest = {k: v for k, v in item.items() if k != "name"}
                rows += describe(rest, prefix=f"{name} · {item.get('name', number)} · ")
        else:
            rows.append((name, _text(value)))
    return rows


def _text(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list | tuple):
        return ", ".join(_text(item) for item in value) or "none"
    return str(value)
