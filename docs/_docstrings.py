"""Docstrings are written for numpydoc, the site is Markdown: turn over formulas, tables, angle brackets."""

from __future__ import annotations

import re
from typing import Any

import griffe

TEX = {
    "langle": "<", "rangle": ">", "left": "", "right": "", "cdot": "·", "le": "≤", "ge": "≥", "approx": "≈",
    "pi": "π", "rho": "ρ", "sigma": "σ", "chi": "χ", "mu": "μ", "Delta": "Δ", "delta": "δ", "alpha": "α",
    "theta": "θ", "kappa": "κ", "tau": "τ", "omega": "ω", "eta": "η", "sum": "Σ", "int": "∫", "sqrt": "√",
    "sin": "sin ", "cos": "cos ", "exp": "exp ", "ln": "ln ", "max": "max ", "infty": "∞", ",": " ", ";": " ",
}  # fmt: skip
RULE = re.compile(r"^\s*=+(?:\s+=+)+\s*$")


class Markdown(griffe.Extension):
    """Applied to every docstring before it is parsed."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Rewrite the docstring of an object."""
        if obj.docstring is not None:
            obj.docstring.value = markdown(obj.docstring.value)


def markdown(text: str) -> str:
    """Rewrite a docstring."""
    text = re.sub(r":math:`([^`]+)`", lambda found: f"``{plain(found[1])}``", text)
    out: list[str] = []
    for block, is_table in blocks(text.split("\n")):
        if is_table:
            indent = block[0][: len(block[0]) - len(block[0].lstrip())]
            rows = [re.sub(r"``([^`]*)``", r"\1", line) for line in block]
            out += ["", f"{indent}```text", *rows, f"{indent}```", ""]
        else:
            out += [outside_code(line) for line in block]
    return "\n".join(out)


def plain(formula: str) -> str:
    """Make a short formula readable without TeX."""
    for tex, text in TEX.items():
        end = "(?![a-zA-Z]) ?" if tex.isalpha() else ""
        formula = re.sub(rf"\\{tex}{end}", text, formula)
    return re.sub(r"\\([a-zA-Z]+)", r"\1", formula)


def blocks(lines: list[str]) -> list[tuple[list[str], bool]]:
    """Split into tables (paragraphs that begin with a rule) and the rest."""
    found: list[tuple[list[str], bool]] = [([], False)]
    for line in lines:
        in_table = found[-1][1]
        if (not in_table and RULE.match(line)) or (in_table and not line.strip()):
            found.append(([], not in_table))
        found[-1][0].append(line)
    return found


def outside_code(line: str) -> str:
    """Escape angle brackets that are not in code: they are means, not tags."""
    parts = re.split(r"(``[^`]*``|`[^`]*`)", line)
    return "".join(part if part.startswith("`") else part.replace("<", r"\<") for part in parts)
