"""``shortrange convert``: one file format into another."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from shortrange.cli.outcome import Outcome

__all__ = ["convert"]


def convert(
    source: Path,
    target: Path,
    /,
    *,
    format: str | None = None,
    element: str | None = None,
    edge: str | None = None,
    wavelength: float | None = None,
    axis: Literal["q", "q_nm", "2theta"] | None = None,
    frames: str | None = None,
    mode: Literal["transmission", "fluorescence", "tey", "mu"] | None = None,
    overwrite: bool = False,
) -> Outcome:
    """Write a file in another format, with its history: scans, I(Q), S(Q), G(r), chi(k) or structures.

    Parameters
    ----------
    source
        Any file that shortrange reads.
    target
        Its suffix says what is written: .xdi .prj .csv .h5 (NXxas) for absorption scans; .chi .xy .xye
        for I(Q); .sq; .gr; .chik; .extxyz .xyz .cif for structures.
    format
        Name of the loader, where the content does not tell.
    element, edge
        Absorption edge, where the file does not say.
    wavelength
        angstrom, where the axis of a pattern is an angle.
    axis
        Of a pattern, where the file does not say.
    frames
        Which snapshots, as start:stop:step.
    mode
        Which channels give mu, for .prj.
    overwrite
        Replace files that exist.
    """
    from shortrange.cli.snapshots import frames_of
    from shortrange.report.convert import convert as write

    paths = write(
        source,
        target,
        format=format,
        element=element,
        edge=edge,
        wavelength=wavelength,
        axis=axis,
        frames=frames_of(frames),
        mode=mode,
        overwrite=overwrite,
    )
    for path in paths:
        print(f"wrote {path}")
    return Outcome({"written": [str(path) for path in paths]})
