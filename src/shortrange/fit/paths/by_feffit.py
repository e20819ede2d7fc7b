"""The same fit by xraylarch's feffit, as the second opinion.

What belongs to a path (its length, its Debye and Einstein models) is put into its expressions here, since
xraylarch 2026.3 with lmfit 1.3 evaluates ``sigma2_debye`` of every path with the geometry of the last one:
the copper foil then has theta_D = 517 K instead of 233 K.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.errors import SimulationError
from shortrange.fit.paths.expressions import PATH_NAMES
from shortrange.fit.paths.problem import DataSet, FitPath, PathProblem, Prepared
from shortrange.simulate.paths import ScatteringPath

__all__ = ["minimise_by_feffit"]

Array = NDArray[Any]

_MODELS = {
    "debye": "debye",
    "sigma2_debye": "debye",
    "einstein": "eins",
    "eins": "eins",
    "sigma2_eins": "eins",
}
_SPACES = {"r": "r", "k": "k", "wavelet": "w"}


def minimise_by_feffit(problem: PathProblem, prepared: Sequence[Prepared]) -> tuple[Array, bool, str]:
    """Free parameters at feffit's minimum, whether it says so, and its message.

    Raises
    ------
    SimulationError
        If feffit returns what is not a number, or cannot do what is asked.
    """
    from larch.xafs.feffit import _feffit_resid
    from lmfit import Minimizer, Parameters

    if any(d.data.fit_range.space == "wavelet" and len(d.data.fit_range.k_weights) > 1 for d in prepared):
        # It divides chi(k) by the noises of all weights at once (2026.3), which have another shape.
        raise SimulationError(
            "xraylarch's feffit cannot fit wavelet space with several k-weights",
            where="engine 'feffit'",
            do="give one of k_weights, or use engine 'shortrange'",
        )
    functions: dict[str, Callable[[float, float], float]] = {}
    sets = [_data_set(each.data, i, functions) for i, each in enumerate(prepared)]
    parameters = Parameters(usersyms=functions)
    for p in problem.parameters:
        if isinstance(p.value, str):
            parameters.add(p.name, expr=p.value.replace("^", "**"))
        else:
            limits = {"min": p.lower, "max": p.upper} if p.free else {}
            parameters.add(p.name, value=p.value, vary=p.free, **limits)
    keys: list[str] = []
    for each in sets:
        each.prepare_fit(params=parameters, other_hashkeys=keys)
        keys.append(each.hashkey)
    found = Minimizer(
        _feffit_resid, parameters, fcn_kws={"datasets": sets}, scale_covar=False,
        gtol=1e-8, ftol=1e-8, xtol=1e-8, epsfcn=1e-10,
    ).leastsq()  # fmt: skip
    theta = np.array([found.params[p.name].value for p in problem.free])
    if not np.isfinite(theta).all():
        raise SimulationError(
            "feffit returned values that are not finite",
            where="xraylarch feffit",
            do="use engine 'shortrange'",
        )
    return theta, bool(found.success), str(found.message)


def _data_set(data: DataSet, number: int, functions: dict[str, Callable[[float, float], float]]) -> Any:
    from larch.xafs import feffit_dataset, feffit_transform

    wanted = data.fit_range
    weights = [int(w) if w == int(w) else w for w in wanted.k_weights]
    transform = feffit_transform(
        kmin=wanted.k_range[0], kmax=wanted.k_range[1], kweight=weights if len(weights) > 1 else weights[0],
        dk=wanted.dk, window=wanted.window, rmin=wanted.r_range[0], rmax=wanted.r_range[1],
        fitspace=_SPACES[wanted.space],
    )  # fmt: skip
    return feffit_dataset(
        data=SimpleNamespace(k=np.array(data.chi.k), chi=np.array(data.chi.chi)), transform=transform,
        paths=[_path(item, f"d{number}p{i}", functions) for i, item in enumerate(data.paths)],
        epsilon_k=data.epsilon,
        refine_bkg=data.background,
    )  # fmt: skip


def _path(item: FitPath, name: str, functions: dict[str, Callable[[float, float], float]]) -> Any:
    from larch.xafs import sigma2_models
    from larch.xafs.feffdat import FeffPathGroup

    own = {
        "deltar" if parameter == "delr" else parameter: _translate(str(text), item.path, name)
        for parameter, text in item.parameters.items()
    }
    made = FeffPathGroup(_feffdat=_feffdat(item.path), label=name, **own)
    # xraylarch tells paths apart by name and geometry; one geometry may well be fitted twice.
    made.filename = name
    model = SimpleNamespace(_feffdat=made._feffdat)
    functions[f"debye_{name}"] = lambda t, theta: sigma2_models.sigma2_debye(t, theta, model)
    functions[f"eins_{name}"] = lambda t, theta: sigma2_models.sigma2_eins(t, theta, model)
    return made


def _feffdat(path: ScatteringPath) -> Any:
    from larch.xafs.feffdat import FeffDatFile

    from shortrange.atoms import atomic_number

    made = FeffDatFile()
    geometry = [
        (symbol, atomic_number(symbol), int(i > 0), mass, *(f"{x:.5f}" for x in place))
        for i, (symbol, mass, place) in enumerate(zip(path.symbols, path.masses, path.positions, strict=True))
    ]
    made._set_from_dict(
        filename=path.source, title="", version="", shell="K", absorber=path.symbols[0],
        degen=path.degeneracy, reff=path.reff, nleg=path.legs, rnorman=path.rnorman, edge=0.0, gam_ch=0.0,
        exch="", vmu=0.0, vfermi=0.0, vint=0.0, rs_int=0.0, potentials=[], geom=geometry, k=path.k,
        real_phc=np.zeros_like(path.k), mag_feff=path.amplitude, pha_feff=path.phase,
        red_fact=np.ones_like(path.k), lam=np.minimum(1.0 / path.p.imag, 1e10), rep=path.p.real,
        pha=path.phase, amp=path.amplitude,
    )  # fmt: skip
    return made


def _translate(text: str, path: ScatteringPath, name: str) -> str:
    """Write our expression with numbers and functions of this path in place of their names."""

    class OfPath(ast.NodeTransformer):
        def visit_Name(self, node: ast.Name) -> ast.AST:
            if node.id in PATH_NAMES:
                return ast.Constant(float(getattr(path, node.id)))
            return ast.Name(f"{_MODELS[node.id]}_{name}") if node.id in _MODELS else node

    return ast.unparse(OfPath().visit(ast.parse(text.replace("^", "**"), mode="eval")))
