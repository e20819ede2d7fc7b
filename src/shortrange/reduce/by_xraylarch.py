"""AUTOBK, MBACK and the correction for over-absorption by xraylarch, guarded: it fails silently."""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.atoms import parse_composition
from shortrange.errors import DataError
from shortrange.quantities import ChiK, MuE, step
from shortrange.reduce.background import Background, autobk
from shortrange.reduce.normalise import Normalised, normalise

__all__ = ["ENGINES", "autobk_by_xraylarch", "correct_over_absorption", "mback"]

Array = NDArray[Any]


@contextlib.contextmanager
def _guarded(where: str) -> Iterator[None]:
    """Keep xraylarch's prints and warnings to itself, and turn its exceptions into ours."""
    printed = io.StringIO()
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(printed):
            warnings.simplefilter("ignore")
            yield
    except DataError:
        raise
    except Exception as error:
        raise DataError(
            f"xraylarch failed: {type(error).__name__}: {error}",
            where=where,
            do="check element, edge, formula and the range of the scan",
        ) from error


def _checked(values: Any, size: int, where: str) -> Array:
    array = np.asarray(values, dtype=float)
    if array.shape != (size,) or not np.isfinite(array).all():
        raise DataError(
            "xraylarch gave no finite spectrum of the right length",
            where=where,
            do="check element, edge, formula and the range of the scan",
        )
    return array


def autobk_by_xraylarch(data: Normalised, **settings: Any) -> tuple[Background, ChiK]:
    """Background and chi(k) by ``larch.xafs.autobk``: the second engine behind the contract of `autobk`.

    Xraylarch has no covariance of chi(k); that of the linear solution is given, for the same ranges. It is
    handed normalised data, because its clamps depend on the units of mu.

    Parameters
    ----------
    data, **settings
        As of `autobk`.

    Raises
    ------
    DataError
        As `autobk`, or if xraylarch fails.
    """
    background, chi = autobk(data, **settings)
    used = next(done for done in reversed(chi.history) if done.name == "remove background").settings
    where = f"autobk_by_xraylarch(label={data.label!r})"
    with _guarded(where):
        from larch import Group
        from larch.xafs import autobk as larch_autobk

        group = Group(energy=np.array(data.energy), mu=data.mu / data.edge_step)
        larch_autobk(
            group,
            ek0=data.e0,
            edge_step=1.0,
            rbkg=used["r_bkg"],
            kmin=used["k_min"],
            kmax=used["k_max"],
            nclamp=used["n_clamp"],
            clamp_lo=used["clamps"][0],
            clamp_hi=used["clamps"][1],
            kweight=used["k_weight"],
            kstep=used["k_step"],
            dk=used["dk"],
            win=used["window"],
        )
        values = _checked(getattr(group, "chi", None), chi.k.size, where)
        bkg = _checked(getattr(group, "bkg", None), data.energy.size, where)
    done = step("remove background", **{**used, "method": "autobk by xraylarch"})
    background = replace(background, bkg=bkg * data.edge_step)
    return background, replace(chi, chi=values, history=(*data.history, done))


ENGINES: dict[str, Callable[..., tuple[Background, ChiK]]] = {
    "linear": autobk,
    "xraylarch": autobk_by_xraylarch,
}
"""Ways to remove the background: one contract."""


def _gain(seen: Array, norm: Array, where: str) -> Array:
    """Differentiate corrected by measured values: norm = seen a / (a + 1 - seen), a from the result."""
    far = (np.abs(seen - 1.0) > 0.1) & (np.abs(seen) > 0.1) & (np.abs(norm - seen) > 1e-6)
    if far.sum() < 3:
        return np.ones_like(seen)
    ratio = norm[far] / seen[far]
    alpha = float(np.median(ratio * (1.0 - seen[far]) / (1.0 - ratio)))
    if alpha <= 0 or np.any(seen >= alpha + 1.0):
        raise DataError(
            "the fluorescence is larger than this formula and these angles allow",
            where=where,
            do="check the formula, the angles and the normalisation",
        )
    return np.asarray(alpha * (alpha + 1.0) / (alpha + 1.0 - seen) ** 2)


def mback(data: MuE, *, element: str, edge: str, order: int = 3, e0: float | None = None) -> MuE:
    """Match a spectrum to tabulated f'' over its whole range (Weng, Waldo, Penner-Hahn 2005), by xraylarch.

    Parameters
    ----------
    data
        Any scale.
    element, edge
        Such as ``"S"`` and ``"K"``.
    order
        Degree of the polynomial that is taken off.
    e0
        eV; found by `normalise` if None.

    Returns
    -------
    MuE
        f'' (electrons) on the same energies; ``sigma`` scaled alike.

    Raises
    ------
    DataError
        If the data cannot be normalised, or xraylarch fails or gives no rising edge.
    """
    from shortrange.reduce.mu import check_edge

    where = data.source or f"mback(label={data.label!r})"
    near = check_edge(data, element=element, edge=edge)
    plain = normalise(data, e0=e0, near=near)
    with _guarded(where):
        from larch import Group
        from larch.xafs import mback as larch_mback

        group = Group(energy=np.array(data.energy), mu=np.array(data.mu))
        larch_mback(group, z=element, edge=edge, e0=plain.e0, order=order, fit_erfc=False)
        fpp = _checked(getattr(group, "fpp", None), data.energy.size, where)
    # f'' = factor * mu + polynomial: the factor is the ratio of the edge steps.
    made = normalise(replace(data, mu=fpp, sigma=None), e0=plain.e0, near=near)
    _check_match(data, made.edge_step, element, plain.e0, where)
    factor = made.edge_step / plain.edge_step
    done = step("match to f'' (MBACK)", by="xraylarch", element=element, edge=edge, order=order, e0=plain.e0)
    return data.after(done, mu=fpp, sigma=None if data.sigma is None else data.sigma * factor)


def _check_match(data: MuE, found: float, element: str, e0: float, where: str) -> None:
    """Refuse a match that gets the edge wrong: the polynomial can take half of it, and nothing is said."""
    import xraydb

    table = np.asarray(xraydb.f2_chantler(element, np.array(data.energy)), dtype=float)
    expected = normalise(MuE(energy=data.energy, mu=table), e0=e0).edge_step
    if abs(found / expected - 1.0) > 0.2:
        raise DataError(
            f"the match to f'' failed: its edge step is {found:.3g}, that of f'' {expected:.3g}",
            where=where,
            do="lower the order, or use the plain normalisation",
        )


def correct_over_absorption(
    data: Normalised,
    *,
    formula: str,
    element: str,
    edge: str,
    line: str,
    angles: tuple[float, float] = (45.0, 45.0),
) -> Normalised:
    """Correct normalised fluorescence of a thick sample for over-absorption (FLUO), by xraylarch.

    The error of each point is scaled by the local slope of the correction, which grows with mu: over-absorbed
    peaks are noisier than they look.

    Parameters
    ----------
    data
        Fluorescence.
    formula
        Of the sample, without brackets.
    element, edge, line
        Such as ``"Cu"``, ``"K"``, ``"Ka"``.
    angles
        Of the incident beam and of the detector to the surface, degrees.

    Raises
    ------
    DataError
        If the formula does not hold the element, angles are out of range, or xraylarch fails.
    """
    where = f"correct_over_absorption(label={data.label!r})"
    if element not in parse_composition(formula):
        raise DataError(f"{formula!r} holds no {element}", where=where, do="give the formula of the sample")
    if not all(0.0 < angle <= 90.0 for angle in angles):
        raise DataError(
            f"angles {angles}", where=where, do="give angles to the surface, above 0 to 90 degrees"
        )

    def corrected(norm: Array) -> Array:
        from larch import Group
        from larch.xafs import fluo_corr

        group = Group()
        fluo_corr(
            np.array(data.energy),
            mu=np.array(norm),
            formula=formula,
            elem=element,
            group=group,
            edge=edge,
            line=line,
            anginp=angles[0],
            angout=angles[1],
            e0=data.e0,
            pre1=data.ranges.pre[0],
            pre2=data.ranges.pre[1],
            norm1=data.ranges.post[0],
            norm2=data.ranges.post[1],
            nnorm=data.ranges.post_order,
        )
        return _checked(getattr(group, "norm_corr", None), norm.size, where)

    with _guarded(where):
        norm = corrected(data.norm)
    gain = _gain(data.norm, norm, where)
    done = step(
        "correct for over-absorption", by="xraylarch", formula=formula, line=line, angles=list(angles)
    )
    return replace(
        data,
        mu=data.pre_edge + norm * data.edge_step,
        sigma=None if data.sigma is None else data.sigma * np.abs(gain),
        norm=norm,
        flat=norm,
        history=(*data.history, done),
    )
