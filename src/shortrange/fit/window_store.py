"""Solved windows kept in a file, so that an interrupted box-car goes on where it stopped."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

from shortrange._version import __version__
from shortrange.fit.gr_points import GrData
from shortrange.fit.phases import Book
from shortrange.fit.refine_problem import Solution

__all__ = ["WindowStore"]


class WindowStore:
    """Solutions by window, of one set of data and settings; lines of others in the file are left alone.

    Parameters
    ----------
    path
        Text file, made if it is not there; None keeps nothing.
    data, book
        What the windows are fitted to, and the parameters with their starts, limits and priors: a change of
        any makes other solutions.
    """

    def __init__(self, path: Path | None, data: GrData, book: Book) -> None:
        self.path = path
        self._lock = Lock()
        self._key = _key(data, book)
        self._found: dict[tuple[float, float], Solution] = {}
        if path is None or not path.exists():
            return
        for line in path.read_text(encoding="utf-8").splitlines():
            try:
                record = json.loads(line)
            except ValueError:
                continue  # the last line of a run that was stopped while it wrote
            if record.get("key") == self._key:
                low, high = record["window"]
                self._found[low, high] = _solution(record["solution"])

    def get(self, low: float, high: float) -> Solution | None:
        """Solution of a window, angstrom, if there is one."""
        return self._found.get((low, high))

    def put(self, low: float, high: float, solution: Solution) -> None:
        """Keep a solution that has not failed."""
        if self.path is None or solution.reason:
            return
        plain = {k: v.tolist() if isinstance(v, np.ndarray) else v for k, v in asdict(solution).items()}
        line = json.dumps({"key": self._key, "window": [low, high], "solution": plain})
        with self._lock, self.path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")


def _solution(plain: dict[str, Any]) -> Solution:
    arrays = {name: np.array(plain[name], dtype=float) for name in ("theta", "covariance")}
    at_bound = np.array(plain["at_bound"], dtype=bool)
    return Solution(**{**plain, **arrays, "at_bound": at_bound, "blind": tuple(plain["blind"])})


def _key(data: GrData, book: Book) -> str:
    digest = hashlib.sha256(__version__.encode())
    arrays = [data.r, data.g, data.sigma, book.base, np.array(data.q_range)]
    arrays += [phase.shells.coefficients for phase in book.phases.values()]
    arrays += [phase.shells.amplitude for phase in book.phases.values()]
    for array in arrays if data.cov is None else [*arrays, data.cov]:
        digest.update(np.ascontiguousarray(array).tobytes())
    for phase in book.phases.values():
        digest.update(
            repr((phase.weights, phase.energy, phase.composition, phase.peaks, phase.shape)).encode()
        )
    digest.update(repr((book.names, book.free)).encode())
    return digest.hexdigest()
