"""Kinds of values that tables of a project file hold, each checked with a message in plain words."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    FiniteFloat,
    StrictStr,
    ValidationInfo,
)

from shortrange.atoms import atomic_number, element_edges, parse_composition
from shortrange.errors import DataError, did_you_mean

__all__ = [
    "Edge",
    "EdgeList",
    "Element",
    "File",
    "Formula",
    "Frames",
    "Name",
    "Number",
    "Part",
    "Pattern",
    "Positive",
    "Range",
    "ValueOrPair",
    "WithError",
    "matches",
    "parse_frames",
]


class Part(BaseModel):
    """A table of the project file; it knows its own keys only."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


def matches(folder: Path, pattern: str) -> list[Path]:
    """Files that a glob pattern matches, sorted; hidden ones only where the pattern asks for them."""
    whole = Path(pattern)
    if whole.is_absolute():
        folder, pattern = Path(whole.anchor), str(whole.relative_to(whole.anchor))
    found = sorted(path for path in folder.glob(pattern) if path.is_file())
    return [path for path in found if not path.name.startswith(".") or whole.name.startswith(".")]


def parse_frames(text: str) -> slice:
    """Turn ``"start:stop:step"`` into a slice.

    Raises
    ------
    ValueError
        If it is not of that form, or the step is not positive.
    """
    if not re.fullmatch(r"\s*-?\d*\s*:\s*-?\d*\s*(:\s*\d*\s*)?", text):
        raise ValueError('must be "start:stop" or "start:stop:step", such as "0:100:5"')
    parts = [int(part) if part.strip() else None for part in text.split(":")]
    if len(parts) == 3 and parts[2] == 0:
        raise ValueError("needs a step of 1 or more")
    return slice(*parts)


def _number(value: Any) -> Any:
    # TOML has booleans and strings of its own; "3.0" or true is a slip, not a number.
    if isinstance(value, bool | str):
        raise ValueError("must be a number")
    return value


def _range(value: Any) -> Any:
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise ValueError("must be two numbers, [low, high]")
    for part in value:
        if isinstance(part, bool) or not isinstance(part, int | float):
            raise ValueError("must be two numbers, [low, high]")
    low, high = value
    if not 0 <= low < high < float("inf"):
        raise ValueError("needs 0 <= low < high")
    return tuple(value)


def _with_error(value: Any) -> Any:
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise ValueError("must be two numbers, [value, standard error]")
    for part in value:
        if isinstance(part, bool) or not isinstance(part, int | float):
            raise ValueError("must be two numbers, [value, standard error]")
    if not (0.3 <= value[0] <= 1.3 and 0.0 < value[1] <= 0.5):
        raise ValueError("needs a value from 0.3 to 1.3 and an error above 0 and up to 0.5")
    return tuple(float(part) for part in value)


def _value_or_pair(value: Any) -> Any:
    pair = value if isinstance(value, list | tuple) else [value]
    if len(pair) > 2 or not pair or any(isinstance(n, bool) or not isinstance(n, int | float) for n in pair):
        raise ValueError("must be a number, or [mean, standard deviation]")
    return tuple(float(n) for n in pair) if len(pair) == 2 else float(pair[0])


def _frames(value: Any) -> Any:
    if not isinstance(value, str):
        raise ValueError('must be text of the form "start:stop:step"')
    parse_frames(value)
    return value


def _folder_of(info: ValidationInfo) -> Path | None:
    """Folder of the project file, while it is being read."""
    return info.context["folder"] if info.context else None


def _existing(value: str, info: ValidationInfo) -> str:
    folder = _folder_of(info)
    if folder is not None and not (folder / value).is_file():
        raise ValueError(f"names no file in {folder.resolve()}")
    return value


def _matching(value: str, info: ValidationInfo) -> str:
    folder = _folder_of(info)
    if folder is not None and not matches(folder, value):
        raise ValueError(f"matches no file in {folder.resolve()}")
    return value


def _formula(value: str) -> str:
    try:
        parse_composition(value)
    except DataError as error:
        raise ValueError(f"is no formula: {error.what}; {error.do}") from None
    return value


def _element(value: str) -> str:
    try:
        atomic_number(value)
    except DataError as error:
        raise ValueError(f"is no chemical element; {error.do}") from None
    return value


def _edge(value: str, info: ValidationInfo) -> str:
    element = info.data.get("element")
    if element is not None and value not in (known := element_edges(element)):
        raise ValueError(f"is no edge of {element}; {did_you_mean(value, known)}")
    return value


def _edges(value: Any) -> Any:
    if not isinstance(value, list | tuple):
        raise ValueError('must be a list of edges such as ["S K", "Na K"]')
    pairs = []
    for text in value:
        parts = text.split() if isinstance(text, str) else ()
        if len(parts) != 2:
            raise ValueError(f'holds {text!r}, which is no edge such as "S K"')
        element = _element(parts[0])
        if parts[1] not in (known := element_edges(element)):
            raise ValueError(f"holds {text!r}: {did_you_mean(parts[1], known)}")
        pairs.append((element, parts[1]))
    return tuple(pairs)


Number = Annotated[FiniteFloat, BeforeValidator(_number)]
Positive = Annotated[Number, Field(gt=0)]
Range = Annotated[tuple[float, float], BeforeValidator(_range)]
Name = Annotated[StrictStr, Field(min_length=1)]
File = Annotated[Name, AfterValidator(_existing)]
Pattern = Annotated[Name, AfterValidator(_matching)]
Element = Annotated[Name, AfterValidator(_element)]
Edge = Annotated[Name, AfterValidator(_edge)]
"""An edge of the ``element`` that stands before it in the same table."""
EdgeList = Annotated[tuple[tuple[str, str], ...], BeforeValidator(_edges)]
Formula = Annotated[Name, AfterValidator(_formula)]
Frames = Annotated[StrictStr, BeforeValidator(_frames)]
WithError = Annotated[tuple[float, float], BeforeValidator(_with_error)]
ValueOrPair = Annotated[float | tuple[float, float], BeforeValidator(_value_or_pair)]
