"""Run the FEFF8L programs that come with xraylarch, without importing it."""

from __future__ import annotations

import importlib.util
import os
import platform
import subprocess
import sys
from pathlib import Path

from shortrange.errors import SimulationError

__all__ = ["feff_folder", "run_program"]


def feff_folder() -> Path:
    """Folder of the FEFF8L programs inside xraylarch, found without importing it.

    Raises
    ------
    SimulationError
        If xraylarch is not installed or has no programs for this computer.
    """
    spec = importlib.util.find_spec("larch")
    advice = "install xraylarch from PyPI: pip install xraylarch"
    if spec is None or not spec.submodule_search_locations:
        raise SimulationError("xraylarch is not installed, so there is no FEFF8L", where="FEFF8L", do=advice)
    names = {"win32": "win64", "darwin": "darwin64", "linux": "linux64"}
    folder = Path(next(iter(spec.submodule_search_locations))) / "bin" / names.get(sys.platform, sys.platform)
    if not _program(folder, "rdinp").is_file():
        machine = f"{sys.platform} {platform.machine()}"
        raise SimulationError(f"xraylarch has no FEFF8L for {machine}", where=str(folder), do=advice)
    return folder


def _program(folder: Path, module: str) -> Path:
    return folder / (f"feff8l_{module}.exe" if sys.platform == "win32" else f"feff8l_{module}")


def run_program(module: str, *, folder: Path, timeout: float = 600.0) -> str:
    """Run one FEFF8L program in ``folder`` and return what it printed.

    Parameters
    ----------
    module
        ``rdinp``, ``pot``, ``xsph``, ``pathfinder``, ``genfmt`` or ``ff2x``.
    folder
        Where its input is and its output goes. The working directory of this process stays as it is.
    timeout
        Seconds until the program is killed.

    Raises
    ------
    SimulationError
        If it cannot start, fails, says that there is an error, or does not end in time.
    """
    programs = feff_folder()
    environment = dict(os.environ)
    library_path = {"win32": "PATH", "darwin": "DYLD_LIBRARY_PATH"}.get(sys.platform, "LD_LIBRARY_PATH")
    environment[library_path] = os.pathsep.join(filter(None, [str(programs), environment.get(library_path)]))
    where = f"FEFF8L program {module}"
    try:
        done = subprocess.run(
            [str(_program(programs, module))], cwd=folder, env=environment, timeout=timeout,
            stdin=subprocess.DEVNULL, capture_output=True, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise SimulationError(
            f"FEFF did not end within {timeout:g} s",
            where=where,
            do="use a smaller cluster, or allow more time",
        ) from None
    except OSError as error:
        raise SimulationError(
            f"FEFF cannot be started: {error}", where=where, do="reinstall xraylarch"
        ) from None
    said = done.stdout.decode("latin-1")
    if done.returncode != 0 or not _ended_well(said):
        raise SimulationError(
            f"FEFF failed (exit status {done.returncode}): {_complaint(said, done.stderr.decode('latin-1'))}",
            where=where,
            do="check the cluster: distances, elements, edge",
        )
    return said


def _ended_well(said: str) -> bool:
    """Whether FEFF's chatter has no fatal message: some of its failures exit with status 0."""
    low = said.lower()
    return not any(
        word in low for word in ("fatal", "*** error", " error ", "error opening", "error in ", "failed to")
    )


def _complaint(said: str, errors: str) -> str:
    lines = [line.strip() for line in (said + errors).splitlines() if line.strip() and "IEEE_" not in line]
    return " | ".join(lines[-6:]) or "it said nothing"
