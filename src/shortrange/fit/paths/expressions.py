"""Expressions that tie the parameters of paths to those of a fit, with their derivatives.

An expression is parsed once and evaluated with forward differentiation: every value carries its gradient with
respect to the free parameters. Only arithmetic and the functions of `FUNCTIONS` are understood.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.errors import ProjectError, did_you_mean
from shortrange.simulate.paths import ScatteringPath, correlated_debye, einstein

__all__ = ["FUNCTIONS", "PATH_NAMES", "Dual", "Expression", "parse"]

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Dual:
    """A value and its gradient, shape (n_free,)."""

    value: float
    gradient: Array


_UNARY: dict[str, Callable[[float], tuple[float, float]]] = {
    "sqrt": lambda x: (math.sqrt(x), 0.5 / math.sqrt(x)),
    "exp": lambda x: (math.exp(x), math.exp(x)),
    "log": lambda x: (math.log(x), 1.0 / x),
    "sin": lambda x: (math.sin(x), math.cos(x)),
    "cos": lambda x: (math.cos(x), -math.sin(x)),
    "tan": lambda x: (math.tan(x), 1.0 / math.cos(x) ** 2),
    "abs": lambda x: (abs(x), math.copysign(1.0, x)),
}
_MODELS: dict[str, Callable[[ScatteringPath, float, float], tuple[float, float, float]]] = {
    "debye": correlated_debye, "sigma2_debye": correlated_debye,
    "einstein": einstein, "eins": einstein, "sigma2_eins": einstein,
}  # fmt: skip
FUNCTIONS = (*_UNARY, *_MODELS, "min", "max")
"""Of one argument; debye(temperature, theta) and einstein(temperature, theta), K; min and max of two."""

PATH_NAMES = ("reff", "degeneracy", "legs")
"""What an expression may ask of its path, beside the parameters."""


@dataclass(frozen=True, slots=True)
class Expression:
    """A parsed expression.

    Attributes
    ----------
    text
        As written.
    names
        Parameters in it.
    where
        Place in the project, for messages.
    """

    text: str
    names: frozenset[str]
    where: str
    tree: ast.expr

    def __call__(self, values: Mapping[str, Dual], path: ScatteringPath | None, n_free: int) -> Dual:
        """Evaluate.

        Raises
        ------
        ProjectError
            If the value is not a finite number, as after a division by zero.
        """
        try:
            found = _evaluate(self.tree, values, path, n_free)
            bad = not (math.isfinite(found.value) and np.isfinite(found.gradient).all())
        except (ZeroDivisionError, OverflowError, ValueError) as error:
            if isinstance(error, ProjectError) or hasattr(error, "do"):
                raise
            bad = True
        if bad:
            now = ", ".join(f"{name} = {values[name].value:.4g}" for name in sorted(self.names))
            raise ProjectError(
                f"{self.text!r} has no finite value at {now}",
                where=self.where,
                do="bound the parameters so that it always has one",
            )
        return found


def parse(text: str | float, *, known: Iterable[str], where: str) -> Expression:
    """Parse an expression.

    Parameters
    ----------
    text
        Such as ``"alpha * reff"``; ``^`` is a power, as in Ifeffit.
    known
        Names of parameters.
    where
        Place, for messages.

    Raises
    ------
    ProjectError
        If it is not arithmetic, or names what is not known.
    """
    source = str(text)
    try:
        tree = ast.parse(source.replace("^", "**").strip(), mode="eval").body
    except (SyntaxError, ValueError) as error:
        raise ProjectError(
            f"{source!r} is no expression: {error.args[0] if error.args else error}",
            where=where,
            do="write arithmetic of parameters and numbers, such as alpha * reff",
        ) from None
    names: set[str] = set()
    _check(tree, source, set(known), names, where)
    return Expression(source, frozenset(names), where, tree)


_BINARY: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul,
    ast.Div: operator.truediv, ast.Pow: operator.pow,
}  # fmt: skip


def _check(node: ast.expr, source: str, known: set[str], names: set[str], where: str) -> None:
    if isinstance(node, ast.Constant):
        if isinstance(node.value, int | float) and not isinstance(node.value, bool):
            return
    elif isinstance(node, ast.Name):
        if node.id in PATH_NAMES:
            return
        if node.id not in known:
            raise ProjectError(
                f"{source!r} names {node.id!r}, which is no parameter",
                where=where,
                do=did_you_mean(node.id, [*known, *PATH_NAMES]) if known else "declare it in [parameters]",
            )
        names.add(node.id)
        return
    elif isinstance(node, ast.BinOp) and type(node.op) in _BINARY:
        _check(node.left, source, known, names, where)
        _check(node.right, source, known, names, where)
        return
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
        _check(node.operand, source, known, names, where)
        return
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and not node.keywords:
        _check_call(node, source, where)
        for argument in node.args:
            _check(argument, source, known, names, where)
        return
    raise ProjectError(
        f"{source!r} is more than arithmetic: {ast.unparse(node)!r}",
        where=where,
        do=f"use + - * / **, numbers, parameters, {', '.join(PATH_NAMES)} and {', '.join(FUNCTIONS)}",
    )


def _check_call(node: ast.Call, source: str, where: str) -> None:
    assert isinstance(node.func, ast.Name)
    name = node.func.id
    if name not in FUNCTIONS:
        raise ProjectError(
            f"{source!r} calls {name!r}, which is no known function",
            where=where,
            do=did_you_mean(name, FUNCTIONS),
        )
    wanted = 1 if name in _UNARY else 2
    if len(node.args) != wanted:
        raise ProjectError(
            f"{name} takes {wanted} value{'s' if wanted > 1 else ''}, not {len(node.args)}",
            where=where,
            do="write debye(temperature, theta)" if name in _MODELS else f"correct {source!r}",
        )


def _evaluate(node: ast.expr, values: Mapping[str, Dual], path: ScatteringPath | None, n_free: int) -> Dual:
    if isinstance(node, ast.Constant):
        return Dual(float(node.value), np.zeros(n_free))  # type: ignore[arg-type]  # checked by parse
    if isinstance(node, ast.Name):
        if node.id in values:
            return values[node.id]
        return Dual(float(getattr(_needed(path, node.id), node.id)), np.zeros(n_free))
    if isinstance(node, ast.UnaryOp):
        inner = _evaluate(node.operand, values, path, n_free)
        sign = -1.0 if isinstance(node.op, ast.USub) else 1.0
        return Dual(sign * inner.value, sign * inner.gradient)
    if isinstance(node, ast.BinOp):
        left = _evaluate(node.left, values, path, n_free)
        right = _evaluate(node.right, values, path, n_free)
        return _combine(type(node.op), left, right)
    assert isinstance(node, ast.Call)
    assert isinstance(node.func, ast.Name)
    arguments = [_evaluate(argument, values, path, n_free) for argument in node.args]
    return _call(node.func.id, arguments, path)


def _combine(kind: type[ast.operator], a: Dual, b: Dual) -> Dual:
    value = _BINARY[kind](a.value, b.value)
    if kind is ast.Add:
        return Dual(value, a.gradient + b.gradient)
    if kind is ast.Sub:
        return Dual(value, a.gradient - b.gradient)
    if kind is ast.Mult:
        return Dual(value, a.gradient * b.value + b.gradient * a.value)
    if kind is ast.Div:
        return Dual(value, (a.gradient - value * b.gradient) / b.value)
    if isinstance(value, complex):
        raise ValueError("the root of a negative number")
    gradient = np.zeros_like(a.gradient) if b.value == 0 else b.value * a.value ** (b.value - 1) * a.gradient
    if np.any(b.gradient):
        gradient = gradient + value * math.log(a.value) * b.gradient
    return Dual(value, gradient)


def _call(name: str, arguments: list[Dual], path: ScatteringPath | None) -> Dual:
    if name in _UNARY:
        value, slope = _UNARY[name](arguments[0].value)
        return Dual(value, slope * arguments[0].gradient)
    first, second = arguments
    if name in _MODELS:
        value, by_t, by_theta = _MODELS[name](_needed(path, name), first.value, second.value)
        return Dual(value, by_t * first.gradient + by_theta * second.gradient)
    pick = min if name == "min" else max
    return pick(first, second, key=lambda dual: dual.value)


def _needed(path: ScatteringPath | None, name: str) -> ScatteringPath:
    if path is None:
        raise ProjectError(
            f"{name!r} belongs to a path and has no value here", where="[parameters]",
            do="use it in the expression of a path",
        )  # fmt: skip
    return path
