"""Names of files on a command line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from shortrange.errors import DataError

__all__ = ["expand"]


def expand(files: Sequence[Path]) -> list[Path]:
    """Resolve wildcards ourselves, since not every shell does; each file once.

    Raises
    ------
    DataError
        If nothing has such a name.
    """
    paths: list[Path] = []
    for file in files:
        if file.exists() or not any(sign in str(file) for sign in "*?["):
            paths.append(file)
            continue
        root = Path(file.anchor)
        found = sorted(path for path in root.glob(str(file.relative_to(root))) if path.is_file())
        if not found:
            raise DataError(
                "no file has such a name", where=str(file), do="look at the folder and the pattern"
            )
        paths += found
    return list(dict.fromkeys(paths))
