"""What all notebooks share: where the example lies, and how a figure is shown."""

import os
from pathlib import Path

from matplotlib.figure import Figure

from shortrange.report.style import png_bytes

__all__ = ["EXAMPLE", "MODELS", "REFERENCES", "show"]

_HERE = Path(__file__).resolve().parent
EXAMPLE = _HERE.parent / "examples" / "tacl5-na2s-bridge"
REFERENCES = _HERE.parent / "reference_spectra"
MODELS = {
    "corner-sharing mu-S": EXAMPLE / "models" / "corner.extxyz",
    "edge-sharing (mu-S)2": EXAMPLE / "models" / "edge_s2.extxyz",
    "edge-sharing mu-S,mu-Cl": EXAMPLE / "models" / "edge_scl.extxyz",
    "isolated TaCl6": EXAMPLE / "models" / "isolated.extxyz",
}
"""Simulated snapshots: molecular dynamics with machine-learned potentials, 600 K."""


def show(figure: Figure, name: str) -> None:
    """Show a figure in a notebook; write it to the folder SHORTRANGE_FIGURES, if that is set."""
    png = png_bytes(figure, dpi=110)
    folder = os.environ.get("SHORTRANGE_FIGURES")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        (Path(folder) / f"{name}.png").write_bytes(png)
    try:
        from IPython import get_ipython
        from IPython.display import Image, display
    except ImportError:
        return
    if get_ipython() is not None:
        display(Image(png))
