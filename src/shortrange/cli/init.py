"""``shortrange init``: a project file to begin with."""

from __future__ import annotations

from pathlib import Path

from shortrange.cli.outcome import Outcome
from shortrange.errors import ProjectError

__all__ = ["init"]


def init(folder: Path = Path(), /) -> Outcome:
    """Write a commented project.toml.

    Parameters
    ----------
    folder
        Where; made if absent. A project.toml that is there already is never overwritten.
    """
    from importlib.resources import files

    path = folder / "project.toml"
    if folder.exists() and not folder.is_dir():
        raise ProjectError("this is a file, not a folder", where=str(folder), do="name a folder")
    if path.exists():
        raise ProjectError(
            "there is a project file already", where=str(path), do="edit it, or name another folder"
        )
    template = files("shortrange.cli").joinpath("project_template.toml").read_text(encoding="utf-8")
    folder.mkdir(parents=True, exist_ok=True)
    with path.open("x", encoding="utf-8", newline="\n") as file:
        file.write(template)
    print(f"wrote {path}\nedit it, then: shortrange check {path}")
    return Outcome({"written": str(path)})
