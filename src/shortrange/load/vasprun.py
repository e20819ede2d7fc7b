"""Ionic steps of a vasprun.xml, streamed: these files reach gigabytes, and runs that were cut are common.

The reader of ase needs electronic steps and energies, which runs with a machine-learned force field lack.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, ParseError, iterparse

import numpy as np
from numpy.typing import NDArray

from shortrange.errors import DataError
from shortrange.load.structures import check_frames, check_species, frames_text
from shortrange.load.text import is_gzip, read_bytes
from shortrange.quantities import Step, Trajectory, step

__all__ = ["read_vasprun", "sniff_vasprun"]

Array = NDArray[Any]


def sniff_vasprun(head: bytes) -> bool:
    """Whether this is a vasprun.xml."""
    return b"<modeling>" in head


def _vectors(parent: Element, name: str) -> Array:
    return np.array(
        [(v.text or "").split() for v in parent.iterfind(f".//varray[@name='{name}']/v")], dtype=float
    )


class _Run:
    """What has been read so far."""

    def __init__(self) -> None:
        self.species: tuple[str, ...] = ()
        self.settings: dict[str, str] = {}
        self.initial: tuple[Array, Array] | None = None

    def steps(self, file: Any) -> Iterator[tuple[Array, Array]]:
        """Cells and fractional positions of the ionic steps."""
        for _, element in iterparse(file):
            if element.tag == "i" and element.get("name") in ("POTIM", "IBRION"):
                self.settings.setdefault(str(element.get("name")), (element.text or "").strip())
            elif element.tag == "array" and element.get("name") == "atoms":
                self.species = tuple((c.text or "").strip() for c in element.iterfind(".//rc/c[1]"))
            elif element.tag == "structure" and element.get("name") == "initialpos":
                self.initial = _vectors(element, "basis"), _vectors(element, "positions")
            elif element.tag == "calculation":
                yield _vectors(element, "basis"), _vectors(element, "positions")
                element.clear()

    @property
    def time_step(self) -> float | None:
        """Of molecular dynamics (IBRION = 0), fs."""
        dynamics = self.settings.get("IBRION") == "0" and "POTIM" in self.settings
        return float(self.settings["POTIM"]) if dynamics else None


def read_vasprun(path: Path, *, frames: slice | None = None) -> Trajectory:
    """Read the ionic steps, or the initial structure of a run that made none.

    Parameters
    ----------
    path
        The file, may be gzipped.
    frames
        Which ionic steps to keep.

    Raises
    ------
    DataError
        If there is no structure, or it is damaged.
    """
    read_bytes(path, 2)
    run, found = _Run(), []
    doubts: tuple[Step, ...] = ()
    with gzip.open(path) if is_gzip(path) else path.open("rb") as file:
        try:
            for frame in run.steps(file):
                found.append(frame)
        except (ParseError, EOFError) as error:
            if not found and run.initial is None:
                raise DataError(
                    f"not a whole XML file: {error}", where=str(path), do="copy it again"
                ) from error
            doubts = (step("warning: the file is cut", reason=str(error), frames_read=len(found)),)
        except ValueError as error:
            raise DataError(
                f"frame {len(found)} has a number that cannot be read: {error}",
                where=str(path),
                do="cut the file before that frame",
            ) from error
    if not found and run.initial is not None:
        found = [run.initial]
    chosen = check_frames(frames, len(found), path)
    check_species(run.species, path)
    for i in chosen:
        if found[i][0].shape != (3, 3) or found[i][1].shape != (len(run.species), 3):
            raise DataError(
                f"frame {i} has {len(found[i][1])} of {len(run.species)} atoms",
                where=str(path),
                do='leave the frame out: frames = "start:stop:step"',
            )
    cells = np.array([found[i][0] for i in chosen])
    loaded = step("load structures", file=str(path), frames=frames_text(frames), frames_in_file=len(found))
    return Trajectory(
        species=run.species,
        positions=np.array([found[i][1] for i in chosen]) @ cells,
        cells=cells,
        time_step=None if run.time_step is None else run.time_step * abs(chosen.step),
        source=str(path),
        label=path.name.split(".")[0],
        history=(loaded, *doubts),
    )
