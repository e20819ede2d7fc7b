"""What the verbs that read snapshots share: which file, which frames, who works, how far it is."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shortrange.load.frames import FrameFile
    from shortrange.quantities import Trajectory
    from shortrange.simulate.pieces import Progress, Workers

__all__ = ["frames_of", "load_snapshots", "open_snapshots", "working"]

_IN_MEMORY = 64_000_000
"""Bytes of a file that is read once and held; larger ones are read piece by piece."""
_EVERY = 0.5  # seconds between two lines of progress


def open_snapshots(
    path: Path, frames: str | None, *, cell: str | None = None, species: str | None = None
) -> FrameFile | Trajectory:
    """Snapshots of a file: held if it is small, else read as often as they are needed.

    Parameters
    ----------
    path
        The file.
    frames
        ``start:stop:step``; None is all.
    cell
        Of plain XYZ: a CP2K file of cells, or numbers separated by commas.
    species
        Of the types of a LAMMPS dump, separated by commas.
    """
    from shortrange.load import open_frames

    names = None if species is None else [name.strip() for name in species.split(",")]
    file = open_frames(path, frames=frames_of(frames), cell=cell, species=names)
    return file.read() if path.stat().st_size <= _IN_MEMORY else file


def load_snapshots(path: Path, frames: str | None) -> Trajectory:
    """Read snapshots, or those that ``frames`` (start:stop:step) selects."""
    from shortrange.load import load_trajectory

    return load_trajectory(path, frames=frames_of(frames))


def frames_of(frames: str | None) -> slice | None:
    """Return frames as a slice; None for all."""
    from shortrange.config import parse_frames
    from shortrange.errors import ProjectError

    if frames is None:
        return None
    try:
        return parse_frames(frames)
    except ValueError as error:
        raise ProjectError(f"frames = {frames!r} {error}", where="--frames", do="write 0:1000:10") from None


@contextmanager
def working(number: int | None, scheduler: str | None, *, keep: bool) -> Iterator[Workers]:
    """Workers that tell on a terminal how far they are, and nothing in a pipe."""
    from shortrange.simulate.pieces import Workers

    if not sys.stderr.isatty():
        yield Workers(number, scheduler, keep=keep)
        return
    last = [0.0]

    def tell(progress: Progress) -> None:
        if time.monotonic() - last[0] >= _EVERY or progress.frames == progress.total:
            last[0] = time.monotonic()
            print(f"\r\033[K{progress_text(progress)}", end="", file=sys.stderr, flush=True)

    try:
        yield Workers(number, scheduler, tell, keep)
    finally:
        print("\r\033[K", end="", file=sys.stderr, flush=True)


def progress_text(progress: Progress) -> str:
    """One line: what is done, how much of it, how long it will take."""
    total = "" if progress.total is None else f" of {progress.total}"
    text = f"{progress.what}: {progress.frames}{total} frames"
    if progress.reused:
        text += f", {progress.reused} from before"
    left = progress.seconds_left
    return text if left is None else f"{text}, {_duration(left)} left"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d} h" if hours else f"{minutes}:{rest:02d} min" if minutes else f"{rest} s"
