"""CPU time until the package is imported and until the help is shown, against what was promised.

``python benchmarks/bench_start.py`` prints one table and fails where a promise is broken. A slow machine is
told by the help of an empty program of cyclopts: ours may take two and a half
times as long there, if that is more than was promised.
"""

import os
import subprocess
import sys

_EMPTY = "import cyclopts, sys; app = cyclopts.App(); app.default(lambda: None); app(sys.argv[1:])"

CASES = {
    "python alone": (["-c", "pass"], None),
    "an empty program --help": (["-c", _EMPTY, "--help"], None),
    "import shortrange": (["-c", "import shortrange"], 0.15),
    "shortrange --help": (["-c", "from shortrange.cli import main; main()", "--help"], 0.25),
    "shortrange run --help": (["-c", "from shortrange.cli import main; main()", "run", "--help"], 0.25),
}
REPEATS = 11
_SLOW = 2.5


def cpu_seconds(arguments):
    """User and system time of one fresh interpreter, in seconds."""
    before = os.times()
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
    after = os.times()
    return (after.children_user - before.children_user) + (after.children_system - before.children_system)


def main():
    """Print the table; return 1 if a promise is broken."""
    broken, empty = 0, 0.0
    print(f"{'':26}{'CPU (s)':>9}{'at most':>9}")
    for name, (arguments, limit) in CASES.items():
        # The least of several: other processes can only add.
        best = min(cpu_seconds(arguments) for _ in range(REPEATS))
        if limit is None:
            empty = best
        late = limit is not None and best > max(limit, _SLOW * empty)
        broken += late
        print(f"{name:26}{best:9.3f}{'' if limit is None else f'{limit:9.2f}'}{'  TOO SLOW' if late else ''}")
    return int(broken > 0)


if __name__ == "__main__":
    sys.exit(main())
