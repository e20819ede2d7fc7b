"""The command line: one file per verb, each a thin layer over the library."""

from __future__ import annotations

__all__ = ["main"]


def main() -> int:
    """Run the program ``shortrange`` on the arguments of the process; returns its exit status."""
    import sys

    from shortrange.cli.app import run_app

    return run_app(sys.argv[1:])
