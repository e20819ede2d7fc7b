"""Athena projects out: gzipped Perl, as Athena and xraylarch read them."""

from __future__ import annotations

import gzip
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from shortrange._version import __version__
from shortrange.errors import DataError
from shortrange.load.history import LABEL, history_text, is_simulated
from shortrange.quantities import MuE
from shortrange.reduce.normalise import Normalised

__all__ = ["write_athena"]


def write_athena(
    path: Path, spectra: Sequence[MuE], *, normalised: Mapping[str, Normalised] | None = None
) -> Path:
    """Write an Athena project with one record for each spectrum.

    Parameters
    ----------
    path
        File; replaced if it exists.
    spectra
        mu(E); ``sigma`` is written as ``stddev``.
    normalised
        By label: E0, edge step and ranges that Athena shall begin with.

    Raises
    ------
    DataError
        If there is no spectrum.
    """
    if not spectra:
        raise DataError("there is no spectrum to write", where=str(path), do="give at least one")
    lines = [
        "# Athena project file -- Demeter version 0.9.26",
        f"# This file created by shortrange {__version__}",
        "# Using Demeter 0.9.26 conventions",
    ]
    for index, data in enumerate(spectra):
        group = _group_name(index)
        label = data.label or f"spectrum {index + 1}"
        fields = _fields(data, label, group, (normalised or {}).get(data.label))
        lines += ["", f"$old_group = '{group}';"]
        lines.append("@args = (" + ",".join(f"'{k}',{_quoted(v)}" for k, v in fields.items()) + ");")
        lines.append(f"@x = ({_numbers(data.energy)});")
        lines.append(f"@y = ({_numbers(data.mu)});")
        if data.sigma is not None:
            lines.append(f"@stddev = ({_numbers(data.sigma)});")
        lines.append("[record]   # create object and set arrays in ifeffit")
    made = [data.label or f"spectrum {n}" for n, data in enumerate(spectra, 1) if is_simulated(data.history)]
    journal = f"{LABEL}: {', '.join(made)}" if made else ""
    lines += [
        "",
        f"@journal = ({_quoted(journal)});",
        "",
        "1;",
        "",
        "# Local Variables:",
        "# truncate-lines: t",
        "# End:",
        "",
    ]
    # Without name and time in the header the same spectra give the same bytes.
    with path.open("wb") as raw, gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0) as file:
        file.write("\n".join(lines).encode("utf-8"))
    return path


def _group_name(index: int) -> str:
    """Five letters, as Athena names its groups."""
    letters = []
    for _ in range(5):
        index, letter = divmod(index, 26)
        letters.append(chr(ord("a") + letter))
    return "".join(reversed(letters))


def _numbers(values: Any) -> str:
    return ",".join(f"'{float(v)!r}'" for v in values)


def _quoted(value: Any) -> str:
    text = str(value).replace("\\", "\\\\").replace("'", "\\'")
    return f"'{text}'"


def _fields(data: MuE, label: str, group: str, normalised: Normalised | None) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "label": label,
        "tag": group,
        "datagroup": group,
        "is_xmu": 1,
        "is_chi": 0,
        "recordtype": "mu(E)",
        "datatype": "xmu",
        "bkg_eshift": 0,
        "bkg_z": data.element or "H",
        "fft_edge": (data.edge or "K").lower(),
        "npts": data.energy.size,
        "xmin": f"{data.energy[0]:.3f}",
        "xmax": f"{data.energy[-1]:.3f}",
        "source": data.source,
        "shortrange_history": history_text(data.history),
    }
    if is_simulated(data.history):
        fields["shortrange_data"] = LABEL
    if normalised is not None:
        ranges = normalised.ranges
        fields |= {
            "bkg_e0": normalised.e0,
            "bkg_step": normalised.edge_step,
            "bkg_pre1": ranges.pre[0],
            "bkg_pre2": ranges.pre[1],
            "bkg_nor1": ranges.post[0],
            "bkg_nor2": ranges.post[1],
            "bkg_nnorm": ranges.post_order + 1,
        }
    return fields
