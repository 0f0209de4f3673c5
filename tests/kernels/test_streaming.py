"""Large results, written past the caches: the same numbers wherever they lie, and nothing beside them is touched."""

import numpy as np
import pytest

import minidl_kernels as kernels
from minidl_kernels import streaming
from minidl_kernels.parallel import address_of, integer, task

RNG = np.random.default_rng(5)
ENOUGH = streaming.LARGE // 4 + 12345  # floats of a result that goes past the caches
POOL = {"pool_size": (2, 2), "strides": (2, 2), "padding": "valid"}
NORM = {"epsilon": 1e-3}


def numbers(*shape):
    return RNG.standard_normal(shape, dtype=np.float32)


def rows(channels):
    return -(-ENOUGH // channels), channels


@task
def _stream(args, task, tasks):
    streaming.stream(integer(args, 0), integer(args, 1), integer(args, 2))
    streaming.settle(1)


@pytest.mark.parametrize("count", [0, 1, 2, 15, 16, 17, 31, 33, 63, 64, 65, 1000])
@pytest.mark.parametrize("begin", [0, 1, 7, 8, 15, 16])
def test_every_place_and_length(count, begin):
    source, room = numbers(count + 3), np.full(count + 64, 7, np.float32)
    _stream(address_of(room) + 4 * begin, address_of(source) + 12, count)
    np.testing.assert_array_equal(room[begin : begin + count], source[3:])
    assert (room[:begin] == 7).all() and (room[begin + count :] == 7).all()


def scattered(x, g):
    """max_pool_scatter of windows of 2x2 that do not overlap, by its definition."""
    n, h, w, c = x.shape
    windows = x.reshape(n, h // 2, 2, w // 2, 2, c).transpose(0, 1, 3, 5, 2, 4).reshape(n, h // 2, w // 2, c, 4)
    won = np.arange(4) == windows.argmax(-1)[..., None]
    cells = np.where(won, g[..., None], 0).reshape(n, h // 2, w // 2, c, 2, 2)
    return cells.transpose(0, 1, 4, 2, 5, 3).reshape(x.shape).astype(np.float32)


def normalized(x, gamma, beta):
    x = x.astype("d")
    return (x - x.mean(0)) / np.sqrt(x.var(0) + NORM["epsilon"]) * gamma + beta


def norm_gradient(g, x, gamma, passed=None):
    g, x = g.astype("d") if passed is None else np.where(passed, g, 0.0), x.astype("d")
    spread = np.sqrt(x.var(0) + NORM["epsilon"])
    unit = (x - x.mean(0)) / spread
    return gamma / spread * (g - g.mean(0) - unit * (g * unit).mean(0))


def cases():
    """(name, call with out, arrays, what comes out first)."""
    flat = numbers(ENOUGH), numbers(ENOUGH)
    yield "add", kernels.add, flat, {}, flat[0] + flat[1]
    yield "relu_grad", kernels.relu_grad, flat, {}, np.where(flat[1] > 0, flat[0], 0)
    for channels in (1, 7, 32, 48):
        g, x = numbers(*rows(channels)), numbers(*rows(channels)) + 3
        gamma, beta = 1 + numbers(channels) / 9, numbers(channels)
        masked = np.where(x > 3, g, 0)
        yield f"relu_bias_grad {channels}", kernels.relu_bias_grad, (g, x - 3), {}, masked
        expected = normalized(x, gamma, beta)
        yield f"batch_norm {channels}", kernels.batch_norm, (x, gamma, beta), NORM, expected
        relu = {**NORM, "negative_slope": 0.0}
        yield f"batch_norm_relu {channels}", kernels.batch_norm_relu, (x, gamma, beta), relu, np.maximum(expected, 0)
        mean, variance = x.mean(0, dtype="d").astype("f"), x.var(0, dtype="d").astype("f")
        back = norm_gradient(g, x, gamma)
        yield f"batch_norm_grad {channels}", kernels.batch_norm_grad, (g, x, gamma, mean, variance), NORM, back
        y = np.maximum(expected, 0).astype("f")
        back = norm_gradient(g, x, gamma, y > 0)
        arrays = g, y, x, gamma, mean, variance
        yield f"batch_norm_relu_grad {channels}", kernels.batch_norm_relu_grad, arrays, relu, back
    for channels in (5, 32):
        x = numbers(-(-ENOUGH // (32 * 32 * channels)), 32, 32, channels)
        g = numbers(len(x), 16, 16, channels)
        yield f"max_pool_scatter {channels}", kernels.max_pool_scatter, (g, x), POOL, scattered(x, g)


def outputs_at(kernel, arrays, settings, begin):
    """The outputs of a kernel, each ``begin`` floats behind the start of a cache line, with sevens around them."""
    shapes = kernel(*arrays, **settings)
    shapes = [one.shape for one in (shapes if isinstance(shapes, tuple) else (shapes,))]
    rooms = [np.full(int(np.prod(shape)) + 64, 7, np.float32) for shape in shapes]
    starts = [-address_of(room) % 64 // 4 + begin for room in rooms]
    sizes = [int(np.prod(shape)) for shape in shapes]
    outs = [room[s : s + n].reshape(shape) for room, s, n, shape in zip(rooms, starts, sizes, shapes, strict=True)]
    kernel(*arrays, out=tuple(outs) if len(outs) > 1 else outs[0], **settings)
    for room, start, size in zip(rooms, starts, sizes, strict=True):
        assert (room[:start] == 7).all() and (room[start + size :] == 7).all()
    return outs


@pytest.mark.parametrize("begin", [0, 1, 13])
def test_passes_over_memory(begin):
    for name, kernel, arrays, settings, expected in cases():
        with kernel.use("cpu"):
            found = outputs_at(kernel, arrays, settings, begin)[0]
        assert streaming.goes_past_caches(found), name
        np.testing.assert_allclose(found, expected, rtol=2e-5, atol=2e-5, err_msg=name)


@pytest.mark.parametrize("begin", [0, 4])
@pytest.mark.parametrize(
    "name, extent", [("winograd", 34), ("winograd", 33), ("winograd_4x4", 34), ("winograd_4x4", 35)]
)
def test_outputs_of_winograd(name, extent, begin):
    """Pictures one by one are small results; all of them together are written past the caches: the same bits."""
    x, w, b = numbers(40, extent, extent, 16), numbers(3, 3, 16, 32) / 12, numbers(32)
    settings = {"strides": (1, 1), "padding": "valid", "activation": "relu"}
    with kernels.conv2d.use(name):
        (found,) = outputs_at(kernels.conv2d, (x, w, b), settings, begin)
        single = np.concatenate([kernels.conv2d(one[None], w, b, **settings) for one in x])
    assert streaming.goes_past_caches(found) and not streaming.goes_past_caches(single[:1])
    np.testing.assert_array_equal(found, single)


def test_a_large_sum_is_the_kernel_s_and_a_small_one_is_not():
    from minidl import ops

    for size, names in ((kernels.ADD_FROM - 1, []), (kernels.ADD_FROM, ["add"])):
        x, y = numbers(size), numbers(size)
        with kernels.watch() as seen:
            found = ops.add(x, y)
        np.testing.assert_array_equal(np.asarray(found), x + y)
        assert [call.kernel for call in seen.calls] == names
    with kernels.watch() as seen:  # broadcasting, whole numbers and other dtypes stay with NumPy
        ops.add(numbers(kernels.ADD_FROM), np.float32(1))
        ops.add(numbers(2, kernels.ADD_FROM), numbers(kernels.ADD_FROM))
        ops.add(np.arange(kernels.ADD_FROM), np.arange(kernels.ADD_FROM))
    assert seen.calls == []


def test_arrays_of_other_shapes_are_refused():
    with pytest.raises(ValueError, match=r"add: x has shape \(2, 3\), y has \(3, 2\); they must be equal"):
        kernels.add(numbers(2, 3), numbers(3, 2))
