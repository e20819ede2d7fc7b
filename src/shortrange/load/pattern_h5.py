"""Patterns in HDF5: azimuthally integrated frames of pyFAI, as ESRF's programs and NeXus write them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from shortrange.errors import DataError
from shortrange.load.text import errors_of
from shortrange.quantities import IQ, Step, step
from shortrange.units import q_from_two_theta

if TYPE_CHECKING:
    import h5py

__all__ = ["read_iq_h5", "sniff_iq_h5"]

Array = NDArray[Any]

_AXES = {"q": ("q", "radial", "Q"), "2theta": ("2th", "2theta", "tth", "two_theta", "twotheta")}


def sniff_iq_h5(head: bytes) -> bool:
    """Whether the head is of HDF5 and names pyFAI's integration."""
    return head.startswith(b"\x89HDF\r\n") and b"integrat" in head


def read_iq_h5(path: Path, *, wavelength: float | None = None, axis: str | None = None) -> IQ:
    """Read the mean of all frames of an integrated series.

    Parameters
    ----------
    path
        With one group that holds ``intensity`` (frames x points, or points) beside ``q`` or ``2th``.
    wavelength
        angstrom; by default that of pyFAI's configuration in the file.
    axis
        ``"q"``, ``"q_nm"`` or ``"2theta"``, where the units in the file do not say.

    Raises
    ------
    DataError
        If there is no such group, or more than one; if the axis is not known or cannot be Q.
    """
    import h5py

    try:
        file = h5py.File(path, "r")
    except OSError as error:
        raise DataError(
            f"the HDF5 file cannot be opened: {error}", where=str(path), do="copy it from its source again"
        ) from error
    with file:
        group = _integrated(file, path)
        place = f"{path}, {group.name}"
        values = np.asarray(group["intensity"][()], dtype=float)
        name, kind = _axis_of(group, axis, place)
        x = np.asarray(group[name][()], dtype=float)
        errors = (
            np.asarray(group["intensity_errors"][()], dtype=float) if "intensity_errors" in group else None
        )
        stated = _wavelength(file)
    frames = np.atleast_2d(values)
    if frames.ndim != 2 or x.ndim != 1 or frames.shape[1] != x.size:
        raise DataError(
            f"intensity has shape {values.shape} for {x.size} points", where=place, do="integrate again"
        )
    wavelength, history = _settle(stated, wavelength, place)
    whole = np.isfinite(frames).all(axis=1)
    if not whole.all():
        history = (*history, step("warning: frames with missing values left out", frames=int((~whole).sum())))
        frames = frames[whole]
    if frames.shape[0] == 0:
        raise DataError("every frame has values that are not finite", where=place, do="integrate again")
    mean, sigma = frames.mean(axis=0), None
    if frames.shape[0] > 2:
        spread = frames.std(axis=0, ddof=1) / np.sqrt(frames.shape[0])
        sigma = spread if np.all(spread > 0) else None
    elif errors is not None and errors.shape == values.shape:
        stated_errors = np.atleast_2d(errors)[whole]
        sigma, doubts = errors_of(np.sqrt(np.sum(stated_errors**2, axis=0)) / frames.shape[0])
        history = (*history, *doubts)
    q = _to_q(x, kind, wavelength, place)
    done = step("load I(Q), mean of frames", file=str(path), group=place, frames=frames.shape[0], axis=kind)
    return IQ(
        q=q, intensity=mean, sigma=sigma, wavelength=wavelength, source=str(path), label=path.stem,
        history=(done, *history),
    )  # fmt: skip


def _integrated(file: h5py.File, path: Path) -> h5py.Group:
    import h5py

    found: list[h5py.Group] = []

    def look(_: str, item: Any) -> None:
        if isinstance(item, h5py.Group) and "intensity" in item and _axis_names(item):
            found.append(item)

    file.visititems(look)
    if len(found) != 1:
        names = [group.name for group in found]
        raise DataError(
            f"there are {len(found)} groups with an intensity beside q or 2theta"
            + (f": {names}" if names else ""),
            where=str(path),
            do="keep one integrated series in the file, or write the pattern as columns",
        )
    return found[0]


def _axis_names(group: h5py.Group) -> list[str]:
    return [name for names in _AXES.values() for name in names if name in group]


def _axis_of(group: h5py.Group, asked: str | None, place: str) -> tuple[str, str]:
    """Name of the axis, and what it is: q, q_nm or 2theta."""
    name = _axis_names(group)[0]
    units = group[name].attrs.get("units", group[name].attrs.get("unit", ""))
    units = units.decode() if isinstance(units, bytes) else str(units)
    stated = "2theta" if name in _AXES["2theta"] else None
    if re.search(r"nm", units):
        stated = "q_nm"
    elif re.search(r"A|angstrom", units, re.IGNORECASE):
        stated = "q"
    if stated and asked and stated != asked:
        raise DataError(
            f"the file says the axis is {stated!r}, but {asked!r} was asked for",
            where=place,
            do="leave axis out",
        )
    if stated is None and asked is None:
        raise DataError(
            f"the unit of the axis is {units!r}",
            where=place,
            do='say what it is: axis = "q", "q_nm" or "2theta"',
        )
    return name, str(stated or asked)


def _wavelength(file: h5py.File) -> float | None:
    """Wavelength in angstrom of the first JSON or dataset that states it in metres."""
    import h5py

    found: list[float] = []

    def look(name: str, item: Any) -> None:
        if not isinstance(item, h5py.Dataset) or item.shape != ():
            return
        value = item[()]
        if name.split("/")[-1] == "wavelength" and np.isreal(value):
            found.append(float(value) * (1e10 if float(value) < 1e-8 else 1.0))
        elif isinstance(value, bytes) and value.lstrip()[:1] == b"{":
            try:
                settings = json.loads(value)
            except ValueError:
                return
            if isinstance(settings.get("wavelength"), float):
                found.append(1e10 * settings["wavelength"])

    file.visititems(look)
    return found[0] if found else None


def _settle(stated: float | None, given: float | None, place: str) -> tuple[float | None, tuple[Step, ...]]:
    if stated is None or given is None:
        taken = given if stated is None else stated
        return taken, (step("take the wavelength from the file", wavelength=stated),) if given is None else ()
    if abs(stated / given - 1.0) > 0.005:
        raise DataError(
            f"the file says a wavelength of {stated:.6g} angstrom, but {given:.6g} was given",
            where=place,
            do="correct the one that is wrong",
        )
    return given, ()


def _to_q(x: Array, kind: str, wavelength: float | None, place: str) -> Array:
    if kind == "q_nm":
        x = x / 10.0
    if kind == "2theta":
        if wavelength is None:
            raise DataError("the wavelength is not known", where=place, do="give it: the axis is an angle")
        x = q_from_two_theta(x, wavelength)
    if not (np.isfinite(x).all() and np.all(np.diff(x) > 0) and x[0] >= 0):
        raise DataError("the axis is not positive and increasing", where=place, do="integrate again")
    limit = 4.0 * np.pi / wavelength if wavelength else 100.0
    if x[-1] > limit:
        raise DataError(
            f"the axis cannot be Q in 1/angstrom: it goes to {x[-1]:.5g}", where=place,
            do="check the unit of the axis and the wavelength",
        )  # fmt: skip
    return np.asarray(x)
