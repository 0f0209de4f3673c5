"""Rounding: a compiled kernel's error against float64 is at most twice that of PyTorch in float32 on the same data.

The error is the largest difference divided by the largest number; the worst of three seeds counts, on both sides.
Winograd's F(4x4), which is an option, trades digits for speed and has a bound of its own.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import minidl_kernels as kernels

torch = pytest.importorskip("torch")
F = torch.nn.functional
pytestmark = pytest.mark.oracle

SEEDS, MOST = 3, 2.0
# PyTorch's tanh is rounded correctly, ours is a quotient of polynomials (1.5 ulp). The input gradient of a convolution
# with strides sums each phase of the window in one run, PyTorch in several; more than twice is a matter of the data.
WIDER = {"tanh (": 3.0, "stride 2 valid, to x": 2.5}
ADAM = {"learning_rate": 0.01, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7, "step": 3}
Case = tuple[Any, Callable[..., tuple[Any, ...]], Callable[..., Any], dict[str, Any]]


def normal(*shapes: Any) -> Callable[[np.random.Generator], list[np.ndarray]]:
    """Draws normal numbers of these shapes."""
    return lambda rng: [rng.standard_normal(shape).astype("float32") for shape in shapes]


def first(x: Any) -> Any:
    """Channels first."""
    return x.movedim(-1, 1)


def last(x: Any) -> Any:
    """Channels last."""
    return x.movedim(1, -1)


def kernel_of(w: Any) -> Any:
    """(kh, kw, in, out) as PyTorch has it."""
    return w.permute(3, 2, 0, 1)


def through(function: Callable[..., Any]) -> Callable[..., Any]:
    """The gradients of ``function`` with respect to all but the first argument, which is the upstream gradient."""

    def gradients(g: Any, *inputs: Any) -> Any:
        inputs = tuple(one.clone().requires_grad_() for one in inputs)
        return torch.autograd.grad(function(*inputs), inputs, g)

    return gradients


CONVOLUTIONS = [  # picture, window, filters, stride, padding
    ((4, 15, 15, 64), 3, 64, 1, "same"),
    ((2, 32, 32, 32), 3, 32, 1, "valid"),
    ((4, 9, 9, 128), 3, 48, 1, "same"),
    ((8, 16, 16, 3), 3, 32, 1, "same"),
    ((8, 28, 28, 1), 5, 6, 1, "valid"),
    ((4, 14, 14, 64), 1, 128, 1, "valid"),
    ((4, 14, 14, 64), 1, 32, 2, "valid"),
    ((4, 17, 17, 32), 3, 64, 2, "valid"),
    ((2, 20, 20, 16), 5, 24, 2, "valid"),
    ((2, 12, 12, 32), 5, 32, 1, "same"),
    ((2, 13, 11, 7), 3, 5, 1, "valid"),
    ((1, 33, 33, 3), 7, 16, 2, "valid"),
    ((32, 7, 7, 64), 5, 128, 1, "same"),
    ((16, 15, 15, 64), 3, 48, 2, "same"),
]
DEPTHWISE = [((4, 14, 14, 32), 3, 1, "same"), ((2, 17, 17, 24), 3, 2, "valid"), ((2, 12, 12, 13), 5, 1, "same")]


def convolution_cases() -> Iterator[tuple[str, Case]]:
    for (n, height, width, channels), window, filters, stride, padding in CONVOLUTIONS:
        shape, w = (n, height, width, channels), (window, window, channels, filters)
        yield from family("conv2d", kernels.conv2d, shape, w, filters, stride, padding, 1)
    for (n, height, width, channels), window, stride, padding in DEPTHWISE:
        shape, w = (n, height, width, channels), (window, window, channels, 1)
        yield from family("depthwise_conv2d", kernels.depthwise_conv2d, shape, w, channels, stride, padding, channels)


def family(
    name: str, forward: Any, shape: Any, w: Any, filters: int, stride: int, padding: str, groups: int
) -> Iterator[tuple[str, Case]]:
    """Forward, input gradient, kernel gradient."""
    border = w[0] // 2 if padding == "same" else 0
    rest = {"strides": (stride, stride), "padding": padding}
    out = tuple((n + 2 * border - w[0]) // stride + 1 for n in shape[1:3])
    upstream = (shape[0], *out, filters)
    theirs = {"stride": stride, "padding": border, "groups": groups}
    native = (w[2] // groups if groups == 1 else 1, filters)
    weight_shape = (filters, native[0], w[0], w[1])

    def to_torch(kernel: Any) -> Any:
        return kernel_of(kernel) if groups == 1 else kernel.permute(2, 3, 0, 1)

    def to_ours(kernel: Any) -> Any:
        return kernel.permute(2, 3, 1, 0) if groups == 1 else kernel.permute(2, 3, 0, 1)

    text = f"{name} {shape} {w} stride {stride} {padding}"
    yield text, (normal(shape, w), forward, lambda x, k: last(F.conv2d(first(x), to_torch(k), **theirs)), rest)
    yield (
        f"{text}, to x",
        (
            normal(upstream, w), getattr(kernels, f"{name}_input_grad"),
            lambda g, k: last(
                torch.nn.grad.conv2d_input((shape[0], shape[3], *shape[1:3]), to_torch(k), first(g), **theirs)
            ),
            {"input_shape": shape, **rest},
        ),
    )  # fmt: skip
    yield (
        f"{text}, to w",
        (
            normal(shape, upstream), getattr(kernels, f"{name}_kernel_grad"),
            lambda x, g: to_ours(torch.nn.grad.conv2d_weight(first(x), weight_shape, first(g), **theirs)),
            {"kernel_shape": w, **rest},
        ),
    )  # fmt: skip


def product_cases() -> Iterator[tuple[str, Case]]:
    for m, k, n in ((128, 1024, 512), (32, 300, 100), (512, 784, 300), (128, 512, 10), (7, 33, 17)):
        size = f"{m}x{k}x{n}"
        yield f"matmul {size}", (normal((m, k), (k, n)), kernels.matmul, torch.matmul, {})
        yield (
            f"matmul {size} transposed",
            (normal((m, n), (k, n)), kernels.matmul, lambda a, b: a @ b.T, {"transpose_b": True}),
        )
        yield f"dense {size}", (normal((m, k), (k, n), n), kernels.dense, lambda x, w, b: x @ w + b, {})
        yield f"dense_weight_grad {size}", (
            normal((m, k), (m, n)), kernels.dense_weight_grad, lambda x, g: (x.T @ g, g.sum(0)), {},
        )  # fmt: skip
        yield f"column_sum {size}", (normal((m * 8, n)), kernels.column_sum, lambda x: x.sum(0), {})


def pooling_cases() -> Iterator[tuple[str, Case]]:
    for shape, window, stride in (((4, 30, 30, 32), 2, 2), ((2, 13, 13, 64), 3, 2), ((2, 9, 9, 5), 3, 1)):
        settings = {"pool_size": (window, window), "strides": (stride, stride)}
        out = (shape[0], *((n - window) // stride + 1 for n in shape[1:3]), shape[3])

        def largest(x: Any, window: int = window, stride: int = stride) -> Any:
            return last(F.max_pool2d(first(x), window, stride))

        def mean(x: Any, window: int = window, stride: int = stride) -> Any:
            return last(F.avg_pool2d(first(x), window, stride))

        text = f"{shape} {window} {stride}"
        yield f"max_pool {text}", (normal(shape), kernels.max_pool, largest, settings)
        yield f"max_pool_scatter {text}", (normal(out, shape), kernels.max_pool_scatter, through(largest), settings)
        yield f"average_pool {text}", (normal(shape), kernels.average_pool, mean, settings)
        size = {**settings, "input_shape": shape}

        def of_zeros(g: Any, mean: Any = mean, shape: Any = shape) -> Any:
            return through(mean)(g, torch.zeros(shape, dtype=g.dtype))

        yield f"average_pool_grad {text}", (normal(out), kernels.average_pool_grad, of_zeros, size)


def row_cases() -> Iterator[tuple[str, Case]]:
    """Activations, softmax and cross-entropy."""
    for shape in ((128, 10), (64, 1000), (5, 7)):
        n, classes = shape
        labels = np.arange(n) % classes
        target = torch.from_numpy(labels)
        for name, function in (("sigmoid", torch.sigmoid), ("tanh", torch.tanh)):
            yield f"{name} {shape}", (normal(shape), getattr(kernels, name), function, {})
        yield f"sigmoid_grad {shape}", (probabilities(shape), kernels.sigmoid_grad, lambda g, y: g * (y * (1 - y)), {})
        yield f"softmax {shape}", (normal(shape), kernels.softmax, lambda x: torch.softmax(x, -1), {})
        yield f"log_softmax {shape}", (normal(shape), kernels.log_softmax, lambda x: torch.log_softmax(x, -1), {})
        yield f"softmax_cross_entropy {shape}", (
            normal(shape), lambda x, labels=labels: kernels.softmax_cross_entropy(x, labels),
            lambda x, t=target: (F.cross_entropy(x, t, reduction="none"), torch.softmax(x, -1)), {},
        )  # fmt: skip
        yield f"softmax_cross_entropy, to the logits {shape}", (
            normal((n,), shape),
            lambda g, x, labels=labels: kernels.softmax_cross_entropy_grad(
                g, kernels.softmax_cross_entropy(x, labels)[1], labels
            ),
            through(lambda x, t=target: F.cross_entropy(x, t, reduction="none")), {},
        )  # fmt: skip


def probabilities(shape: Any) -> Callable[[np.random.Generator], list[np.ndarray]]:
    """An upstream gradient, and outputs between 0 and 1."""
    return lambda rng: [rng.standard_normal(shape).astype("float32"), rng.random(shape, np.float32)]


def norm_cases() -> Iterator[tuple[str, Case]]:
    for shape in ((16, 15, 15, 32), (128, 300), (4, 7, 7, 5)):
        c = shape[-1:]

        def normed(x: Any, gamma: Any, beta: Any) -> Any:
            return last(F.batch_norm(first(x), None, None, gamma, beta, training=True, eps=1e-3))

        def ours(x: Any, gamma: Any, beta: Any) -> Any:
            return kernels.batch_norm(x, gamma, beta, epsilon=1e-3)[0]

        def gradient(g: Any, x: Any, gamma: Any, beta: Any) -> Any:
            _, mean, variance = kernels.batch_norm(x, gamma, beta, epsilon=1e-3)
            return kernels.batch_norm_grad(g, x, gamma, mean, variance, epsilon=1e-3)

        yield f"batch_norm {shape}", (normal(shape, c, c), ours, normed, {})
        yield f"batch_norm_grad {shape}", (normal(shape, shape, c, c), gradient, through(normed), {})


def update_cases() -> Iterator[tuple[str, Case]]:
    def step(kernel: Any, settings: dict[str, Any], written: int) -> Callable[..., Any]:
        def run(*arrays: np.ndarray) -> Any:
            lists = [[one.copy()] for one in arrays]
            kernel(*lists, **settings)
            return tuple(lists[i][0] for i in range(len(lists)) if i != 1)[:written]

        return run

    def theirs(w: Any, g: Any, *state: Any) -> Any:
        w = w.clone().requires_grad_()
        if len(state) == 2:
            # PyTorch adds epsilon to the corrected root, Keras to the uncorrected one.
            epsilon = ADAM["epsilon"] / (1 - ADAM["beta_2"] ** ADAM["step"]) ** 0.5
            optimizer = torch.optim.Adam([w], ADAM["learning_rate"], (ADAM["beta_1"], ADAM["beta_2"]), epsilon)
            before = torch.tensor(float(ADAM["step"] - 1))
            optimizer.state[w] = {"step": before, "exp_avg": state[0].clone(), "exp_avg_sq": state[1].clone()}
        else:
            optimizer = torch.optim.SGD([w], 0.1)
        w.grad = g
        optimizer.step()
        found = optimizer.state.get(w, {})
        return (w.detach(), *(found[name] for name in ("exp_avg", "exp_avg_sq") if name in found))

    def adam_state(rng: np.random.Generator) -> list[np.ndarray]:
        w, g, m, v = (rng.standard_normal(100_000).astype("float32") for _ in range(4))
        return [w, g, m, v * v]

    yield "sgd", (normal(100_000, 100_000), step(kernels.sgd, {"learning_rate": 0.1}, 1), theirs, {})
    yield "adam", (adam_state, step(kernels.adam, ADAM, 3), theirs, {})


CASES = dict([*convolution_cases(), *product_cases(), *pooling_cases(), *row_cases(), *norm_cases(), *update_cases()])


def arrays_of(found: Any) -> list[np.ndarray]:
    several = found if isinstance(found, tuple) else (found,)
    return [one.detach().numpy() if isinstance(one, torch.Tensor) else np.asarray(one) for one in several]


def errors(found: Any, exact: Any) -> list[float]:
    """Of each output."""
    pairs = zip(arrays_of(found), arrays_of(exact), strict=True)
    return [float(np.abs(a.astype("d") - e).max() / np.abs(e).max()) for a, e in pairs]


def fast_ways(kernel: Any, arrays: Any, settings: dict[str, Any]) -> Iterator[str]:
    """The compiled implementations that take a call."""
    yield "cpu"
    if isinstance(kernel, kernels.Kernel) and "winograd" in kernel.available():
        with kernel.use("winograd"):
            try:
                kernel(*arrays, **settings)
            except ValueError:
                return
        yield "winograd"


@pytest.mark.parametrize("name", CASES)
def test_the_error_is_at_most_twice_pytorchs(name):
    draw, ours, theirs, settings = CASES[name]
    most = next((wider for text, wider in WIDER.items() if text in name), MOST)
    data = [draw(np.random.default_rng([seed, len(name)])) for seed in range(SEEDS)]
    tensors = [[torch.from_numpy(one) for one in several] for several in data]
    exact = [theirs(*(one.double() for one in several)) for several in tensors]
    worst = np.max([errors(theirs(*several), e) for several, e in zip(tensors, exact, strict=True)], axis=0)
    for way in fast_ways(ours, data[0], settings):
        before = kernels.config.chosen_implementation("*")
        try:
            kernels.config.use_implementation("*", way)
            found = np.max([errors(ours(*d, **settings), e) for d, e in zip(data, exact, strict=True)], axis=0)
        finally:
            kernels.config.use_implementation("*", before)
        assert (found <= most * worst).all(), f"{way}: {found} against PyTorch's {worst}"
