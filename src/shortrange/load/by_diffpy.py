"""The parsers of diffpy.structure, without what they print."""

from __future__ import annotations

import contextlib
import io
import warnings
from typing import Any

__all__ = ["parse_structure"]


def parse_structure(kind: str, text: str) -> tuple[Any, Any]:
    """Parse a crystal.

    Parameters
    ----------
    kind
        diffpy's name of the format, such as ``"cif"``.
    text
        The file.

    Returns
    -------
    parser, structure
        The parser holds what it found of the symmetry; the structure is that of diffpy.

    Raises
    ------
    Exception
        Whatever the parser raises for a damaged file.
    """
    from diffpy.structure.parsers import getParser

    parser: Any = getParser(kind)
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        # diffpy warns of what does not concern cell and sites, and PyCifRW prints where syntax is wrong.
        warnings.simplefilter("ignore")
        structure = parser.parse(text)
    return parser, structure
