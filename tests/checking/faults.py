"""Planted faults in gradients, as students write them; each with the causes that may be named for it.

A fault is a forward, a backward with one slip, and inputs drawn from a seed. Nothing here uses the hypotheses' code.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from minidl.checking import diagnose
from tests.checking.course import (
    avgpool_forward,
    bn_forward,
    ce_forward,
    conv_backward,
    conv_forward,
    im2col,
    ln_forward,
    maxpool_backward,
    maxpool_forward,
    sigmoid,
    softmax,
)

__all__ = ["FAULTS", "Fault"]


class Fault(NamedTuple):
    """A name, the causes that are right to name, and a check of it for a seed."""

    name: str
    causes: tuple[str, ...]
    check: Callable[[int], Any]


FAULTS: list[Fault] = []


def pair(name: str, causes: str, forward: Any, backward: Any, inputs: Any, **arguments: Any) -> None:
    """A fault of ``forward(*inputs) -> (y, cache)`` and ``backward(g, cache)``."""

    def check(seed: int) -> Any:
        made = inputs(np.random.default_rng(seed))
        return diagnose(forward, made, backward=backward, seed=seed, language="en", **arguments)

    FAULTS.append(Fault(name, tuple(causes.split()), check))


def one(name: str, causes: str, f: Any, inputs: Any) -> None:
    """A fault of a function that returns ``(loss, gradients)``."""

    def check(seed: int) -> Any:
        return diagnose(f, inputs(np.random.default_rng(seed)), seed=seed, language="en")

    FAULTS.append(Fault(name, tuple(causes.split()), check))


def layer(name: str, causes: str, make: Any, inputs: Any) -> None:
    """A fault of an object with ``forward`` and ``backward``."""

    def check(seed: int) -> Any:
        rng = np.random.default_rng(seed)
        return diagnose(make(rng), inputs(rng), seed=seed, language="en")

    FAULTS.append(Fault(name, tuple(causes.split()), check))


# ---- dense ----


def affine(x, W, b):
    return x @ W + b, (x, W)


def xwb(rng):
    return [rng.normal(size=(5, 4)), rng.normal(size=(4, 3)), rng.normal(size=3)]


def square(rng):
    return [rng.normal(size=(5, 4)), rng.normal(size=(4, 4)), rng.normal(size=4)]


def dense(name: str, causes: str, backward: Any, inputs: Any = xwb) -> None:
    pair(f"dense: {name}", causes, affine, lambda g, c: backward(g, *c), inputs)


dense("dW mean over the batch", "mean_for_sum", lambda g, x, W: (g @ W.T, x.T @ g / len(x), g.sum(0)))
dense("db mean over the batch", "mean_for_sum", lambda g, x, W: (g @ W.T, x.T @ g, g.mean(0)))
dense("db not summed", "not_summed", lambda g, x, W: (g @ W.T, x.T @ g, g))
dense("db of the last sample", "overwritten", lambda g, x, W: (g @ W.T, x.T @ g, g[-1]))
dense("db of the first sample", "first_only", lambda g, x, W: (g @ W.T, x.T @ g, g[0]))
dense("dW transposed", "transposed", lambda g, x, W: (g @ W.T, g.T @ x, g.sum(0)))
dense("dW transposed, square", "transposed", lambda g, x, W: (g @ W.T, g.T @ x, g.sum(0)), square)
dense("W not transposed", "weight_not_transposed", lambda g, x, W: (g @ W, x.T @ g, g.sum(0)), square)
dense("dx negative", "sign", lambda g, x, W: (-g @ W.T, x.T @ g, g.sum(0)))
dense("dx forgotten", "lost", lambda g, x, W: (np.zeros_like(x), x.T @ g, g.sum(0)))
dense("dW without upstream", "no_upstream", lambda g, x, W: (g @ W.T, x.T @ np.ones_like(g), g.sum(0)))
dense("dW doubled", "factor_two", lambda g, x, W: (g @ W.T, 2 * x.T @ g, g.sum(0)))
dense("dW reshaped", "reshaped", lambda g, x, W: (g @ W.T, (g.T @ x).reshape(W.shape), g.sum(0)))
dense("db over the wrong axis", "summed_wrong_axis not_summed", lambda g, x, W: (g @ W.T, x.T @ g, g.sum(1)))
dense("dW without the last sample", "last_left_out", lambda g, x, W: (g @ W.T, x[:-1].T @ g[:-1], g.sum(0)))
dense("dW without the first sample", "first_left_out", lambda g, x, W: (g @ W.T, x[1:].T @ g[1:], g.sum(0)))


def _assigned(g, x, W):
    for i in range(len(x)):
        dW = np.outer(x[i], g[i])
    return g @ W.T, dW, g.sum(0)


dense("dW = in the loop", "overwritten", _assigned)


def with_activation(f):
    def forward(x, W, b):
        z = x @ W + b
        return f(z), (x, W, z, f(z))

    return forward


def activated(name: str, causes: str, f: Any, delta: Any) -> None:
    def backward(g, cache):
        x, W, z, y = cache
        d = delta(g, z, y)
        return d @ W.T, x.T @ d, d.sum(0)

    pair(f"dense+{name}", causes, with_activation(f), backward, xwb)


def relu(z):
    return np.maximum(z, 0)


activated("relu: no derivative", "derivative_missing", relu, lambda g, z, y: g)
activated("relu: mask of g", "mask_array", relu, lambda g, z, y: g * (g > 0))
activated("relu: inverted", "mask_inverted", relu, lambda g, z, y: g * (z <= 0))
activated("sigmoid: of z", "derivative_of_input", sigmoid, lambda g, z, y: g * z * (1 - z))
activated("sigmoid: of y", "derivative_of_output", sigmoid, lambda g, z, y: g * sigmoid(y) * (1 - sigmoid(y)))
activated("sigmoid: y for y(1-y)", "derivative_formula", sigmoid, lambda g, z, y: g * y)
activated("tanh: no square", "derivative_formula", np.tanh, lambda g, z, y: g * (1 - y))
activated("tanh: of z", "derivative_of_input", np.tanh, lambda g, z, y: g * (1 - z * z))
activated("tanh: of y", "derivative_of_output", np.tanh, lambda g, z, y: g * (1 - np.tanh(y) ** 2))
activated("tanh: twice", "derivative_twice", np.tanh, lambda g, z, y: g * (1 - y * y) ** 2)

# ---- activations ----


def xs(rng):
    return [rng.normal(size=(4, 5)) * 1.5]


def act(name: str, causes: str, f: Any, backward: Any, inputs: Any = xs) -> None:
    pair(name, causes, lambda x: (f(x), (x, f(x))), lambda g, c: backward(g, *c), inputs)


def leaky(x):
    return np.where(x > 0, x, 0.1 * x)


def elu(x):
    return np.where(x > 0, x, np.exp(np.minimum(x, 0)) - 1)


act("relu: passed on", "derivative_missing passed_on", relu, lambda g, x, y: g)
act("relu: mask of g", "mask_array", relu, lambda g, x, y: g * (g > 0))
act("relu: x in place of g", "no_upstream wrong_operand mask_array", relu, lambda g, x, y: (x > 0) * 1.0)
act("leaky: slope forgotten", "slope_missing", leaky, lambda g, x, y: g * (x > 0))
act("leaky: inverted", "mask_inverted", leaky, lambda g, x, y: g * np.where(x > 0, 0.1, 1))
act("elu: derivative of y alone", "derivative_formula", elu, lambda g, x, y: g * np.where(x > 0, 1, y))
act("elu: negative side forgotten", "slope_missing", elu, lambda g, x, y: g * (x > 0))
act("elu: overflow", "overflow", elu, lambda g, x, y: g * ((x > 0) + np.exp(x) * (x <= 0)))
act("sigmoid: without upstream", "no_upstream", sigmoid, lambda g, x, y: y * (1 - y))
act("sigmoid: 1 - y", "derivative_formula", sigmoid, lambda g, x, y: g * (1 - y))
act("sigmoid: of x", "derivative_of_input", sigmoid, lambda g, x, y: g * x * (1 - x))
act("sigmoid: sign", "sign", sigmoid, lambda g, x, y: g * y * (y - 1))
act("tanh: 1 + y^2", "derivative_formula", np.tanh, lambda g, x, y: g * (1 + y * y))
act("softplus: sigmoid(-x)", "derivative_formula", lambda x: np.logaddexp(0, x), lambda g, x, y: g * sigmoid(-x))
act("swish: product rule", "derivative_formula", lambda x: x * sigmoid(x), lambda g, x, y: g * sigmoid(x))
act("square: factor 2", "factor_half", np.square, lambda g, x, y: g * x)
act("relu: 2 at 0", "tie", relu, lambda g, x, y: g * ((x > 0) + 2.0 * (x == 0)))
act("abs: never negative", "derivative_formula mask_inverted mask_array", np.abs, lambda g, x, y: g * (x > 0))
act("softmax: diagonal", "jacobian_diagonal", softmax, lambda g, x, y: g * y * (1 - y))
act("softmax: without the sum", "jacobian_diagonal", softmax, lambda g, x, y: g * y)
act("softmax: off the diagonal", "jacobian_off_diagonal", softmax, lambda g, x, y: -y * (g * y).sum(-1, keepdims=True))
act("softmax: axis of the sum", "softmax_axis", softmax, lambda g, x, y: y * (g - (g * y).sum(0, keepdims=True)))
act("softmax: sum over all", "softmax_axis", softmax, lambda g, x, y: y * (g - (g * y).sum()))
act("softmax: passed on", "passed_on derivative_missing", softmax, lambda g, x, y: g)


def _double(g, x, y):
    s = softmax(y)
    return s * (g - (g * s).sum(-1, keepdims=True))


act("softmax: twice", "double_softmax", softmax, _double)
act(
    "log softmax: no exp",
    "derivative_of_output",
    lambda x: np.log(softmax(x)),
    lambda g, x, y: g - y * g.sum(-1, keepdims=True),
    lambda rng: [rng.normal(size=(4, 5))],
)

# ---- losses ----


def scores(rng):
    return [rng.normal(size=(5, 4)), rng.permutation(np.arange(5) % 4)]  # were all alike, some slips would be none


def real(rng):
    return [rng.normal(size=(5, 3)), rng.normal(size=(5, 3))]


def binary(rng):
    return [rng.uniform(0.1, 0.9, (6, 1)), rng.permutation(np.arange(6) % 2.0)[:, None]]


def logits(rng):
    return [rng.normal(size=(6, 1)) * 2, rng.permutation(np.arange(6) % 2.0)[:, None]]


def ce(name: str, causes: str, wrong: Any) -> None:
    def loss(x, t):
        value, (p, hot) = ce_forward(x, t)
        return value, wrong(x, p, hot, len(x))

    one(f"cross-entropy: {name}", causes, loss, scores)


ce("no 1/N", "batch_mean_missing", lambda x, p, t, n: p - t)
ce("1/N twice", "batch_mean_twice", lambda x, p, t, n: (p - t) / n / n)
ce("no target", "target_missing", lambda x, p, t, n: p / n)
ce("1 off every class", "all_classes", lambda x, p, t, n: (p - 1) / n)
ce("no softmax", "softmax_missing", lambda x, p, t, n: (x - t) / n)
ce("softmax twice", "double_softmax", lambda x, p, t, n: (softmax(p) - t) / n)
ce("sign", "sign", lambda x, p, t, n: (t - p) / n)
ce("next class", "wrong_entry", lambda x, p, t, n: (p - np.roll(t, 1, axis=1)) / n)
ce("label of the next row", "wrong_entry", lambda x, p, t, n: (p - np.roll(t, 1, axis=0)) / n)
ce("formula of probabilities", "probability_for_logits", lambda x, p, t, n: -t / p / n)
ce("only the right class", "term_missing", lambda x, p, t, n: (p - t) * t / n)
ce("times p(1-p)", "derivative_twice", lambda x, p, t, n: (p - t) * p * (1 - p) / n)
ce("doubled", "factor_two", lambda x, p, t, n: 2 * (p - t) / n)
ce("mean over classes too", "feature_mean_twice", lambda x, p, t, n: (p - t) / p.size)
ce("softmax over the batch", "softmax_axis", lambda x, p, t, n: (softmax(x, 0) - t) / n)


def mse(name: str, causes: str, wrong: Any) -> None:
    one(f"mse: {name}", causes, lambda p, t: (np.mean((p - t) ** 2), wrong(p, t)), real)


mse("factor 2", "factor_half", lambda p, t: (p - t) / p.size)
mse("no mean", "size_mean_missing", lambda p, t: 2 * (p - t))
mse("mean over the batch alone", "feature_mean_missing", lambda p, t: 2 * (p - t) / len(p))
mse("sign", "sign", lambda p, t: 2 * (t - p) / p.size)
mse("no target", "target_missing", lambda p, t: 2 * p / p.size)
mse("square left", "derivative_missing", lambda p, t: (p - t) ** 2 / p.size)
mse("absolute", "region", lambda p, t: 2 * np.abs(p - t) / p.size)


def bce(name: str, causes: str, wrong: Any) -> None:
    def loss(p, t):
        return -np.mean(t * np.log(p) + (1 - t) * np.log(1 - p)), wrong(p, t) / p.size

    one(f"binary cross-entropy: {name}", causes, loss, binary)


bce("one term", "term_missing", lambda p, t: -t / p)
bce("formula of logits", "logits_for_probability", lambda p, t: p - t)
bce("sign between terms", "derivative_formula", lambda p, t: -t / p - (1 - t) / (1 - p))
bce("no 1/N", "batch_mean_missing size_mean_missing", lambda p, t: (p - t) / (p * (1 - p)) * p.size)


def logit(name: str, causes: str, wrong: Any) -> None:
    def loss(x, t):
        return np.mean(np.logaddexp(0, x) - t * x), wrong(x, sigmoid(x), t) / x.size

    one(f"binary cross-entropy of logits: {name}", causes, loss, logits)


logit("no sigmoid", "softmax_missing", lambda x, p, t: x - t)
logit("derivative of sigmoid again", "derivative_twice", lambda x, p, t: (p - t) * p * (1 - p))
logit("formula of probabilities", "probability_for_logits", lambda x, p, t: (p - t) / (p * (1 - p)))
one("mae: error for sign", "derivative_missing", lambda p, t: (np.abs(p - t).mean(), (p - t) / p.size), real)


def huber(p, t):
    e = p - t
    return np.where(np.abs(e) < 1, e * e / 2, np.abs(e) - 0.5).sum(), e


def wide(rng):
    return [rng.normal(size=(5, 4)) * 2, rng.normal(size=(5, 4))]


def hinge(p, t):
    return np.maximum(0, 1 - t * p).mean(), -t / t.size


one("huber: no clipping", "region", huber, wide)
one("hinge: no margin", "region", hinge, lambda r: [r.normal(size=12) * 2, r.choice([-1.0, 1.0], 12)])


def penalised(x, W, t):
    e = x @ W - t
    return e, (np.sum(e * e) / len(x) + 0.3 * np.sum(W * W))


def l2(name: str, causes: str, term: Any) -> None:
    def loss(x, W, t):
        e, value = penalised(x, W, t)
        d = 2 * e / len(x)
        return value, {"x": d @ W.T, "W": x.T @ d + term(W), "t": -d}

    one(f"L2: {name}", causes, loss, lambda r: [r.normal(size=(5, 4)), r.normal(size=(4, 3)), r.normal(size=(5, 3))])


l2("missing", "l2_missing", lambda W: 0)
l2("factor 2", "l2_factor", lambda W: 0.3 * W)
l2("sign", "l2_sign", lambda W: -0.6 * W)


def net(x, W1, b1, W2, b2, t):
    h = np.tanh(x @ W1 + b1)
    value, (p, hot) = ce_forward(h @ W2 + b2, t)
    return value, (x, W1, h, W2, p, hot)


def net_inputs(rng):
    return [
        rng.normal(size=(5, 4)),
        rng.normal(size=(4, 3)),
        rng.normal(size=3),
        rng.normal(size=(3, 3)),
        rng.normal(size=3),
        rng.integers(0, 3, 5),
    ]


def two_layers(name: str, causes: str, delta: Any, hidden: Any) -> None:
    def backward(g, cache):
        x, W1, h, W2, p, hot = cache
        d = g * delta(p, hot) / len(x)
        dh = hidden(d, W2, h)
        return {"x": dh @ W1.T, "W1": x.T @ dh, "b1": dh.sum(0), "W2": h.T @ d, "b2": d.sum(0)}

    pair(f"net: {name}", causes, net, backward, net_inputs)


two_layers("no derivative of tanh", "derivative_missing", lambda p, t: p - t, lambda d, W, h: d @ W.T)
two_layers("W2 not transposed", "weight_not_transposed", lambda p, t: p - t, lambda d, W, h: d @ W * (1 - h * h))
two_layers("no target", "target_missing", lambda p, t: p, lambda d, W, h: d @ W.T * (1 - h * h))
two_layers("no 1/N", "batch_mean_missing", lambda p, t: 5 * (p - t), lambda d, W, h: d @ W.T * (1 - h * h))

# ---- convolution (NHWC by loops) ----


def pictures(rng):
    return [rng.normal(size=(2, 5, 6, 2)), rng.normal(size=(3, 3, 2, 2)), rng.normal(size=2)]


def conv(name: str, causes: str, slip: str, stride: int = 1, pad: int = 0) -> None:
    pair(
        f"conv: {name}",
        causes,
        lambda x, w, b: conv_forward(x, w, b, stride, pad),
        lambda g, c: conv_backward(g, c, slip),
        pictures,
    )


conv("kernel flipped in dx", "kernel_flipped", "dx flipped")
conv("kernel flipped in dw", "kernel_flipped reversed", "dw flipped")
conv("channels mixed", "channels_mixed", "channels")
conv("padding uncropped", "padding_uncropped", "uncropped", 1, 1)
conv("padding cropped at one end", "padding_uncropped", "crop end", 1, 1)
conv("stride ignored in dx", "stride_ignored", "dx stride", 2, 1)
conv("stride ignored in dw", "stride_ignored", "dw stride", 2, 1)
conv("= for += in dx", "window_overwritten", "dx =")
conv("= for += in dw", "overwritten", "dw =")
conv("bias over the batch alone", "bias_axes not_summed", "db batch")
conv("bias mean", "mean_for_sum", "db mean")
conv("dw mean over the batch", "mean_for_sum", "dw mean")
conv("dx sign", "sign", "dx sign")


def first_forward(x, w, b):
    """im2col, channels first."""
    columns = im2col(x, w.shape[2], w.shape[3])
    n, _, h, wd = x.shape
    y = columns @ w.reshape(len(w), -1).T + b
    return y.reshape(n, h - w.shape[2] + 1, wd - w.shape[3] + 1, -1).transpose(0, 3, 1, 2), (columns, w)


def first_inputs(rng):
    return [rng.normal(size=(2, 2, 5, 4)), rng.normal(size=(3, 2, 3, 2)), rng.normal(size=3)]


def first_backward(slip: str) -> Any:
    def backward(g, cache):
        columns, w = cache
        flat = g.transpose(0, 2, 3, 1).reshape(-1, len(w))
        dw = (flat.T @ columns).reshape(w.shape)
        dw = dw[:, :, ::-1, ::-1] if slip == "flip" else dw
        db = flat.sum(0) if slip != "db" else g.sum((0, 2))
        return {"w": dw, "b": db, "x": col2im(flat @ w.reshape(len(w), -1), g, w, slip == "=")}

    return backward


def col2im(pieces, g, w, assign):
    n, _, h, wd = g.shape
    kh, kw = w.shape[2:]
    out = np.zeros((n, w.shape[1], h + kh - 1, wd + kw - 1))
    pieces = pieces.reshape(n, h, wd, w.shape[1], kh, kw)
    for i in range(h):
        for j in range(wd):
            if assign:
                out[:, :, i : i + kh, j : j + kw] = pieces[:, i, j]
            else:
                out[:, :, i : i + kh, j : j + kw] += pieces[:, i, j]
    return out


pair("conv first: flipped", "kernel_flipped", first_forward, first_backward("flip"), first_inputs)
pair("conv first: = in col2im", "window_overwritten", first_forward, first_backward("="), first_inputs)
pair("conv first: bias axes", "bias_axes", first_forward, first_backward("db"), first_inputs)

# ---- pooling ----


def pooled(rng):
    return [rng.permutation(2 * 5 * 5 * 2).reshape(2, 5, 5, 2) / 25.0 - 2]


def maxpool(name: str, causes: str, slip: str, size: int = 2, stride: int = 2) -> None:
    pair(
        f"max pool: {name}",
        causes,
        lambda x: maxpool_forward(x, size, stride),
        lambda g, c: maxpool_backward(g, c, slip),
        pooled,
    )


maxpool("all equal entries", "max_all_equal", "equal")
maxpool("spread", "max_spread", "spread")
maxpool("minimum", "min_for_max", "min")
maxpool("= where windows overlap", "window_overwritten", "=", 3, 1)
maxpool("first of the window", "first_of_window", "first")
maxpool("stride is the size", "stride_ignored", "stride", 3, 2)
maxpool("over channels", "argmax_over_channels", "channels")


def avg_backward(wrong: Any, add: bool = True) -> Any:
    def backward(g, cache):
        x, size, stride = cache
        out = np.zeros_like(x)
        for i in range(g.shape[1]):
            for j in range(g.shape[2]):
                piece = wrong(g[:, i, j][:, None, None, :] * np.ones((1, size, size, 1)), size)
                window = (slice(None), slice(i * stride, i * stride + size), slice(j * stride, j * stride + size))
                out[window] = out[window] * add + piece
        return out

    return backward


def avgpool(name: str, causes: str, wrong: Any, size: int = 2, stride: int = 2, add: bool = True) -> None:
    pair(f"average pool: {name}", causes, lambda x: avgpool_forward(x, size, stride), avg_backward(wrong, add), pooled)


avgpool("not divided", "window_size", lambda piece, k: piece)
avgpool("divided by the side", "window_size_wrong factor_two", lambda piece, k: piece / k)
avgpool("= where windows overlap", "window_overwritten", lambda piece, k: piece / k**2, 3, 1, False)

# ---- normalisation and dropout ----


def bn_inputs(rng):
    return [rng.normal(size=(6, 4)) * 2 + 1, rng.uniform(0.5, 2, 4), rng.normal(size=4)]


def bn(name: str, causes: str, dx: Any, dgamma: Any = None, dbeta: Any = None) -> None:
    def backward(g, cache):
        x, xhat, std, gamma = cache
        a = dgamma(g, x, xhat) if dgamma else (g * xhat).sum(0)
        b = dbeta(g) if dbeta else g.sum(0)
        return dx(g * gamma, x, xhat, std, g, gamma), a, b

    pair(f"batch norm: {name}", causes, bn_forward, backward, bn_inputs)


def bn_right(d, x, xhat, std, g, gamma):
    return (d - d.mean(0) - xhat * (d * xhat).mean(0)) / std


bn("statistics constant", "statistics_constant", lambda d, x, xhat, std, g, gamma: d / std)
bn("no mean term", "mean_term", lambda d, x, xhat, std, g, gamma: (d - xhat * (d * xhat).mean(0)) / std)
bn("no variance term", "variance_term", lambda d, x, xhat, std, g, gamma: (d - d.mean(0)) / std)
bn("no gamma", "gamma_missing", lambda d, x, xhat, std, g, gamma: bn_right(g, x, xhat, std, g, gamma))
bn("sum for mean", "term_factor", lambda d, x, xhat, std, g, gamma: (d - d.sum(0) - xhat * (d * xhat).mean(0)) / std)
bn("sign of a term", "term_sign", lambda d, x, xhat, std, g, gamma: (d - d.mean(0) + xhat * (d * xhat).mean(0)) / std)
bn("not divided", "centered_raw", lambda d, x, xhat, std, g, gamma: bn_right(d, x, xhat, 1, g, gamma))
bn("dgamma with x", "gamma_raw", bn_right, lambda g, x, xhat: (g * x).sum(0))
bn("dgamma mean", "mean_for_sum", bn_right, lambda g, x, xhat: (g * xhat).mean(0))
bn("dbeta not summed", "not_summed", bn_right, None, lambda g: g)
bn("dbeta mean", "mean_for_sum", bn_right, None, lambda g: g.mean(0))


def _ddof(d, x, xhat, std, g, gamma):
    n = len(x)
    return (d - d.mean(0) - xhat * (d * xhat).sum(0) / (n - 1)) / std


def _no_epsilon(d, x, xhat, std, g, gamma):
    s = x.std(0)
    h = (x - x.mean(0)) / s
    return (d - d.mean(0) - h * (d * h).mean(0)) / s


bn("N - 1", "ddof", _ddof)
bn("no epsilon", "epsilon", _no_epsilon)
pair(
    "layer norm: over the batch",
    "statistics_axis",
    ln_forward,
    lambda g, c: (
        (g * c[2] - (g * c[2]).mean(0) - c[0] * (g * c[2] * c[0]).mean(0)) / c[1],
        (g * c[0]).sum(0),
        g.sum(0),
    ),
    bn_inputs,
)


def drop(x):
    mask = (np.random.rand(*x.shape) < 0.6) / 0.6
    return x * mask, mask


def big(rng):
    return [rng.normal(size=(5, 6))]


pair("dropout: no scale", "dropout_scale", drop, lambda g, m: g * (m > 0), big)
pair("dropout: scale twice", "dropout_scale_twice", drop, lambda g, m: g * m / 0.6, big)
pair("dropout: no mask", "dropout_mask", drop, lambda g, m: g, big)
pair("dropout: inverted", "dropout_inverted", drop, lambda g, m: g * (m == 0), big)
pair(
    "dropout: other mask",
    "dropout_other_mask",
    drop,
    lambda g, m: g * np.random.permutation(m.ravel()).reshape(m.shape),
    big,
)

# ---- objects that keep a cache ----


class Dense:
    def __init__(self, rng):
        self.W, self.b = rng.normal(size=(4, 3)), rng.normal(size=3)
        self.dW, self.db = np.zeros((4, 3)), np.zeros(3)

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, g):
        self.dW = self.x.T @ g
        self.db = g.sum(axis=0)
        return g @ self.W.T


class Accumulating(Dense):
    def backward(self, g):
        self.dW += self.x.T @ g
        self.db += g.sum(axis=0)
        return g @ self.W.T


class FirstCache(Dense):
    x = None

    def forward(self, x):
        if self.x is None:
            self.x = x
        return x @ self.W + self.b


class MeanBias(Dense):
    def backward(self, g):
        dx = super().backward(g)
        self.db = g.mean(axis=0)
        return dx


class NoBias(Dense):
    def backward(self, g):
        self.dW = self.x.T @ g
        return g @ self.W.T


class Writing(Dense):
    def backward(self, g):
        dx = super().backward(g)
        self.W *= 0.5
        return dx


class WritingInput:
    def forward(self, x):
        x[x < 0] = 0
        self.mask = x > 0
        return x

    def backward(self, g):
        return g * self.mask


class Tables:
    """params and grads as dictionaries."""

    def __init__(self, rng):
        self.params = {"W1": rng.normal(size=(4, 3)), "b1": rng.normal(size=3)}
        self.grads = {}

    def forward(self, x):
        self.cache = x
        return np.tanh(x @ self.params["W1"] + self.params["b1"])

    def backward(self, g):
        self.grads["W1"] = self.cache.T @ g
        self.grads["b1"] = g.sum(axis=0)
        return g @ self.params["W1"].T


def x54(rng):
    return rng.normal(size=(5, 4))


layer("layer: gradients added up", "accumulated", Accumulating, x54)
layer("layer: first cache kept", "stale", FirstCache, x54)
layer("layer: mean of the bias", "mean_for_sum", MeanBias, x54)
layer("layer: bias forgotten", "lost", NoBias, x54)
layer("layer: backward writes weights", "cache_written", Writing, x54)
layer("layer: forward writes its input", "input_written", lambda rng: WritingInput(), x54)
layer("layer: no derivative", "derivative_missing", Tables, x54)

SHARED: dict[str, Any] = {}


def shared_forward(x):
    SHARED["x"] = x
    return x**2, SHARED


pair("pair: shared cache", "shared_cache", shared_forward, lambda g, c: 2 * g * c["x"], x54_list := lambda r: [x54(r)])
