"""What each pair of species weighs in F(Q): X-ray form factors or neutron scattering lengths."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from shortrange.atoms import anomalous, form_factor
from shortrange.errors import DataError, SimulationError
from shortrange.simulate.pairs import PairHistograms

__all__ = ["Weights", "composition_weights", "pair_weights", "scattering_amplitude"]

Array = NDArray[Any]
Weights = Literal["xray", "xray-constant", "neutron"]


def pair_weights(
    histograms: PairHistograms,
    q: Array,
    *,
    weights: Weights | Mapping[str, float] = "xray",
    energy: float | None = None,
) -> Array:
    r"""Faber-Ziman weights :math:`\mathrm{Re}\,f_a f_b^* / |\langle f\rangle|^2`, shape (n_pairs, n_q).

    Parameters
    ----------
    histograms
        For species and pairs.
    q
        1/angstrom, shape (n_q,).
    weights
        ``"xray"``: f(Q) of Waasmaier and Kirfel. ``"xray-constant"``: f(0), as PDFgui and diffpy.srreal do.
        ``"neutron"``: bound coherent lengths. A mapping: scattering lengths of your own, any unit.
    energy
        Photon energy, eV, for f' and f''. None leaves them out.

    Raises
    ------
    SimulationError
        If an element has no scattering length.
    """
    return composition_weights(histograms.species, histograms.pairs, q, weights=weights, energy=energy)


def composition_weights(
    composition: Mapping[str, float],
    pairs: Sequence[tuple[str, str]],
    q: Array,
    *,
    weights: Weights | Mapping[str, float] = "xray",
    energy: float | None = None,
) -> Array:
    """Faber-Ziman weights of pairs in a composition; see `pair_weights`.

    Parameters
    ----------
    composition
        Atoms of each element, any common scale.
    pairs
        Of its elements.
    q, weights, energy
        As for `pair_weights`.

    Returns
    -------
    ndarray
        Shape (n_pairs, n_q).

    Raises
    ------
    SimulationError
        If the mean scattering length is zero, or that of an element is not known.
    """
    f = {s: scattering_amplitude(s, q, weights, energy) for s in composition}
    mean = sum(n * f[s] for s, n in composition.items()) / sum(composition.values())
    norm = np.abs(mean) ** 2
    if not np.all(norm > 0):
        raise SimulationError(
            "the mean scattering length is zero",
            where="pair_weights",
            do="F(Q) cannot be divided by <b>^2 here",
        )
    return np.array([(f[a] * np.conj(f[b])).real / norm for a, b in pairs])


def scattering_amplitude(
    symbol: str, q: Array, weights: Weights | Mapping[str, float], energy: float | None
) -> Array:
    """Form factor or scattering length of an element over Q, shape of ``q``; arguments as `pair_weights`.

    Raises
    ------
    DataError, SimulationError
        If the kind of weights is not known, or they hold none for the element.
    """
    if isinstance(weights, Mapping):
        if symbol not in weights:
            raise SimulationError(
                f"no scattering length for {symbol}",
                where="weights",
                do=f"give one besides {sorted(weights)}",
            )
        return np.full(q.shape, float(weights[symbol]))
    if weights == "neutron":
        return np.full(q.shape, _neutron_length(symbol))
    if weights not in ("xray", "xray-constant"):
        raise DataError(
            f"weights {weights!r}",
            where="pair_weights",
            do="choose 'xray', 'xray-constant', 'neutron' or a mapping",
        )
    f = form_factor(symbol, q if weights == "xray" else np.zeros_like(q))
    if energy is None:
        return f
    f1, f2 = anomalous(symbol, energy)
    return np.asarray(f + f1 + 1j * f2)


def neutron_length_squared(composition: Mapping[str, float]) -> float:
    """Square of the mean bound coherent scattering length, barn."""
    total = sum(composition.values())
    mean = sum(amount * _neutron_length(symbol) for symbol, amount in composition.items()) / total
    return 0.01 * mean**2


def _neutron_length(symbol: str) -> float:
    """Bound coherent scattering length, fm (periodictable)."""
    try:
        periodictable = import_module("periodictable")
    except ImportError as error:
        raise SimulationError(
            "neutron scattering lengths are not installed", where="weights='neutron'",
            do='pip install periodictable, or give the lengths: weights={"Ni": 10.3}',
        ) from error  # fmt: skip
    return float(periodictable.elements.symbol(symbol).neutron.b_c)
