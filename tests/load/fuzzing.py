"""What any bytes may do to a loader of absorption scans: give sound scans, or a full message; nothing else.

``python tests/load/fuzzing.py LOADER [--seconds 10]`` lets atheris (coverage-guided) look for what breaks it,
from the sample of that loader on.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from types import FunctionType

import numpy as np

from shortrange.errors import DataError
from shortrange.load import LOADERS, load_scans

XAS = sorted(name for name, loader in LOADERS.items() if loader.kind == "xas")


def check(name: str, content: bytes, folder: Path) -> str:
    """Read bytes with a loader; the message, or nothing if scans came out."""
    path = folder / "fuzz.dat"
    path.write_bytes(content)
    refusal = None
    try:
        scans = load_scans(path, format=name)
    except DataError as error:
        refusal = error
    if refusal is not None:
        assert refusal.what, refusal
        assert "fuzz.dat" in refusal.where, refusal
        assert refusal.do, refusal
        assert "Error:" not in refusal.what, f"a library failed in its own words: {refusal}"
        return refusal.what
    assert scans
    for scan in scans:
        assert scan.energy.size >= 5
        assert (np.diff(scan.energy) > 0).all()
        for values in (scan.energy, *scan.columns.values()):
            assert values.shape == scan.energy.shape
            assert np.isfinite(values).all()
        assert any(done.name == "load scan" for done in scan.history)
    return ""


def main() -> int:
    """Run atheris for a bounded time; 3 and the reason if it is not here."""
    parser = argparse.ArgumentParser()
    parser.add_argument("loader", choices=XAS)
    parser.add_argument("--seconds", type=int, default=10)
    asked = parser.parse_args()
    try:
        import atheris
    except ImportError as error:
        print(f"not fuzzed: {error}; pip install atheris (Linux and macOS, Python up to 3.13)")
        return 3
    sys.path.insert(0, str(Path(__file__).parent))
    from sample_files import FILES

    content = FILES[asked.loader][2]
    folder = Path(tempfile.mkdtemp())
    seeds = folder / "seeds"
    seeds.mkdir()
    (seeds / "sample").write_bytes(content if isinstance(content, bytes) else content.encode())
    for module in ("axis", "roles", "sweep", "text", asked.loader):
        found = sys.modules.get(f"shortrange.load.{module}")
        for attribute, function in list(vars(found).items()) if found else ():
            if isinstance(function, FunctionType) and function.__module__ == found.__name__:
                setattr(found, attribute, atheris.instrument_func(function))
    options = [f"-max_total_time={asked.seconds}", "-max_len=8192", "-verbosity=0", "-print_final_stats=1"]
    atheris.Setup([sys.argv[0], str(seeds), *options], lambda data: check(asked.loader, data, folder))
    atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main())
