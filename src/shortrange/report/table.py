"""Tables of numbers and words as CSV."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

__all__ = ["write_table"]


def write_table(path: Path, head: Sequence[str], rows: Sequence[Sequence[Any]]) -> Path:
    """Write rows of numbers and words under their titles; None becomes an empty cell."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(head)
        for row in rows:
            writer.writerow([f"{cell:.9g}" if isinstance(cell, float) else cell for cell in row])
    return path
