"""Tables and progress: with rules and colours on a terminal, plain text in a pipe."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

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
def progress() -> Iterator[Callable[[str], None]]:
    """Show what is being done on one line of the terminal; say nothing in a pipe."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.markup import escape

    with Console(stderr=True).status("begin") as status:
        yield lambda text: status.update(escape(text))
