"""The program: verbs, messages and exit statuses.

Nothing heavy is imported here or by the modules of the verbs: `shortrange --help` answers at once.
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
from shortrange.cli.analyse import analyse
from shortrange.cli.boxcar import boxcar
from shortrange.cli.check import check
from shortrange.cli.compare import compare
from shortrange.cli.completion import make_completion
from shortrange.cli.convert import convert
from shortrange.cli.fit_paths import fit_paths
from shortrange.cli.init import init
from shortrange.cli.motif import motif
from shortrange.cli.outcome import Outcome, fault_json
from shortrange.cli.peaks import peaks
from shortrange.cli.reduce import reduce
from shortrange.cli.reduce_pdf import reduce_pdf
from shortrange.cli.references import references
from shortrange.cli.refine import refine
from shortrange.cli.run import run
from shortrange.cli.simulate import simulate
from shortrange.cli.versions import tell_versions
from shortrange.errors import ShortrangeError, problem

__all__ = ["app", "run_app"]

BAD_INPUT = 2
INTERNAL = 70
INTERRUPTED = 130

app = App(
    name="shortrange",
    help="Which local structure do X-ray absorption and total-scattering data support, and how surely?\n\n"
    "Begin with `shortrange init`. With --json, any command prints its record for programs; with --debug, "
    "where in the program an error arose. `shortrange completion` lets your shell complete commands.\n\n"
    "`shortrange --version --verbose` prints what to paste into a bug report.",
    version=__version__,
)
for verb in (run, init, check, compare, convert, reduce, references, refine, boxcar):
    app.command(verb)
app.command(reduce_pdf, name="reduce-pdf")
app.command(peaks)
app.command(motif)
app.command(fit_paths, name="fit-paths")
app.command(simulate)
app.command(analyse)
app.command(make_completion(app), name="completion")


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
        if "--version" in words and set(words) <= {"--version", "--verbose"}:
            return tell_versions(verbose="--verbose" in words, machine=machine)
        command, bound, *_ = app.parse_args(words, exit_on_error=False, print_error=False)
        with _quiet() if machine else contextlib.nullcontext():
            outcome = command(*bound.args, **bound.kwargs)
        if machine and isinstance(outcome, Outcome):
            print(outcome.json())
        sys.stdout.flush()  # here a closed pipe can still be met in peace
        return outcome.status if isinstance(outcome, Outcome) else int(outcome or 0)
    except (CycloptsError, ShortrangeError) as error:
        fault = error if isinstance(error, ShortrangeError) else _mistyped(error, words)
        if machine:
            print(fault_json(fault, status=BAD_INPUT))
        return _fail(str(fault), BAD_INPUT, debug)
    except KeyboardInterrupt:
        return _fail("interrupted; earlier results were left as they were", INTERRUPTED, debug)
    except BrokenPipeError:
        # The reader of our output went away (`| head`): not a fault. Python would complain again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
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


def _quiet() -> contextlib.redirect_stdout[io.StringIO]:
    """Keep what a command tells its user from the standard output, where a program waits for the record."""
    return contextlib.redirect_stdout(io.StringIO())


def _mistyped(error: CycloptsError, words: Sequence[str]) -> ShortrangeError:
    """Give the fault of a command line the shape of every other fault."""
    verbs: list[str] = []
    here = app
    for word in words[:2]:
        if word.startswith("-") or word not in here:
            break
        verbs.append(word)
        here = here[word]
    command = " ".join(["shortrange", *verbs])
    return ShortrangeError(str(error).strip(), where=command, do=f"see `{command} --help`")


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
