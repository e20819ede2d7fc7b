"""``shortrange --version --verbose``: what to paste into a bug report."""

from __future__ import annotations

import json
import os
import platform
import sys

from shortrange._version import __version__

__all__ = ["tell_versions"]


def tell_versions(*, verbose: bool, machine: bool) -> int:
    """Print the version; no names of users or of their files.

    Parameters
    ----------
    verbose
        Also print the versions of libraries, machine, FEFF and settings.
    machine
        Print JSON.
    """
    found = _everything() if verbose else {"shortrange": __version__}
    if machine:
        print(json.dumps(found, indent=2))
    elif verbose:
        print("\n".join(f"{name:18} {version}" for name, version in found.items()))
    else:
        print(__version__)
    return 0


def _everything() -> dict[str, str]:
    from shortrange.errors import SimulationError
    from shortrange.run.versions import versions
    from shortrange.simulate.cache import cache_folder
    from shortrange.simulate.feff_programs import feff_folder

    found = {
        **versions(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "processors": str(os.cpu_count()),
        "encoding": f"{sys.stdout.encoding}, files {sys.getfilesystemencoding()}",
    }
    try:
        found["FEFF8L"] = feff_folder().name
    except SimulationError as error:
        found["FEFF8L"] = error.what
    found["cache"] = "in use" if cache_folder().is_dir() else "empty"
    return found | {name: "set" for name in sorted(os.environ) if name.startswith("SHORTRANGE_")}
