"""Absolute energies: the shift that puts a measured standard where it belongs, with its error."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange import references
from shortrange.errors import DataError, did_you_mean
from shortrange.numeric.local_polynomial import derivative_operator
from shortrange.quantities import MuE, Scan, step
from shortrange.reduce.align import align
from shortrange.reduce.e0 import find_e0

__all__ = [
    "Calibration",
    "Standard",
    "apply_calibration",
    "calibrate",
    "calibrate_whole",
    "choose_standard",
    "edge_shift",
    "feature_energy",
    "standards",
]

Array = NDArray[Any]

_FEATURES = {"white line": "white_line", "first inflection": "inflection"}
"""Features of the registry that `feature_energy` finds, and its names for them."""
_REPLICAS = 200
_AGREE = 20.0  # eV: a monochromator is not further off; another edge or sample is


@dataclass(frozen=True, slots=True, kw_only=True)
class Standard:
    """A substance whose spectrum has a feature at an agreed energy.

    Attributes
    ----------
    name
        Of the substance.
    element, edge
        Where it is measured.
    feature
        ``"white_line"`` (the maximum behind the edge) or ``"inflection"`` (the steepest rise).
    energy
        eV.
    source
        Who agreed on it.
    """

    name: str
    element: str
    edge: str
    feature: str
    energy: float
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """Result of `calibrate`.

    Attributes
    ----------
    shift, sigma
        eV to add to all energies, and the standard error of finding the feature.
    measured
        Where the feature was found, eV.
    standard
        What was measured.
    """

    shift: float
    sigma: float
    measured: float
    standard: Standard


def standards() -> tuple[Standard, ...]:
    """Entries of the registry (`shortrange.references`) that are meant for calibration, your own first."""
    return tuple(_standard(each) for each in references.find() if _calibrates(each))


def _calibrates(each: references.Reference) -> bool:
    return each.feature in _FEATURES and bool(each.standard or each.own)


def _standard(each: references.Reference) -> Standard:
    return Standard(
        name=each.standard or each.compound,
        element=each.element,
        edge=each.edge,
        feature=_FEATURES[each.feature],
        energy=each.energy,
        source=each.citation(),
    )


def choose_standard(name: str | None, *, element: str, edge: str) -> Standard:
    """Take the standard of this name, or the only one of this edge; your own before those of the package.

    Raises
    ------
    DataError
        If there is none, or several.
    """
    known = [each for each in references.find() if _calibrates(each)]
    there = [_standard(each).name for each in known]
    if name is not None:
        found = [each for each, mine in zip(known, there, strict=True) if mine.lower() == name.lower()]
        if not found:
            raise DataError(
                f"there is no standard {name!r}", where="calibration", do=did_you_mean(name, there)
            )
        return _standard(found[0])
    found = [each for each in known if (each.element, each.edge) == (element, edge)]
    found = [each for each in found if each.own] or found
    if len(found) != 1:
        names = [_standard(each).name for each in found] or there
        what = "several standards" if found else "no standard"
        raise DataError(
            f"there is {what} for {element} {edge}", where="calibration", do=f"name one of {names}"
        )
    return _standard(found[0])


def calibrate(data: MuE, standard: Standard) -> Calibration:
    """Shift that puts the feature of a measured standard at its agreed energy.

    Parameters
    ----------
    data
        The standard, measured together with the samples; its ``sigma`` gives the error of the shift.
    standard
        What it is.

    Raises
    ------
    DataError
        If the feature is not found, or lies more than 20 eV away.
    """
    where = data.source or f"MuE(label={data.label!r})"
    measured, sigma = feature_energy(data, feature=standard.feature, near=standard.energy)
    shift = standard.energy - measured
    if abs(shift) > _AGREE:
        raise DataError(
            f"the {standard.feature} of {standard.name} lies at {measured:.1f} eV, "
            f"{abs(shift):.0f} eV from where it belongs",
            where=where,
            do="check that this is the standard, and the unit of the energies",
        )
    return Calibration(shift=shift, sigma=sigma, measured=measured, standard=standard)


def calibrate_whole(data: MuE, calibrated: MuE, *, name: str) -> Calibration:
    """Shift that lays a measured standard on a calibrated spectrum of the same substance, whole edge on edge.

    Parameters
    ----------
    data
        The standard, measured together with the samples.
    calibrated
        The same substance on the energies that are to be adopted.
    name
        Of the calibrated spectrum.

    Raises
    ------
    DataError
        If the two do not resemble one another, or lie more than 20 eV apart.
    """
    higher, sigma = edge_shift(calibrated, data)
    energy = find_e0(calibrated.energy, calibrated.mu)
    if abs(higher) > _AGREE:
        raise DataError(
            f"the spectrum lies {higher:.1f} eV from {name}",
            where=data.source or f"MuE(label={data.label!r})",
            do="check that both are of the same substance, and the unit of the energies",
        )
    standard = Standard(
        name=name,
        element=calibrated.element or "",
        edge=calibrated.edge or "",
        feature="whole spectrum",
        energy=energy,
        source=calibrated.source,
    )
    return Calibration(shift=-higher, sigma=sigma, measured=energy + higher, standard=standard)


def apply_calibration(scan: Scan, calibration: Calibration) -> Scan:
    """Move the energies of a scan by a constant, which for shifts of an eV is nearly one of the angle."""
    done = step(
        "calibrate the energies",
        shift_eV=calibration.shift,
        sigma_eV=calibration.sigma,
        standard=calibration.standard.name,
        feature=calibration.standard.feature,
        energy_eV=calibration.standard.energy,
        source=calibration.standard.source,
    )
    return scan.after(done, energy=scan.energy + calibration.shift)


def feature_energy(data: MuE, *, feature: str, near: float) -> tuple[float, float]:
    """Energy of a white line or of the first inflection, and its standard error, eV.

    The maximum (of mu, or of its slope) is that of local cubic polynomials under Gaussian weights of two
    widths (at least 0.4 and 0.7 eV); half their difference is part of the error.

    Parameters
    ----------
    data
        With ``sigma``, or the error is NaN.
    feature
        ``"white_line"`` or ``"inflection"``.
    near
        eV, about where.

    Raises
    ------
    DataError
        If there is no such feature: the maximum lies at the end of what was looked at.
    """
    where = data.source or f"MuE(label={data.label!r})"
    if feature not in ("white_line", "inflection"):
        raise DataError(
            f"there is no feature {feature!r}", where=where, do='choose "white_line" or "inflection"'
        )
    e0 = find_e0(data.energy, data.mu, near=near)
    low, high = (e0 - 3.0, e0 + 3.0) if feature == "inflection" else (e0 - 1.0, e0 + 8.0)
    part = (data.energy > low - 12.0) & (data.energy < high + 12.0)
    energy, mu = data.energy[part], data.mu[part]
    near_gap = np.diff(energy[(energy > low) & (energy < high)])
    gap = float(near_gap.max()) if near_gap.size > 4 else np.inf
    if gap > 2.5:
        raise DataError(
            f"there are too few points between {low:.1f} and {high:.1f} eV",
            where=where,
            do="scan the edge in steps of 1 eV or less",
        )
    at = np.arange(low, high, 0.05)
    order = 1 if feature == "inflection" else 0
    sigma = None if data.sigma is None else data.sigma[part]
    places, errors = [], []
    for width in (max(0.4, 1.2 * gap), max(0.7, 2.0 * gap)):
        operator = derivative_operator(energy, at, width=width, degree=3, order=order)
        place = _maximum(at, operator @ mu[:, None])[0] if np.isfinite(operator).all() else np.nan
        if not np.isfinite(place):
            raise DataError(
                f"there is no {feature.replace('_', ' ')} between {low:.1f} and {high:.1f} eV",
                where=where,
                do="check the standard and its spectrum",
            )
        places.append(float(place))
        if sigma is not None:
            noise = np.random.default_rng(0).normal(size=(_REPLICAS, energy.size)) * sigma
            errors.append(float(np.nanstd(_maximum(at, operator @ (mu + noise).T))))
    spread = abs(places[1] - places[0]) / 2.0
    return places[0], float(np.hypot(errors[0], spread)) if errors else float("nan")


def _maximum(at: Array, curves: Array) -> Array:
    """Place of the largest value of each column, refined by a parabola; NaN at the ends."""
    top = np.argmax(curves, axis=0)
    inner = np.clip(top, 1, at.size - 2)
    columns = np.arange(curves.shape[1])
    left, middle, right = (curves[inner + i, columns] for i in (-1, 0, 1))
    curvature = left - 2.0 * middle + right
    shift = 0.5 * (left - right) / np.where(curvature < 0, curvature, -1.0)
    places = at[inner] + (at[1] - at[0]) * shift
    return np.asarray(np.where((top == inner) & (curvature < 0), places, np.nan))


def edge_shift(first: MuE, second: MuE, *, channel: str = "mu") -> tuple[float, float]:
    """By how much the second spectrum lies higher than the first, and the standard error, eV.

    The whole region of the edge is matched (scale, offset and slope are free), so that the two should be of
    the same shape: repeats, a standard and its calibrated reference spectrum, or two oxidation states of
    one compound. For others compare E0 or the white lines.

    Raises
    ------
    DataError
        If they have nothing in common to be matched by.
    """
    pair: Sequence[MuE] = (first, second)
    found = align(pair, channel=channel)
    if found.likeness.min() < 0.5:
        raise DataError(
            f"the two spectra do not resemble one another: correlation {found.likeness.min():.2f}",
            where="edge_shift",
            do="compare E0 or the white lines instead",
        )
    # Each was measured against the mean of both; against one another they lie twice as far apart.
    return float(found.shifts[0] - found.shifts[1]), float(2.0 * np.sqrt(np.mean(found.sigmas**2)))
