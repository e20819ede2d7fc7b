"""A folder of results that is either the new one or the old one, never half of each."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from pathlib import Path
from types import TracebackType

from shortrange.errors import DataError

__all__ = ["ResultFolder"]

_LIST = ".shortrange.json"


class ResultFolder:
    """Write results beside their folder and move them into place when all are written.

    Within ``with ResultFolder(path, kind="run") as new:`` files are written below ``new``. When the block
    ends well they replace the files which an earlier block of the same kind left in ``path``; other files
    there are kept, unless a new one has their name. When the block fails, or a file cannot be replaced
    (because another program holds it open, say), ``path`` is as it was before.

    Parameters
    ----------
    path
        The folder; made if absent.
    kind
        What makes the results, such as ``"run"``: results of different kinds may share a folder.

    Raises
    ------
    DataError
        If the folder cannot be made or written, or a file in it cannot be replaced.
    """

    def __init__(self, path: str | Path, *, kind: str) -> None:
        self.path = Path(path).absolute()
        self.kind = kind
        self._work: Path | None = None

    def check(self) -> None:
        """Raise a DataError now if the folder could not be written later."""
        if self.path.exists() and not self.path.is_dir():
            raise DataError("the output is a file, not a folder", where=str(self.path), do="name a folder")
        there = next(folder for folder in (self.path, *self.path.parents) if folder.exists())
        if not there.is_dir() or not os.access(there, os.W_OK):
            raise DataError(
                f"the folder of results cannot be made: {there} cannot be written",
                where=str(self.path),
                do="choose a folder that you may write to",
            )

    def __enter__(self) -> Path:
        self.check()
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            # Beside the folder, so that moving is renaming: on one file system, at once.
            self._work = Path(tempfile.mkdtemp(prefix=f".{self.path.name}.", dir=self.path.parent))
            new = self._work / "new"
            new.mkdir()
        except OSError as error:
            raise DataError(
                f"the folder of results cannot be made: {error.strerror}",
                where=str(self.path),
                do="choose a folder that you may write to",
            ) from error
        return new

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        assert self._work is not None
        try:
            if kind is None:
                self._move_in(self._work / "new", self._work / "old")
        finally:
            shutil.rmtree(self._work, ignore_errors=True)

    def _move_in(self, new: Path, old: Path) -> None:
        lists = _read_lists(self.path / _LIST)
        stale = lists.get(self.kind, [])
        fresh = sorted(file.relative_to(new).as_posix() for file in new.rglob("*") if file.is_file())
        lists[self.kind] = fresh
        (new / _LIST).write_text(json.dumps(lists, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        if not self.path.exists():
            new.rename(self.path)
            return
        moves = _Moves()
        try:
            for name in sorted({*stale, *fresh, _LIST}):
                if (self.path / name).is_file():
                    moves.move(self.path / name, old / name)
            for name in [*fresh, _LIST]:
                moves.move(new / name, self.path / name)
        except OSError as error:
            moves.undo()
            raise DataError(
                f"{Path(str(error.filename)).name} cannot be replaced: {error.strerror}; "
                "the earlier results were left as they are",
                where=str(self.path),
                do="close the program that holds the file open, or name another folder",
            ) from error
        except BaseException:
            moves.undo()
            raise
        _drop_empty_folders(self.path, stale)


class _Moves:
    """Renamings that can be taken back."""

    def __init__(self) -> None:
        self._done: list[tuple[Path, Path]] = []

    def move(self, source: Path, target: Path) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        source.replace(target)
        self._done.append((source, target))

    def undo(self) -> None:
        for source, target in reversed(self._done):
            target.replace(source)
        self._done.clear()


def _read_lists(path: Path) -> dict[str, list[str]]:
    """Names of the files that each kind of results left here; none if there is no readable list."""
    try:
        lists = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(lists, dict):
        return {}
    return {
        str(kind): [name for name in names if isinstance(name, str) and _inside(name)]
        for kind, names in lists.items()
        if isinstance(names, list)
    }


def _inside(name: str) -> bool:
    """Whether a listed name stays in the folder: the list is a file that anyone may have edited."""
    path = Path(name)
    return not path.is_absolute() and ".." not in path.parts


def _drop_empty_folders(path: Path, names: list[str]) -> None:
    for folder in sorted({(path / name).parent for name in names} - {path}, reverse=True):
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
