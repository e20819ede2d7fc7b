"""Two steps of the pair kernel that the compiler does not find: sums in four lanes, picking in eight.

Both are written as vectors of LLVM, which makes of them what the processor has. A sum of four neighbours in
memory is one load, addition and store in place of four: two thirds of the time. Picking in eight lanes needs
AVX-512, and there takes a quarter of the time of the plain loop that does the same elsewhere.

numba keeps what it compiled from `pair_kernel` until that file changes: after a change here, delete
``__pycache__``.
"""

from __future__ import annotations

from typing import Any

import numba
from llvmlite import binding, ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

__all__ = ["add_four", "has_eight_lanes", "keep_below", "keep_by_eight", "keep_one_by_one"]

_DOUBLE = ir.DoubleType()


def has_eight_lanes() -> bool:
    """Whether the processor that is compiled for has AVX-512."""
    named = getattr(numba.config, "CPU_FEATURES", None)
    if named is not None:
        return "+avx512f" in named
    return bool(binding.get_host_cpu_features().get("avx512f", False))


def _vector(builder: Any, values: list[Any]) -> Any:
    """Return a vector of scalars."""
    vector = ir.Constant(ir.VectorType(_DOUBLE, len(values)), ir.Undefined)
    for i, value in enumerate(values):
        vector = builder.insert_element(vector, value, ir.Constant(ir.IntType(32), i))
    return vector


def _lanes(context: Any, builder: Any, array: Any, kind: Any, start: Any, n: int) -> Any:
    """Pointer to ``n`` values of a contiguous array."""
    data = context.make_array(kind)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [start]), ir.VectorType(_DOUBLE, n).as_pointer())


@intrinsic
def add_four(typing, values, start, a, b, c, d):  # type: ignore[no-untyped-def]  # noqa: ARG001
    """Add ``a, b, c, d`` to ``values[start : start + 4]``; neither checks bounds nor turns negative ones."""

    def generate(context, builder, signature, args):  # type: ignore[no-untyped-def]
        to = _lanes(context, builder, args[0], signature.args[0], args[1], 4)
        builder.store(builder.fadd(builder.load(to, align=8), _vector(builder, args[2:])), to, align=8)
        return context.get_dummy_value()

    f = types.float64
    return types.void(values, types.uint64, f, f, f, f), generate


@intrinsic
def _keep_eight(typing, values, tests, limit, start, to):  # type: ignore[no-untyped-def]  # noqa: ARG001
    """Move those of ``values[start : start + 8]`` with ``tests < limit`` to ``to``; return the next place."""

    def generate(context, builder, signature, args):  # type: ignore[no-untyped-def]
        kinds, eight = signature.args, ir.VectorType(_DOUBLE, 8)
        value, test = (
            builder.load(_lanes(context, builder, args[i], kinds[i], args[3], 8), align=8) for i in (0, 1)
        )
        mask = builder.fcmp_ordered("<", test, _vector(builder, [args[2]] * 8))
        # Through a register: some processors take a hundred cycles to pick straight into memory.
        pick = cgutils.get_or_insert_function(  # type: ignore[no-untyped-call]
            builder.module,
            ir.FunctionType(eight, [eight, eight, mask.type]),
            "llvm.x86.avx512.mask.compress.v8f64",
        )
        picked = builder.call(pick, [value, value, mask])
        builder.store(picked, _lanes(context, builder, args[0], kinds[0], args[4], 8), align=8)
        bits = builder.zext(builder.bitcast(mask, ir.IntType(8)), ir.IntType(64))
        return builder.add(args[4], builder.ctpop(bits))

    i = types.int64
    return i(values, tests, types.float64, i, i), generate


@njit(nogil=True, cache=True, error_model="numpy")
def keep_by_eight(values, tests, n, limit):  # type: ignore[no-untyped-def]
    """`keep_one_by_one`, on processors with AVX-512."""
    kept = 0
    whole = n // 8 * 8
    for j in range(0, whole, 8):
        # Writes eight from ``kept`` on, which were read before.
        kept = _keep_eight(values, tests, limit, j, kept)  # type: ignore[call-arg]
    for j in range(whole, n):
        test = tests[j]
        values[kept] = values[j]
        kept += test < limit
    return kept


@njit(nogil=True, cache=True, error_model="numpy")
def keep_one_by_one(values, tests, n, limit):  # type: ignore[no-untyped-def]
    """Move those of ``values[:n]`` with ``tests < limit`` to the front; return how many.

    ``tests`` may be ``values``.
    """
    kept = 0
    for j in range(n):
        test = tests[j]
        values[kept] = values[j]
        kept += test < limit
    return kept


keep_below = keep_by_eight if has_eight_lanes() else keep_one_by_one
