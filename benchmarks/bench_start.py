"""CPU time until the package is imported and until the help is shown, against what was promised.

``python benchmarks/bench_start.py`` prints one table and fails where a promise is broken.
"""

import os
import subprocess
import sys

CASES = {
    "python alone": (["-c", "pass"], None),
    "import shortrange": (["-c", "import shortrange"], 0.15),
    "shortrange --help": (["-c", "from shortrange.cli import main; main()", "--help"], 0.25),
    "shortrange run --help": (["-c", "from shortrange.cli import main; main()", "run", "--help"], 0.25),
}
REPEATS = 7


def cpu_seconds(arguments):
    """User and system time of one fresh interpreter, in seconds."""
    before = os.times()
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
    after = os.times()
    return (after.children_user - before.children_user) + (after.children_system - before.children_system)


def main():
    """Print the table; return 1 if a promise is broken."""
    broken = 0
    print(f"{'':24}{'CPU (s)':>9}{'at most':>9}")
    for name, (arguments, limit) in CASES.items():
        # The least of several: other processes can only add.
        best = min(cpu_seconds(arguments) for _ in range(REPEATS))
        late = limit is not None and best > limit
        broken += late
        print(f"{name:24}{best:9.3f}{'' if limit is None else f'{limit:9.2f}'}{'  TOO SLOW' if late else ''}")
    return int(broken > 0)


if __name__ == "__main__":
    sys.exit(main())
