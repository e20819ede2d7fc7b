"""Tables and progress: with rules and colours on a terminal, plain text in a pipe."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from time import monotonic

__all__ = ["progress", "show_table"]


def show_table(head: Sequence[str], rows: Sequence[Sequence[str]], *, right: Sequence[int] = ()) -> None:
    """Print a table to standard output.

    Parameters
    ----------
    head, rows
        Cells.
    right
        Columns that are set flush right.
    """
    if sys.stdout.isatty():
        _rich_table(head, rows, right)
        return
    widths = [max(len(row[i]) for row in (head, *rows)) for i in range(len(head))]
    for row in (head, *rows):
        cells = [
            c.rjust(w) if i in right else c.ljust(w) for i, (c, w) in enumerate(zip(row, widths, strict=True))
        ]
        print("  ".join(cells).rstrip())


def _rich_table(head: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[int]) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for index, title in enumerate(head):
        table.add_column(Text(title), justify="right" if index in right else "left", overflow="fold")
    for row in rows:
        # Text, not str: square brackets in a name are not rich's markup.
        table.add_row(*(Text(cell) for cell in row))
    Console().print(table)


@contextmanager
def progress(
    total: float | None = None, *, cost: Callable[[str], float] = lambda _: 1.0
) -> Iterator[Callable[[str], None]]:
    """Show what is being done on one line of the terminal, with the time left; in a log now and then.

    Parameters
    ----------
    total
        Cost of all pieces of work, in any unit; without it there is only the time that has gone.
    cost
        Of the piece of work that a text announces.
    """
    if not sys.stderr.isatty():
        yield _log_line(total, cost)
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import (
        BarColumn,
        Progress,
        ProgressColumn,
        SpinnerColumn,
        TextColumn,
        TimeElapsedColumn,
    )

    text = TextColumn("{task.description}")
    columns: list[ProgressColumn] = [SpinnerColumn(), text, TimeElapsedColumn()]
    if total is not None:
        columns = [SpinnerColumn(), BarColumn(30), TextColumn("{task.fields[left]}"), text]
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("begin", total=total, left="")
        under_way = 0.0

        def tell(what: str) -> None:
            nonlocal under_way
            bar.advance(task, under_way)
            under_way = cost(what)
            state = bar.tasks[0]
            bar.update(task, description=escape(what), left=_left(state.elapsed, state.completed, total))

        yield tell


_SECONDS = 10.0  # between lines of a log, and before the first


def _log_line(total: float | None, cost: Callable[[str], float]) -> Callable[[str], None]:
    """Write what begins to stderr, where that is a file or a pipe: nothing of short work, little of long."""
    began = last = monotonic()
    done = under_way = 0.0

    def tell(what: str) -> None:
        nonlocal last, done, under_way
        done, under_way = done + under_way, cost(what)
        if (now := monotonic()) - last < _SECONDS:
            return
        last = now
        left = _left(now - began, done, total)
        print(f"{now - began:.0f} s: {what}" + (f" ({left})" if left else ""), file=sys.stderr, flush=True)

    return tell


def _left(elapsed: float | None, done: float, total: float | None) -> str:
    """Estimate the time left from what the work that is done has taken."""
    if not elapsed or not done or total is None:
        return ""
    seconds = elapsed * max(0.0, total - done) / done
    return f"about {seconds:.0f} s left" if seconds < 90 else f"about {seconds / 60:.0f} min left"
