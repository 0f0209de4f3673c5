# mypy: ignore-errors
"""Denormal numbers: float32 below 1.2e-38, which kernels count as 0.

With them a multiplication takes a processor up to 150 cycles, not 4. They are not rare: where a unit is dead its
gradient is 0, so Adam's mean of gradients shrinks by a tenth at each step, and reaches 1.2e-38 after some 800. From
there it goes down to 1.4e-45 and stays, since nine tenths of that is rounded up again. 175,000 of such numbers made the
steps of a small net three times as slow. XLA, so Keras on JAX and TensorFlow, counts them as 0, too.

A bit of each thread's control word says so. It is set while tasks run, and restored: to the rest of a program, NumPy
included, denormals are what they were.
"""

from llvmlite import ir  # parallel.py has set the cache folder before it imports this file
from llvmlite.binding import get_process_triple
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

__all__ = ["emit_control", "flush_denormals", "restore"]

_WORD = ir.IntType(64)
# what reads the control word, what writes it, its bits, those that flush
_X86 = ("llvm.x86.sse.stmxcsr", "llvm.x86.sse.ldmxcsr", 32, 0x8040)
_ARM = ("llvm.aarch64.get.fpcr", "llvm.aarch64.set.fpcr", 64, 1 << 24)
_TARGETS = {"x86_64": _X86, "amd64": _X86, "aarch64": _ARM, "arm64": _ARM}


def emit_control(builder, triple, state=None):
    """Emit code that sets the control word and gives what it was before, as 64 bits.

    Args:
        triple: LLVM's name of the target; others than x86 and ARM of 64 bits have no such word.
        state: what to set; None: what there is, with the bits that flush.
    """
    target = _TARGETS.get(triple.split("-")[0])
    if not target:
        return ir.Constant(_WORD, 0)
    reader, writer, bits, flushing = target
    kind = ir.IntType(bits)
    through_memory = bits == 32

    def call(name, result, *arguments):
        function = ir.FunctionType(result, [argument.type for argument in arguments])
        return builder.call(cgutils.get_or_insert_function(builder.module, function, name), arguments)

    if through_memory:
        place = cgutils.alloca_once(builder, kind)
        call(reader, ir.VoidType(), place)
        before = builder.load(place)
    else:
        before = call(reader, kind)
    wanted = builder.or_(before, ir.Constant(kind, flushing)) if state is None else builder.trunc(state, kind)
    if through_memory:
        builder.store(wanted, place)
        call(writer, ir.VoidType(), place)
    else:
        call(writer, ir.VoidType(), wanted)
    return builder.zext(before, _WORD)


@intrinsic
def flush_denormals(typing_context):
    """Count them as 0 in this thread; returns what ``restore`` takes."""

    def generate(context, builder, signature, arguments):
        return emit_control(builder, get_process_triple())

    return types.int64(), generate


@intrinsic
def restore(typing_context, state):
    """Compute as before."""

    def generate(context, builder, signature, arguments):
        emit_control(builder, get_process_triple(), arguments[0])
        return context.get_dummy_value()

    return types.void(types.int64), generate
