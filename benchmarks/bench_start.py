"""CPU time until the package is imported and until the help is shown, against what was promised.

``python benchmarks/bench_start.py`` prints one table and fails where a promise is broken (not on Windows,
which does not tell the time of child processes).

The promises are seconds on the machine where they were made. They hold as they stand on every machine at
least as fast. Elsewhere they grow in proportion, if two things that are not ours say that the machine is
slower: imports of the standard library, and the help of an empty program of cyclopts. The smaller of the two
ratios counts, so that a cyclopts that has become slower is not taken for a slow machine; the promises never
grow with our own time.
"""

import resource
import subprocess
import sys

_LIBRARY = (
    "import argparse, asyncio, csv, decimal, email.message, http.client, inspect, logging, pathlib, pdb, "
    "sqlite3, tarfile, typing, unittest.mock, xml.dom.minidom, zipfile"
)
_EMPTY = "import cyclopts, sys; app = cyclopts.App(); app.default(lambda: None); app(sys.argv[1:])"
_PROGRAM = "from shortrange.cli import main; main()"

YARDSTICKS = {
    "imports of the library": (["-c", _LIBRARY], 0.12),
    "an empty program --help": (["-c", _EMPTY, "--help"], 0.19),
}
"""What is not ours, and its seconds on the machine where the promises were made."""
PROMISES = {
    "import shortrange": (["-c", "import shortrange"], 0.15),
    "shortrange --help": (["-c", _PROGRAM, "--help"], 0.25),
    "shortrange run --help": (["-c", _PROGRAM, "run", "--help"], 0.25),
}
REPEATS = 15


def cpu_seconds(arguments):
    """User and system time of one fresh interpreter, in seconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime - before.ru_utime) + (after.ru_stime - before.ru_stime)


def least_times(cases):
    """Least CPU time of several runs of each case, s: other processes can only add.

    The cases take turns, so that a busy minute falls on all of them.
    """
    rounds = [
        {name: cpu_seconds(arguments) for name, (arguments, _) in cases.items()} for _ in range(REPEATS)
    ]
    return {name: min(times[name] for times in rounds) for name in cases}


def main():
    """Print the table; return 1 if a promise is broken."""
    least = least_times(YARDSTICKS | PROMISES)
    slower = max(1.0, min(least[name] / there for name, (_, there) in YARDSTICKS.items()))
    print(f"{'':26}{'CPU (s)':>9}{'at most':>9}")
    for name in YARDSTICKS:
        print(f"{name:26}{least[name]:9.3f}")
    broken = 0
    for name, (_, promised) in PROMISES.items():
        limit = slower * promised
        late = least[name] > limit
        broken += late
        print(f"{name:26}{least[name]:9.3f}{limit:9.2f}{'  TOO SLOW' if late else ''}")
    if slower > 1.0:
        print(f"this machine is {slower:.2f} times slower than the one of the promises, which grow as much")
    return int(broken > 0)


if __name__ == "__main__":
    sys.exit(main())
