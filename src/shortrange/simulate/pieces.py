"""Long calculations in pieces: threads or a cluster, progress, and a state from which to go on.

The frames of a run are worked on in pieces of fixed size, each by one thread, and results are handed back in
the order of the frames. So they do not depend on how many workers there are or where; and a piece that was
finished before an interruption is taken from its file instead of being made again.
"""

from __future__ import annotations

import shutil
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.errors import SimulationError
from shortrange.quantities import Trajectory
from shortrange.simulate.cache import cache_folder, content_key, load_entry, store_entry
from shortrange.simulate.feff_paths import worker_count

__all__ = ["PieceStore", "Progress", "Workers", "as_pieces", "run_pieces"]

Array = NDArray[Any]
Result = Mapping[str, Array]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a calculation is.

    Attributes
    ----------
    what
        In words.
    frames, total
        Done, and all (None if not known yet).
    seconds
        Since its start.
    reused
        Frames whose results were there already.
    """

    what: str
    frames: int
    total: int | None
    seconds: float
    reused: int = 0

    @property
    def seconds_left(self) -> float | None:
        """At the speed so far; None if it cannot be told."""
        made = self.frames - self.reused
        if self.total is None or made <= 0:
            return None
        return max(0, self.total - self.frames) * self.seconds / made


@dataclass(frozen=True, slots=True)
class Workers:
    """Who does the work.

    Attributes
    ----------
    number
        Threads; None is one for each processor. Not used with a scheduler.
    scheduler
        Address of a dask.distributed scheduler, such as ``tcp://node1:8786``; needs ``shortrange[dask]``.
    tell
        Called with the `Progress` after each piece.
    keep
        Keep finished pieces until the calculation is whole, so that it can be resumed.
    unfinished
        Where the calculation is part of a larger work that may be interrupted: its pieces are kept, and what
        holds them is added here for that work to clear when it is whole.
    """

    number: int | None = None
    scheduler: str | None = None
    tell: Callable[[Progress], None] | None = None
    keep: bool = False
    unfinished: list[PieceStore] | None = None

    def done(self, store: PieceStore | None) -> None:
        """Let go of the pieces of a whole calculation, or leave that to the larger work it is part of."""
        if store is not None and self.unfinished is not None:
            self.unfinished.append(store)
        elif store is not None:
            store.clear()


@dataclass(slots=True)
class PieceStore:
    """Finished pieces of one calculation, in the user's cache, each under the hash of what it depends on.

    Attributes
    ----------
    key
        Of the calculation, settings and all.
    reused
        Pieces taken as they were.
    """

    key: str
    reused: int = 0
    _names: list[str] = field(default_factory=list)

    def name(self, index: int, piece: Trajectory) -> str:
        """File of a piece; other positions, cells or elements have another one."""
        cells = b"" if piece.cells is None else piece.cells.tobytes()
        key = content_key("piece", self.key, piece.positions.tobytes(), cells, " ".join(piece.species))
        return f"pieces-{self.key}/{index:07d}-{key}"

    def load(self, name: str) -> Result | None:
        """Return what is held under a name; None if there is nothing, or it is damaged."""
        held = load_entry(name)
        if held is not None:
            self.reused += 1
        return held

    def save(self, name: str, result: Result) -> None:
        """Write a result, whole or not at all."""
        store_entry(name, result)

    def clear(self) -> None:
        """Remove all pieces: the calculation is whole."""
        shutil.rmtree(cache_folder() / f"pieces-{self.key}", ignore_errors=True)


def run_pieces(
    work: Callable[[Trajectory], Result],
    pieces: Iterable[Trajectory],
    *,
    what: str,
    workers: Workers,
    store: PieceStore | None = None,
    total: int | None = None,
) -> Iterator[tuple[int, Result]]:
    """Yield the number of frames and the result of each piece, in order.

    Parameters
    ----------
    work
        What makes a result of a piece; for a scheduler it must be picklable.
    pieces
        Read as they are needed: a few for each worker are held at a time.
    what
        In words, for the progress.
    workers
        Who does it.
    store
        Where finished pieces are kept and looked for.
    total
        All frames, if known.

    Raises
    ------
    SimulationError
        If the scheduler cannot be reached.
    """
    started = time.monotonic()
    done = reused = 0
    with _executor(workers, work) as (submit, width):
        waiting: deque[tuple[int, str | None, Future[Any] | Result]] = deque()
        for index, piece in enumerate(pieces):
            name = None if store is None else store.name(index, piece)
            held = None if store is None or name is None else store.load(name)
            if held is not None:
                reused += piece.n_frames
            waiting.append((piece.n_frames, name, held if held is not None else submit(piece)))
            if len(waiting) < 3 * width:
                continue
            n, result = _finish(waiting.popleft(), store)
            done += n
            yield n, result
            _tell(workers, what, done, total, started, reused)
        while waiting:
            n, result = _finish(waiting.popleft(), store)
            done += n
            yield n, result
            _tell(workers, what, done, total, started, reused)


def _finish(entry: tuple[int, str | None, Any], store: PieceStore | None) -> tuple[int, Result]:
    n, name, result = entry
    if isinstance(result, Mapping):
        return n, result
    made: Result = result.result()
    if store is not None and name is not None:
        store.save(name, made)
    return n, made


def _tell(workers: Workers, what: str, done: int, total: int | None, started: float, reused: int) -> None:
    if workers.tell is not None:
        workers.tell(Progress(what, done, total, time.monotonic() - started, reused))


def _call(work: Callable[[Trajectory], Result], piece: Trajectory) -> Result:
    return work(piece)


@contextmanager
def _executor(
    workers: Workers, work: Callable[[Trajectory], Result]
) -> Iterator[tuple[Callable[[Trajectory], Any], int]]:
    """Yield a function that hands a piece over to ``work``, and how many pieces can be under way."""
    if workers.scheduler is None:
        n = worker_count(workers.number)
        with ThreadPoolExecutor(n) as pool:
            try:
                yield lambda piece: pool.submit(work, piece), n
            except BaseException:
                # Ctrl-C and faults: what is running ends, what waits is not begun.
                pool.shutdown(wait=True, cancel_futures=True)
                raise
        return
    try:
        import distributed
    except ImportError as error:
        raise SimulationError(
            f"dask.distributed is not installed ({error})", where="scheduler",
            do="pip install 'shortrange[dask]', or leave the scheduler out",
        ) from error  # fmt: skip
    try:
        connect: Callable[..., Any] = distributed.Client
        client = connect(workers.scheduler, timeout="10s")
    except (OSError, ValueError, TypeError) as error:
        raise SimulationError(
            f"the scheduler cannot be reached: {error}", where=workers.scheduler,
            do="start `dask scheduler`, and give the address that it prints, such as tcp://node1:8786",
        ) from error  # fmt: skip
    with client:
        threads = sum(client.nthreads().values())
        if not threads:
            raise SimulationError(
                "the scheduler has no workers", where=workers.scheduler,
                do=f"start some: dask worker {workers.scheduler}",
            )  # fmt: skip
        # Tables of some 10 MB are sent to each worker once, not with each piece.
        everywhere = client.scatter(work, broadcast=True)
        yield lambda piece: client.submit(_call, everywhere, piece, pure=False), threads


def as_pieces(trajectory: Trajectory, n_frames: int) -> Iterator[Trajectory]:
    """Yield runs of consecutive frames of a trajectory in memory."""
    for start in range(0, trajectory.n_frames, n_frames):
        stop = start + n_frames
        yield Trajectory(
            species=trajectory.species, positions=_frozen(trajectory.positions[start:stop]),
            cells=None if trajectory.cells is None else _frozen(trajectory.cells[start:stop]),
            label=trajectory.label, source=trajectory.source,
        )  # fmt: skip


def _frozen(values: Array) -> Array:
    own = np.array(values)
    own.setflags(write=False)
    return own
