"""The heart of matrix products and convolutions: one small product, kept in registers.

A product C = A @ B of big matrices is cut into tiles of a few rows by a few vectors of columns. For one tile::

    for k:                                     # 6 x 2 vectors of 8 columns, on a processor with AVX2
        b0, b1 = B[k, 0:8], B[k, 8:16]         # 2 loads of vectors
        for r in 0..5:
            a = A[r, k] in all lanes           # 6 loads of single numbers
            c[r][0] += a * b0                  # 12 fused multiply-adds
            c[r][1] += a * b1

The 12 sums never leave the registers until k ends; that is the whole trick. A core multiplies faster than it can load:
two multiply-adds and two to three loads a cycle. One row of one vector would need two loads for each multiply-add. The
tile above needs 8 loads for 12. Larger is better, but AVX2 has 16 registers: 12 sums, 2 for B, 1 for A leave one over,
so 6 x 2 it is. And since a multiply-add takes 4 cycles, at least 2 x 4 = 8 sums must be under way for the units never
to wait: 12 are enough. AVX-512 has 32 registers, so 6 x 4: 10 loads for 24. ARM as well, but there A's numbers take
vector registers on their way, so 5 x 4. What is left over at the right of C gets tiles of two vectors, with more rows,
and then of one, whose lanes beyond the last column are masked.

Every other instruction counts as well: a core starts four to six a cycle, and half of that where another thread shares
it. So where A's numbers lie side by side, four k's follow each other in the text, at fixed distances from one address:
22 instructions a k for the 12 multiply-adds, in place of 29. With AVX-512 these are 36 for 24 in a tile of 6 x 4, where
14 x 2 takes 47 for 28: on cores that are shared the one is a tenth faster than the other.

A is read by strides (bytes), B[k] lies ``b_stride`` bytes after B[k-1], with the columns side by side. And k runs in
two loops, outer and inner, because that is what turns the same text into a convolution: in pictures that lie in memory
as (row, column, channel), the window of an output pixel is one run of ``kernel width * channels`` numbers for each row
of the kernel; ``row_stride`` then is the step from one output pixel to the next. A transposed A only swaps the strides.

The text is LLVM's own language, because plain loops would keep the sums in memory (3 to 5 times slower). It is compiled
once; tasks call it by its address, which they get as an argument: ``multiply(address, ...)``.
"""

from contextlib import contextmanager

from .parallel import Task  # before numba: it sets the cache folder

# isort: split
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.core.registry import cpu_target
from numba.extending import intrinsic

__all__ = [
    "ACCUMULATE", "INT", "LANES", "RELU", "VECTOR", "WIDTH",
    "clear", "copy", "heart", "keep", "line_start", "multiply", "panel_width", "read", "tallest", "vector_at", "write",
]  # fmt: skip

ACCUMULATE = 1  # flag: add to what C holds (else start from the bias, or from zero)
RELU = 2  # flag: max(., 0) at the end
UNROLL = 4  # k's of a round, where A's numbers lie side by side
ANY_HEIGHT = 6  # tiles of so many rows exist in every height, higher ones in even heights: less to compile


def _tiles_of_target() -> tuple[int, int, int, int]:
    """(lanes of a vector, vectors of the widest tile, its rows, rows of narrower ones) for Numba's target."""
    triple, _, features = cpu_target.target_context.codegen().magic_tuple()
    known = features.split(",")
    if "+avx512f" in known:
        return 16, 4, 6, 14
    if "+avx" in known:
        return 8, 2, 6, 6
    if triple.startswith(("aarch64", "arm64")):
        return 4, 4, 5, 8
    return 4, 2, 6, 6


LANES, VECTORS, ROWS, TALL = _tiles_of_target()
WIDTH = LANES * VECTORS  # columns of the widest tile
HEIGHTS = {  # the tiles there are, by their number of vectors
    vectors: [
        rows for rows in range(1, (ROWS if vectors == VECTORS else TALL) + 1) if rows <= ANY_HEIGHT or rows % 2 == 0
    ]
    for vectors in (4, 2, 1)
    if vectors <= VECTORS
}


def panel_width(columns: int) -> int:
    """Columns of the panels that hold so many columns of B: as wide as the widest tile, or as the narrowest for all."""
    return min((LANES * vectors for vectors in HEIGHTS if LANES * vectors >= columns), default=WIDTH)


def tallest(width: int) -> int:
    """Rows of the tallest tile of so many columns."""
    return HEIGHTS[width // LANES][-1]


_FLOAT, _BYTE, INT = ir.FloatType(), ir.IntType(8), ir.IntType(64)
VECTOR = ir.VectorType(_FLOAT, LANES)


def vector_at(builder, address, v):
    """A pointer to the v-th vector that starts at an address."""
    offset = builder.add(address, ir.Constant(INT, 4 * LANES * v))
    return builder.inttoptr(offset, VECTOR.as_pointer())


@contextmanager
def _counted_loop(builder, count):
    """Emit a loop of ``count`` rounds, not negative, that LLVM does not unroll (copies would not fit the registers)."""
    head, body, end = (builder.append_basic_block(f"k_{part}") for part in ("head", "body", "end"))
    left = cgutils.alloca_once(builder, INT)
    builder.store(count, left)
    builder.branch(head)
    builder.position_at_end(head)
    builder.cbranch(builder.icmp_signed("!=", builder.load(left), ir.Constant(INT, 0)), body, end)
    builder.position_at_end(body)
    yield
    builder.store(builder.sub(builder.load(left), ir.Constant(INT, 1)), left)
    back = builder.branch(head)
    module = builder.module
    no_unroll = module.add_metadata([ir.MetaDataString(module, "llvm.loop.unroll.disable")])
    loop = ir.values.MDValue(module, [no_unroll], name=str(len(module.metadata)))
    loop.operands = (loop, no_unroll)
    back.set_metadata("llvm.loop", loop)
    builder.position_at_end(end)


def _of_unknown_origin(builder, number):
    """The number itself. If LLVM knew how the addresses differ, it would keep one for every row, most in memory."""
    return builder.call(ir.InlineAsm(ir.FunctionType(INT, [INT]), "", "=r,0"), [number])


def _emit_tile(
    builder, rows, vectors, a, row_stride, outer, outer_stride, inner, inner_stride, b, b_stride, c, c_stride,
    bias, flags, lanes=None,
):  # fmt: skip
    """Emit C[0:rows, 0:vectors * LANES] (+)= A @ B. All arguments but rows and vectors are LLVM values.

    With ``lanes``, a pair of numbers, only the columns from the one to the other exist in C and in the bias.
    """

    def vector(address, v):
        return vector_at(builder, address, v)

    def all_lanes(number, kind=_FLOAT):
        undefined = ir.Constant(ir.VectorType(kind, LANES), ir.Undefined)
        first = builder.insert_element(undefined, number, ir.Constant(ir.IntType(32), 0))
        return builder.shuffle_vector(first, undefined, ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES))

    def masked(name, kind, *arguments):
        function = ir.FunctionType(kind, [argument.type for argument in arguments])
        name = f"llvm.masked.{name}.v{LANES}f32.p0"
        return builder.call(cgutils.get_or_insert_function(builder.module, function, name), arguments)

    zero = ir.Constant(VECTOR, [0.0] * LANES)
    four = ir.Constant(ir.IntType(32), 4)  # bytes that addresses are a multiple of
    if lanes:
        lane = ir.Constant(ir.VectorType(INT, LANES), list(range(LANES)))
        first, last = (all_lanes(number, INT) for number in lanes)
        mask = builder.and_(builder.icmp_signed(">=", lane, first), builder.icmp_signed("<", lane, last))

    def load(address, v):
        if lanes:
            return masked("load", VECTOR, vector(address, v), four, mask, zero)
        return builder.load(vector(address, v), align=4)

    def store(value, address, v):
        if lanes:
            masked("store", ir.VoidType(), value, vector(address, v), four, mask)
        else:
            builder.store(value, vector(address, v), align=4)

    grid = [(r, v) for r in range(rows) for v in range(vectors)]
    sums = {cell: cgutils.alloca_once(builder, VECTOR) for cell in grid}  # LLVM turns these into registers
    c_rows = [builder.add(c, builder.mul(c_stride, ir.Constant(INT, r))) for r in range(rows)]

    accumulate = builder.icmp_signed("!=", builder.and_(flags, ir.Constant(INT, ACCUMULATE)), ir.Constant(INT, 0))
    has_bias = builder.icmp_signed("!=", bias, ir.Constant(INT, 0))
    for cell in grid:
        builder.store(zero, sums[cell])
    with builder.if_then(builder.and_(has_bias, builder.not_(accumulate))):
        for r, v in grid:
            builder.store(load(bias, v), sums[r, v])

    b_now = cgutils.alloca_once_value(builder, b)
    multiply_add = cgutils.get_or_insert_function(  # LLVM's name for: fma where there is one, else multiply and add
        builder.module, ir.FunctionType(VECTOR, [VECTOR] * 3), f"llvm.fmuladd.v{LANES}f32"
    )
    # A processor adds 0, 1 or 2 times a register to an address for nothing: one register serves three rows.
    a_now = [cgutils.alloca_once(builder, INT) for _ in range(0, rows, 3)]

    def add_products(b_address, a_addresses, bytes_on):
        b_vectors = [builder.load(vector(b_address, v), align=4) for v in range(vectors)]
        for r in range(rows):
            address = builder.add(a_addresses[r // 3], builder.mul(row_stride, ir.Constant(INT, r % 3)))
            address = builder.add(address, ir.Constant(INT, bytes_on))
            number = all_lanes(builder.load(builder.inttoptr(address, _FLOAT.as_pointer()), align=4))
            for v in range(vectors):
                old = builder.load(sums[r, v])
                builder.store(builder.call(multiply_add, [number, b_vectors[v], old]), sums[r, v])

    side_by_side = builder.icmp_signed("==", inner_stride, ir.Constant(INT, 4))
    runs = builder.select(side_by_side, builder.sdiv(inner, ir.Constant(INT, UNROLL)), ir.Constant(INT, 0))
    rest = builder.sub(inner, builder.mul(runs, ir.Constant(INT, UNROLL)))
    loops = (runs, UNROLL, ir.Constant(INT, 4 * UNROLL)), (rest, 1, inner_stride)
    with cgutils.for_range(builder, outer) as outer_loop:
        start = builder.add(a, builder.mul(outer_loop.index, outer_stride))
        for i, place in enumerate(a_now):
            third = builder.add(start, builder.mul(row_stride, ir.Constant(INT, 3 * i)))
            builder.store(_of_unknown_origin(builder, third), place)
        for count, unroll, step in loops:
            with _counted_loop(builder, count):
                a_addresses = [builder.load(place) for place in a_now]
                b_address = builder.load(b_now)
                for k in range(unroll):
                    add_products(b_address, a_addresses, 4 * k)
                    b_address = builder.add(b_address, b_stride)
                builder.store(b_address, b_now)
                for place, address in zip(a_now, a_addresses, strict=True):
                    builder.store(_of_unknown_origin(builder, builder.add(address, step)), place)

    # What C holds comes last: a sum of sums of blocks has fewer roundings in a row than one long sum.
    with builder.if_then(accumulate):
        for r, v in grid:
            builder.store(builder.fadd(builder.load(sums[r, v]), load(c_rows[r], v)), sums[r, v])
    with builder.if_then(builder.icmp_signed("!=", builder.and_(flags, ir.Constant(INT, RELU)), ir.Constant(INT, 0))):
        for cell in grid:
            value = builder.load(sums[cell])
            negative = builder.fcmp_ordered("<", value, zero)  # false for NaN, which stays
            builder.store(builder.select(negative, zero, value), sums[cell])
    for r, v in grid:
        store(builder.load(sums[r, v]), c_rows[r], v)


@intrinsic
def _tile(
    typing_context, vectors, rows, a, row_stride, outer, outer_stride, inner, inner_stride, b, b_stride, c, c_stride,
    bias, flags, first, last,
):  # fmt: skip
    """One tile of one of the HEIGHTS; of a tile of one vector, only the columns from ``first`` to ``last`` exist."""

    def generate(context, builder, signature, arguments):
        vectors, rows, *rest, first, last = arguments
        done = builder.append_basic_block("done")
        switch = builder.switch(builder.add(builder.mul(vectors, ir.Constant(INT, TALL + 1)), rows), done)
        for width, heights in HEIGHTS.items():
            for height in heights:  # a text of its own, all loops over rows and vectors written out
                block = builder.append_basic_block(f"tile_{height}_{width}")
                switch.add_case(ir.Constant(INT, width * (TALL + 1) + height), block)
                builder.position_at_end(block)
                _emit_tile(builder, height, width, *rest, lanes=(first, last) if width == 1 else None)
                builder.branch(done)
        builder.position_at_end(done)
        return context.get_dummy_value()

    return types.void(*[types.int64] * 16), generate


def _strip(
    rows, a, row_stride, outer, outer_stride, inner, inner_stride, b, b_stride, c, c_stride, first, last, bias, flags
):
    """C[0:rows, first:last] (+)= A @ B, for any number of rows and up to WIDTH columns."""
    left = first // LANES * LANES
    while left < last:
        vectors, height_limit = VECTORS, ROWS
        while vectors > 1 and (left < first or left + vectors * LANES > last):
            vectors, height_limit = vectors // 2, TALL
        top, tiles = 0, (rows + height_limit - 1) // height_limit
        while top < rows:
            height = (rows - top + tiles - 1) // tiles  # tiles of nearly equal height: no slow last one
            if height > ANY_HEIGHT and height % 2 == 1:
                height += 1 if height < rows - top else -3
            _tile(
                vectors, height, a + top * row_stride, row_stride, outer, outer_stride, inner, inner_stride,
                b + 4 * left, b_stride, c + top * c_stride + 4 * left, c_stride, bias + 4 * left if bias != 0 else 0,
                flags, first - left, last - left,
            )  # fmt: skip
            top, tiles = top + height, max(tiles - 1, 1)
        left += vectors * LANES


@intrinsic
def read(typing_context, address):
    """The float32 at ``address``."""

    def generate(context, builder, signature, arguments):
        return builder.load(builder.inttoptr(arguments[0], _FLOAT.as_pointer()), align=4)

    return types.float32(types.int64), generate


@intrinsic
def write(typing_context, address, value):
    """Put the float32 ``value`` at ``address``."""

    def generate(context, builder, signature, arguments):
        builder.store(arguments[1], builder.inttoptr(arguments[0], _FLOAT.as_pointer()), align=4)
        return context.get_dummy_value()

    return types.void(types.int64, types.float32), generate


@intrinsic
def copy(typing_context, target, source, count):
    """Copy ``count`` float32 from one address to another; the two do not overlap."""

    def generate(context, builder, signature, arguments):
        to, start = (builder.inttoptr(address, _BYTE.as_pointer()) for address in arguments[:2])
        cgutils.raw_memcpy(builder, to, start, arguments[2], 4)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.int64), generate


@intrinsic
def clear(typing_context, target, count):
    """Put ``count`` float32 zeros at an address."""

    def generate(context, builder, signature, arguments):
        to = builder.inttoptr(arguments[0], _BYTE.as_pointer())
        cgutils.memset(builder, to, builder.mul(arguments[1], ir.Constant(INT, 4)), 0)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64), generate


@njit(cache=True, inline="always")
def line_start(array):
    """The address of the first number of an array that lies at the start of a cache line; 16 numbers are enough."""
    return (array.ctypes.data + 63) & -64


@intrinsic
def keep(typing_context, array):
    """Say after the last use of an array's address: Numba frees an array after the last use of its name."""

    def generate(context, builder, signature, arguments):
        return context.get_dummy_value()

    return types.void(array), generate


class _Heart(Task):
    signature = types.void(*[types.int64] * 15)


heart = _Heart(_strip, {"error_model": "numpy"})


@intrinsic
def multiply(
    typing_context, heart, rows, a, row_stride, outer, outer_stride, inner, inner_stride,
    b, b_stride, c, c_stride, first, last, bias, flags,
):  # fmt: skip
    """Inside a task: C[0:rows, first:last] (+)= A @ B, then bias and ReLU. All arguments are integers.

    The columns are cut into tiles of 4 vectors (2 with 16 registers), 2 and 1; no others of B are read.

    Args:
        heart: ``heart.address``.
        rows: rows of A and C.
        a, row_stride, outer, outer_stride, inner, inner_stride: A[r, (ko, ki)] is the float32 at the address
            a + r * row_stride + ko * outer_stride + ki * inner_stride, for ko < outer and ki < inner.
        b, b_stride: B[k, 0:] is at b + k * b_stride, k = ko * inner + ki. Whole vectors are read, from the one that
            ``first`` lies in to the one before ``last``.
        c, c_stride: C[r, 0:] is at c + r * c_stride.
        first, last: the columns of C that are written (and read), WIDTH at most.
        bias: address of the bias of column 0, or 0. Not used with ACCUMULATE.
        flags: ACCUMULATE + RELU.
    """

    def generate(context, builder, signature, arguments):
        function = ir.FunctionType(ir.VoidType(), [INT] * 15).as_pointer()
        builder.call(builder.inttoptr(arguments[0], function), arguments[1:])
        return context.get_dummy_value()

    return types.void(*[types.int64] * 16), generate
