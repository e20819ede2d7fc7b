"""An installed package, run from outside the checkout as its users run it: not a test of pytest's.

``python check_installed.py FOLDER_OF_PROGRAMS PROJECT RESULTS`` runs the commands that a newcomer tries, then
the project, whose verdict must be that of RESULTS.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path


def main(programs, project, results):
    """Run the commands; an error of any ends with its message."""
    program, project, results = (Path(p).resolve() for p in (Path(programs) / "shortrange", project, results))
    # Nothing of the checkout may help.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    with tempfile.TemporaryDirectory() as folder:

        def run(*words, status=0):
            command = [str(program), *map(str, words)]
            done = subprocess.run(
                command, cwd=folder, env=environment, capture_output=True, text=True, check=False
            )
            if done.returncode != status or "Traceback" in done.stderr:
                sys.exit(f"{' '.join(command)}: exit status {done.returncode}\n{done.stdout}{done.stderr}")
            return done.stdout

        print(run("--version", "--verbose"))
        run("--help")
        run("init")
        run("check", "project.toml", status=2)  # the files that it names are not there yet
        run("rnu", status=2)
        assert json.loads(run("references", "kcl", "--json"))
        run("run", project, "--out", "results")
        run("simulate", "pdf", project.parent / "models/corner.extxyz", "--q-max", 20, "--r-max", 6)
        found = json.loads(run("compare", results, "results", "--json"))
        if not found["same_verdict"]:
            sys.exit(f"the verdict differs from that of {results}: {found['changes']}")
        print(run("compare", results, "results"))


if __name__ == "__main__":
    main(*sys.argv[1:])
