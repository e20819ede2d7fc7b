"""How results look in a notebook: a small table of what they hold, their history folded up."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

__all__ = ["Shown", "fit_html", "run_html", "table_html"]

_UNITS = {
    "energy": "eV",
    "e0": "eV",
    "k": "Å⁻¹",
    "k_range": "Å⁻¹",
    "q": "Å⁻¹",
    "q_min": "Å⁻¹",
    "q_max": "Å⁻¹",
    "q_damp": "Å⁻¹",
    "r": "Å",
    "g": "Å⁻²",
    "number_density": "Å⁻³",
    "wavelength": "Å",
    "positions": "Å",
    "cells": "Å",
    "time_step": "fs",
}
_SHORT = 80


class Shown:
    """A result that a notebook shows as a table."""

    __slots__ = ()

    def _repr_html_(self) -> str:
        """Return HTML for IPython's display."""
        rows, history = [], ()
        for field in dataclasses.fields(self):  # type: ignore[arg-type]  # results are dataclasses
            value = getattr(self, field.name)
            if field.name == "history":
                history = value
            elif value is not None and field.name != "label" and not (isinstance(value, str) and not value):
                rows.append([field.name, _text(value), _UNITS.get(field.name, "")])
        label = str(getattr(self, "label", ""))
        return table_html(["", "", ""], rows, title=f"{type(self).__name__} {label}") + _folded(history)


def table_html(head: Sequence[str], rows: Iterable[Sequence[str]], *, title: str = "") -> str:
    """Return a table as HTML; all text is escaped."""
    cells = "".join(f"<th>{escape(cell)}</th>" for cell in head)
    top = f"<thead><tr>{cells}</tr></thead>" if any(head) else ""
    body = "".join(
        "<tr>" + "".join(f'<td style="text-align:left">{escape(cell)}</td>' for cell in row) + "</tr>"
        for row in rows
    )
    caption = f"<b>{escape(title.strip())}</b>" if title.strip() else ""
    return f"{caption}<table>{top}<tbody>{body}</tbody></table>"


def fit_html(
    title: str, values: Iterable[tuple[str, float, float | None, str]], *, doubts: Sequence[str] = ()
) -> str:
    """Return a table of fitted numbers, (name, value, error or None, unit) each, and what to doubt."""
    rows = [
        [name, f"{value:.6g}" + ("" if sigma is None else f" ± {sigma:.2g}"), unit]
        for name, value, sigma, unit in values
    ]
    notes = "".join(f"<br>warning: {escape(doubt)}" for doubt in doubts)
    return table_html(["", "value", ""], rows, title=title) + notes


def run_html(title: str, simulated: bool, inner: str) -> str:
    """Return what a run found under its title, with the label of simulated data."""
    return f"<b>{escape(title)}{' · SIMULATED DATA' if simulated else ''}</b><br>{inner}"


def _folded(history: Sequence[Any]) -> str:
    if not history:
        return ""
    items = "".join(
        f"<li>{escape(step.name)} <code>{escape(_text(step.settings))}</code></li>" for step in history
    )
    title = f"history: {len(history)} step{'' if len(history) == 1 else 's'}"
    return f"<details><summary>{title}</summary><ol>{items}</ol></details>"


def _text(value: Any) -> str:
    """Say what a value is, briefly."""
    if hasattr(value, "shape") and hasattr(value, "dtype"):
        if value.ndim == 1 and value.size and value.dtype.kind == "f":
            return f"{value.size} points, {value.min():.6g} to {value.max():.6g}"
        return f"array of shape {value.shape}"
    if dataclasses.is_dataclass(value):
        return type(value).__name__
    if isinstance(value, Mapping):
        return _cut(", ".join(f"{name}: {_text(item)}" for name, item in value.items()))
    if isinstance(value, list | tuple):
        if len(value) > 8:
            return (
                f"{len(value)} {type(value[0]).__name__ if dataclasses.is_dataclass(value[0]) else 'values'}"
            )
        return _cut(", ".join(_text(item) for item in value))
    return f"{value:.6g}" if isinstance(value, float) else _cut(str(value))


def _cut(text: str) -> str:
    return text if len(text) <= _SHORT else f"{text[: _SHORT - 1]}…"
