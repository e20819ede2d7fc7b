"""The program: verbs, messages and exit statuses.

Only the module of the verb that is called is imported, and nothing heavy by it: `shortrange --help` and
`shortrange run --help` answer at once.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
import traceback
from collections.abc import Sequence

from cyclopts import App, CycloptsError

from shortrange._version import __version__
from shortrange.cli.outcome import Outcome, fault_json
from shortrange.cli.versions import tell_versions
from shortrange.errors import ShortrangeError, problem

__all__ = ["VERBS", "make_app", "run_app"]

BAD_INPUT = 2
INTERNAL = 70
INTERRUPTED = 130

_HELP = """Which local structure do X-ray absorption and total-scattering data support, and how surely?

Begin with `shortrange init`. With --json, any command prints its record for programs; with --debug, where in
the program an error arose. `shortrange completion` lets your shell complete commands.

`shortrange --version --verbose` prints what to paste into a bug report."""

VERBS = {
    "run": ("run:run", "Reduce the data, simulate every model, and say which of them the data support."),
    "init": ("init:init", "Write a commented project.toml."),
    "check": (
        "check:check",
        "Read the project file and all it names, and say what was found and everything that is wrong.",
    ),
    "compare": (
        "compare:compare",
        "Say what changed between two runs: verdict, odds, parameters, warnings, files, settings, versions.",
    ),
    "convert": (
        "convert:convert",
        "Write a file in another format, with its history: scans, I(Q), S(Q), G(r), chi(k) or structures.",
    ),
    "reduce": (
        "reduce:reduce",
        "Align, merge and normalise repeats of an absorption scan, and extract chi(k) and chi(R).",
    ),
    "references": (
        "references:references",
        "List the energies of standards for calibration, each with its source.",
    ),
    "refine": (
        "refine:refine",
        "Refine crystals and molecules against G(r): cell, coordinates, displacements, occupancies, amounts.",
    ),
    "boxcar": (
        "boxcar:boxcar",
        "Refine crystal phases against G(r) in a window that moves along r, to see how far each is ordered.",
    ),
    "reduce-pdf": (
        "reduce_pdf:reduce_pdf",
        "Reduce scattering patterns to S(Q) and G(r) on an absolute scale, with errors.",
    ),
    "peaks": ("peaks:peaks", "Find the peaks of G(r), and rank the atom pairs that each may be."),
    "motif": (
        "motif:motif",
        "Build an octahedron, or two that share a corner, an edge or a face; say when atoms are too close.",
    ),
    "fit-paths": ("fit_paths:fit_paths", "Fit scattering paths of FEFF to chi(k), as Artemis and feffit do."),
    "simulate": ("simulate:simulate", "Simulate a measurement of snapshots, a crystal or a molecule."),
    "analyse": (
        "analyse:analyse",
        "Say what snapshots contain: coordination, connectivity, distortion, transport, topology, pathways.",
    ),
    "completion": (
        "completion:completion",
        "Print the script that lets a shell complete commands and options, or install it.",
    ),
}
"""Module and function of each verb, and the first line of its docstring, which the list of verbs shows."""


def make_app(*, called: str | None = None) -> App:
    """Return the program.

    Parameters
    ----------
    called
        The verb that is called. The others are then known by their first line, and never imported. All verbs
        tell their whole help when this is absent.
    """
    app = App(name="shortrange", help=_HELP, version=__version__)
    for name, (place, summary) in VERBS.items():
        whole = called in (None, name)
        app.command(f"shortrange.cli.{place}", name=name, help=None if whole else summary)
    return app


def run_app(arguments: Sequence[str]) -> int:
    """Run a command line.

    Parameters
    ----------
    arguments
        Without the name of the program.

    Returns
    -------
    int
        0 if all is well (whatever the verdict), 2 for a fault of the input or of the command line, 130 after
        Ctrl-C, 70 for a fault of the program itself.
    """
    words, options = _take_options(arguments)
    debug, machine = "--debug" in options, "--json" in options
    try:
        if _asks_for_version(words):
            return tell_versions(verbose="--verbose" in words, machine=machine)
        app = make_app(called=words[0] if words else "")
        command, bound, *_ = app.parse_args(words, exit_on_error=False, print_error=False)
        # What a command tells its user is kept from standard output, where a program waits for the record.
        said = io.StringIO()
        with contextlib.redirect_stdout(said) if machine else contextlib.nullcontext():
            outcome = command(*bound.args, **bound.kwargs)
        if machine:
            print((outcome if isinstance(outcome, Outcome) else Outcome({"help": said.getvalue()})).json())
        sys.stdout.flush()  # here a closed pipe can still be met in peace
        return outcome.status if isinstance(outcome, Outcome) else int(outcome or 0)
    except (CycloptsError, ShortrangeError) as error:
        fault = error if isinstance(error, ShortrangeError) else _mistyped(error, words)
        if machine:
            print(fault_json(fault, status=BAD_INPUT))
        return _fail(str(fault), BAD_INPUT, debug)
    except KeyboardInterrupt:
        return _fail("interrupted; earlier results were left as they were", INTERRUPTED, debug)
    except (BrokenPipeError, SystemExit) as error:
        return _reader_gone(error)
    except OSError as error:
        if error.filename is None:
            return _internal(error, debug)
        message = problem(
            f"{error.strerror}",
            where=str(error.filename),
            do="look at the path, the disk and the permissions",
        )
        return _fail(message, BAD_INPUT, debug)
    except Exception as error:
        return _internal(error, debug)


def _take_options(arguments: Sequence[str]) -> tuple[list[str], set[str]]:
    """Take out ``--debug`` and ``--json`` wherever they stand before ``--``; file names are behind it."""
    words = list(arguments)
    end = words.index("--") if "--" in words else len(words)
    taken = {"--debug", "--json"} & set(words[:end])
    return [word for word in words[:end] if word not in taken] + words[end:], taken


def _asks_for_version(words: Sequence[str]) -> bool:
    options = words[: words.index("--")] if "--" in words else words
    return "--version" in options and not {"--help", "-h"} & set(options)


def _mistyped(error: CycloptsError, words: Sequence[str]) -> ShortrangeError:
    """Give the fault of a command line the shape of every other fault."""
    verbs: list[str] = []
    here = make_app()
    for word in words[:2]:
        if word.startswith("-") or word not in here:
            break
        verbs.append(word)
        here = here[word]
    command = " ".join(["shortrange", *verbs])
    return ShortrangeError(str(error).strip(), where=command, do=f"see `{command} --help`")


def _reader_gone(error: BaseException) -> int:
    """Let the reader of our output go (`| head`): not a fault."""
    # rich meets the closed pipe itself, and would end with 1.
    if not isinstance(error if isinstance(error, OSError) else error.__context__, BrokenPipeError):
        raise error
    # Python would complain again at exit.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _fail(message: str, status: int, debug: bool) -> int:
    if debug:
        traceback.print_exc()
    print(f"shortrange: {message}", file=sys.stderr)
    return status


def _internal(error: Exception, debug: bool) -> int:
    message = problem(
        f"this is a fault of shortrange itself: {type(error).__name__}: {error}",
        where="inside the program",
        do="run the same command with --debug and report what it prints",
    )
    return _fail(message, INTERNAL, debug)
