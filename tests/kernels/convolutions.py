"""What the tests of conv2d and depthwise_conv2d share: a family is (forward, input gradient, kernel gradient)."""

import numpy as np

from minidl_kernels import config


def normal(*shape, dtype="float32", seed=0):
    return np.random.default_rng([seed, *shape]).standard_normal(shape).astype(dtype)


def assert_close(actual, expected, terms):
    """Equal up to the rounding of a sum of so many terms in the dtype of ``actual``."""
    assert actual.shape == expected.shape
    scale = max(1.0, float(np.abs(expected).max(initial=0.0)))
    atol = 4 * np.finfo(actual.dtype).eps * max(terms, 4) ** 0.5 * scale
    np.testing.assert_allclose(actual, expected, rtol=0, atol=atol)


def all_three(family, implementation, x, w, strides, padding):
    """(y, dx, dw) by one implementation; g is random."""
    forward, input_grad, kernel_grad = family
    settings = {"strides": strides, "padding": padding}
    with forward.use(implementation), input_grad.use(implementation), kernel_grad.use(implementation):
        y = forward(x, w, **settings)
        g = normal(*y.shape, seed=3).astype(x.dtype)
        dx = input_grad(g, w, input_shape=x.shape, **settings)
        return y, dx, kernel_grad(x, g, kernel_shape=w.shape, **settings)


def assert_same(family, implementation, against, shape, kernel, strides, padding, dtype="float32"):
    """An implementation gives what another one gives in float64, for random arrays of these shapes."""
    x, w = normal(*shape, dtype=dtype), normal(*kernel, dtype=dtype, seed=1)
    actual = all_three(family, implementation, x, w, strides, padding)
    expected = all_three(family, against, x.astype("d"), w.astype("d"), strides, padding)
    cells, outputs = kernel[0] * kernel[1], actual[0].shape
    mixed = 1 if "depthwise" in family[0].name else kernel[2]  # channels in one output
    terms = (cells * mixed, cells * kernel[3], outputs[0] * outputs[1] * outputs[2])
    for a, e, n in zip(actual, expected, terms, strict=True):
        assert a.dtype == dtype
        assert_close(a, e, n)


def assert_adjoint(family, implementation, padding):
    """<conv(x, w), g> = <x, input_grad(g, w)> = <w, kernel_grad(x, g)>: only true adjoints do that."""
    x, w = normal(2, 7, 6, 2), normal(3, 2, 2, 3, seed=1)
    y, dx, dw = all_three(family, implementation, x, w, (2, 1), padding)
    expected = float(np.vdot(y.astype("d"), normal(*y.shape, seed=3)))
    np.testing.assert_allclose(np.vdot(x.astype("d"), dx), expected, rtol=1e-4)
    np.testing.assert_allclose(np.vdot(w.astype("d"), dw), expected, rtol=1e-4)


def assert_same_bits_on_any_number_of_threads(family, implementation, x, w):
    before, results = config.threads(), []
    try:
        for threads in (1, 2, 3):
            config.set_threads(threads)
            results.append(all_three(family, implementation, x, w, (1, 1), "same"))
    finally:
        config.set_threads(before)
    for other in results[1:]:
        assert all((one == two).all() for one, two in zip(results[0], other, strict=True))
