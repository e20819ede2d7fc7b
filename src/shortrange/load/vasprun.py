"""Ionic steps of a vasprun.xml, streamed: these files reach gigabytes, and runs that were cut are common.

The reader of ase needs electronic steps and energies, which runs with a machine-learned force field lack.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, ParseError, iterparse

import numpy as np
from numpy.typing import NDArray

from shortrange.errors import DataError
from shortrange.load.frames import Frame, Notes, open_binary
from shortrange.quantities import step

__all__ = ["sniff_vasprun", "vasprun_frames"]

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

    def frame(self, path: Path, index: int, cell: Array, fractions: Array) -> Frame:
        if cell.shape != (3, 3) or fractions.shape != (len(self.species), 3):
            raise DataError(
                f"frame {index} has {len(fractions)} of {len(self.species)} atoms",
                where=str(path),
                do='leave the frame out: frames = "start:stop:step"',
            )
        return Frame(self.species, fractions @ cell, cell)

    @property
    def time_step(self) -> float | None:
        """Of molecular dynamics (IBRION = 0), fs."""
        dynamics = self.settings.get("IBRION") == "0" and "POTIM" in self.settings
        return float(self.settings["POTIM"]) if dynamics else None


def vasprun_frames(path: Path, wanted: Callable[[int], bool], notes: Notes) -> Iterator[Frame | None]:
    """Ionic steps, or the initial structure of a run that made none."""
    run, count = _Run(), 0
    with open_binary(path) as file:
        try:
            for cell, fractions in run.steps(file):
                yield run.frame(path, count, cell, fractions) if wanted(count) else None
                count += 1
        except (ParseError, EOFError) as error:
            if not count and run.initial is None:
                raise DataError(
                    f"not a whole XML file: {error}", where=str(path), do="copy it again"
                ) from error
            notes.steps.append(step("warning: the file is cut", reason=str(error), frames_read=count))
        except ValueError as error:
            raise DataError(
                f"frame {count} has a number that cannot be read: {error}",
                where=str(path),
                do="cut the file before that frame",
            ) from error
    notes.time_step = run.time_step
    if not count and run.initial is not None:
        yield run.frame(path, 0, *run.initial) if wanted(0) else None
