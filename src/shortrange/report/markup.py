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
    return element(
        "div",
        element("table", element("thead", element("tr", cells("th", head))), element("tbody", *body)),
        classes="wide",
    )


def plate_html(plate: Plate) -> Markup:
    """Embed a figure with its caption."""
    data = base64.b64encode(plate.png).decode()
    image = Markup(f'<img alt="{escape(plate.caption, quote=True)}" src="data:image/png;base64,{data}">')
    return element("figure", image, element("figcaption", plate.caption))


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
