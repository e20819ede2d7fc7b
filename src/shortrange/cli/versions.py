"""``shortrange --version --verbose``: what to paste into a bug report."""

from __future__ import annotations

import os
import platform
import sys

__all__ = ["tell_versions"]


def tell_versions() -> int:
    """Print versions, machine, FEFF and settings; no names of users or of their files."""
    from shortrange.errors import SimulationError
    from shortrange.run.versions import versions
    from shortrange.simulate.cache import cache_folder
    from shortrange.simulate.feff_programs import feff_folder

    for name, version in versions().items():
        print(f"{name:18} {version}")
    print(f"{'system':18} {platform.system()} {platform.release()} {platform.machine()}")
    print(f"{'processors':18} {os.cpu_count()}")
    print(f"{'encoding':18} {sys.stdout.encoding}, files {sys.getfilesystemencoding()}")
    try:
        print(f"{'FEFF8L':18} {feff_folder().name}")
    except SimulationError as error:
        print(f"{'FEFF8L':18} {error.what}")
    print(f"{'cache':18} {_state(cache_folder().is_dir())}")
    for name in sorted(key for key in os.environ if key.startswith("SHORTRANGE_")):
        print(f"{name:18} set")
    return 0


def _state(there: bool) -> str:
    return "in use" if there else "empty"
