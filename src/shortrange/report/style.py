"""One look for every figure: colour-blind safe, print-ready, no global state."""

from __future__ import annotations

import io
import textwrap
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

__all__ = [
    "BAND",
    "DATA",
    "GUIDE",
    "MODELS",
    "SIMULATED",
    "WIDTH",
    "dress",
    "finish",
    "model_color",
    "new_figure",
    "note",
    "plain",
    "png_bytes",
    "svg_text",
]

# Okabe and Ito's palette, in an order that keeps neighbours apart in grey print as well.
MODELS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
DATA = "#1a1a1a"
BAND = "#9a9a9a"
GUIDE = "#b5b5b5"
SIMULATED = "SIMULATED DATA"
WIDTH = 5.4
"""inch: two figures fit beside each other on a page, and one on a telephone stays readable."""
_WARN = "#B04500"


def model_color(index: int) -> str:
    """Colour of the model that is ``index``-th in the ranking."""
    return MODELS[index % len(MODELS)]


def new_figure(height: float, *, width: float = WIDTH) -> Figure:
    """Return an empty figure of ``width`` x ``height`` inch, outside pyplot's registry."""
    figure = Figure(figsize=(width, height), layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def dress(ax: Axes, *, xlabel: str = "", ylabel: str = "", y_ticks: int = 5) -> None:
    """Give axes their labels, thin lines and few ticks."""
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        ax.spines[side].set_linewidth(0.7)
        ax.spines[side].set_color("#444444")
    ax.tick_params(labelsize=8, width=0.7, length=3, color="#444444", labelcolor="#222222")
    if ax.get_yscale() == "linear":
        ax.yaxis.set_major_locator(MaxNLocator(y_ticks))
    ax.set_xlabel(xlabel, fontsize=9)
    ax.set_ylabel(ylabel, fontsize=9)


def note(ax: Axes, text: str, *, x: float = 0.99, y: float = 0.97, color: str = "#444444") -> None:
    """Write a remark into a corner of the axes, in fractions of them."""
    ax.text(
        x,
        y,
        text,
        transform=ax.transAxes,
        ha="right" if x > 0.5 else "left",
        va="top" if y > 0.5 else "bottom",
        fontsize=8,
        color=color,
    )


def finish(figure: Figure, *, title: str, simulated: bool, subject: str = "") -> Figure:
    """Name the sample above the figure and, along its right edge, say if the data are simulated."""
    width = int(11.5 * figure.get_figwidth())
    lines = [textwrap.fill(plain(line), width=width) for line in (title, subject) if line]
    if lines:
        figure.suptitle(
            "\n".join(lines),
            x=0.012,
            ha="left",
            fontsize=9,
            color="#222222",
            fontweight="bold",
            linespacing=1.35,
        )
    if simulated:
        engine = figure.get_layout_engine()
        if engine is not None:
            engine.set(rect=(0.0, 0.0, 0.965, 1.0))  # type: ignore[call-arg]  # keyword of this engine
        figure.text(
            0.994,
            0.5,
            SIMULATED,
            rotation=90,
            ha="right",
            va="center",
            fontsize=8.5,
            fontweight="bold",
            color=_WARN,
        )
    return figure


def png_bytes(figure: Figure, *, dpi: int = 200) -> bytes:
    """Draw a figure for the page, slides and papers; the same figure gives the same bytes.

    Its parts are put in their places for good: a later drawing does not look for them again.
    """
    stream = io.BytesIO()
    # Level 3 takes two thirds of the time of zlib's default (6), for files a twelfth larger.
    encoding = {"compress_level": 3}
    with _without_glyphs():
        engine = figure.get_layout_engine()
        if engine is not None and figure.axes:
            # Here, because `savefig` goes through a whole drawing to do the same.
            figure.dpi = dpi
            engine.execute(figure)
            figure.set_layout_engine(None)
        figure.savefig(stream, dpi=dpi, format="png", metadata={"Software": None}, pil_kwargs=encoding)
    return stream.getvalue()


@contextmanager
def _without_glyphs() -> Iterator[None]:
    """Draw a box for letters that the font lacks (a file name may be in any script), and say nothing."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"Glyph \d+ .* missing from font", UserWarning)
        yield


def svg_text(figure: Figure) -> str:
    """Draw a figure as SVG, letters as outlines; the same figure gives the same text."""
    stream = io.StringIO()
    # Without a salt of its own every drawing would name its parts anew.
    with rc_context({"svg.hashsalt": "shortrange", "svg.fonttype": "path"}), _without_glyphs():
        figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None})
    return stream.getvalue()


def plain(text: str) -> str:
    """Text for matplotlib: a dollar sign of the user's is not the beginning of a formula."""
    return text.replace("$", r"\$")
