"""Right gradients in other styles than ours; a check must pass every one of them."""

from collections.abc import Callable
from typing import Any

import numpy as np

from minidl.checking import diagnose
from tests.checking.course import (
    avgpool_forward,
    bn_forward,
    ce_forward,
    conv_backward,
    conv_forward,
    ln_forward,
    maxpool_backward,
    maxpool_forward,
    sigmoid,
    softmax,
)
from tests.checking.faults import (
    Dense,
    affine,
    avg_backward,
    bn_inputs,
    bn_right,
    col2im,
    first_forward,
    first_inputs,
    net,
    net_inputs,
    pictures,
    pooled,
    scores,
    x54,
    xs,
    xwb,
)

__all__ = ["CORRECT"]

CORRECT: dict[str, Callable[[int], Any]] = {}


def fine(name: str, f: Any, inputs: Any, backward: Any = None, **arguments: Any) -> None:
    """A right gradient; ``f`` may be a class, made from the random generator."""

    def check(seed: int) -> Any:
        rng = np.random.default_rng(seed)
        subject = f(rng) if isinstance(f, type) else f
        made = inputs(rng) if callable(inputs) else inputs
        return diagnose(subject, made, backward=backward, seed=seed, language="en", **arguments)

    CORRECT[name] = check


def single(x):
    return np.asarray(x, "float32")


# ---- float32 inside ----
fine(
    "dense, float32",
    lambda x, W, b: (single(x) @ single(W) + single(b), (single(x), single(W))),
    xwb,
    lambda g, c: (single(g) @ c[1].T, c[0].T @ single(g), single(g).sum(0)),
)
fine(
    "dense, float32 in backward alone",
    affine,
    xwb,
    lambda g, c: (single(g) @ single(c[1]).T, single(c[0]).T @ single(g), single(g).sum(0)),
)
fine("sigmoid, float32", lambda x: (sigmoid(single(x)),) * 2, xs, lambda g, y: single(g) * y * (1 - y))
fine("tanh, float32 then float64", lambda x: (np.tanh(x), np.tanh(single(x))), xs, lambda g, y: (g * (1 - y * y),))
fine(
    "softmax, float32",
    lambda x: (softmax(single(x)),) * 2,
    xs,
    lambda g, y: single(y * (g - (g * y).sum(-1, keepdims=True))),
)

# ---- ties ----
fine("relu, 1 at 0", lambda x: (np.maximum(x, 0), x >= 0), xs, lambda g, m: g * m)
fine("relu, a half at 0", lambda x: (np.maximum(x, 0), x), xs, lambda g, x: g * np.heaviside(x, 0.5))
fine("relu, by its output", lambda x: (np.maximum(x, 0),) * 2, xs, lambda g, y: np.where(y > 0, g, 0))
fine("abs, sign", lambda x: (np.abs(x), np.sign(x)), xs, lambda g, s: g * s)
fine("leaky, maximum", lambda x: (np.maximum(x, 0.2 * x), x), xs, lambda g, x: np.where(x >= 0, g, 0.2 * g))
fine("max pool, first of the ties", lambda x: maxpool_forward(x, 2, 2), pooled, maxpool_backward)
fine("max pool, shared ties", lambda x: maxpool_forward(x, 2, 2), pooled, lambda g, c: maxpool_backward(g, c, "split"))
fine("max pool, overlapping", lambda x: maxpool_forward(x, 3, 2), pooled, maxpool_backward)
fine(
    "max pool, all ties",
    lambda x: maxpool_forward(x, 2, 1),
    lambda r: [r.integers(0, 2, (2, 4, 4, 2)) / 2.0],
    lambda g, c: maxpool_backward(g, c, "split"),
)


# ---- in-place arithmetic on buffers of one's own ----
def inplace_relu(g, x):
    g = g.copy()
    g[x <= 0] = 0
    return g


def inplace_ce(x, labels):
    value, (p, _) = ce_forward(x, labels)
    p[np.arange(len(x)), labels] -= 1
    p /= len(x)
    return value, p


def buffered_bn(g, cache):
    x, xhat, std, gamma = cache
    d = g * gamma
    out = d - d.mean(0)
    out -= xhat * (d * xhat).mean(0)
    out /= std
    return out, np.einsum("nd,nd->d", g, xhat), np.ones(len(g)) @ g


fine("relu, in place", lambda x: (np.maximum(x, 0), x), xs, inplace_relu)
fine("cross-entropy, in place", inplace_ce, scores)
fine("cross-entropy, a dictionary", lambda x, t: (inplace_ce(x, t)[0], {"x": inplace_ce(x, t)[1]}), scores)
fine("batch norm, in place", bn_forward, bn_inputs, buffered_bn)

# ---- other ways to write it ----
fine(
    "dense, einsum",
    affine,
    xwb,
    lambda g, c: (np.einsum("no,io->ni", g, c[1]), np.einsum("ni,no->io", c[0], g), np.einsum("no->o", g)),
)
fine(
    "dense, loops",
    affine,
    xwb,
    lambda g, c: (
        np.array([c[1] @ row for row in g]),
        sum(np.outer(a, b) for a, b in zip(c[0], g, strict=True)),
        sum(g),
    ),
)
fine("dense, keepdims", affine, xwb, lambda g, c: (g @ c[1].T, c[0].T @ g, g.sum(0, keepdims=True)))
fine("dense, a dictionary", affine, xwb, lambda g, c: {"db": g.sum(0), "dW": c[0].T @ g, "dx": g @ c[1].T})
fine("dense, a list", affine, xwb, lambda g, c: [g @ c[1].T, np.dot(c[0].T, g), np.sum(g, axis=0)])
fine(
    "dense, weights (out, in)",
    lambda x, W: (x @ W.T, (x, W)),
    lambda r: [r.normal(size=(5, 4)), r.normal(size=(3, 4))],
    lambda g, c: (g @ c[1], g.T @ c[0]),
)
fine(
    "dense, one sample",
    affine,
    lambda r: [r.normal(size=(1, 4)), r.normal(size=(4, 3)), r.normal(size=3)],
    lambda g, c: (g @ c[1].T, c[0].T @ g, g.sum(0)),
)
fine(
    "dense, a maker",
    affine,
    lambda r: lambda rng, n: [rng.normal(size=(n, 4)), rng.normal(size=(4, 3)), np.zeros(3)],
    lambda g, c: (g @ c[1].T, c[0].T @ g, g.sum(0)),
)
fine(
    "softmax, by Jacobians",
    lambda x: (softmax(x),) * 2,
    xs,
    lambda g, s: np.array([(np.diag(p) - np.outer(p, p)) @ row for p, row in zip(s, g, strict=True)]),
)
fine("sigmoid, 1 / (1 + exp(-x))", lambda x: (1 / (1 + np.exp(-x)),) * 2, xs, lambda g, y: g * y * (1 - y))
fine(
    "sigmoid, e / (1 + e)^2",
    lambda x: (sigmoid(x), x),
    xs,
    lambda g, x: g * np.exp(-np.abs(x)) / (1 + np.exp(-np.abs(x))) ** 2,
)
fine(
    "elu, expm1",
    lambda x: (np.where(x > 0, x, np.expm1(np.minimum(x, 0))), x),
    xs,
    lambda g, x: g * np.where(x > 0, 1, np.exp(np.minimum(x, 0))),
)
fine(
    "log softmax",
    lambda x: (
        x - x.max(-1, keepdims=True) - np.log(np.exp(x - x.max(-1, keepdims=True)).sum(-1, keepdims=True)),
        softmax(x),
    ),
    xs,
    lambda g, s: g - s * g.sum(-1, keepdims=True),
)
fine(
    "mse, sum over the batch",
    lambda p, t: (0.5 * np.sum((p - t) ** 2), (p - t, t - p)),
    lambda r: [r.normal(size=(4, 3)), r.normal(size=(4, 3))],
)
fine("conv, loops", lambda x, w, b: conv_forward(x, w, b, 2, 1), pictures, conv_backward)
fine(
    "conv, channels first, im2col",
    first_forward,
    first_inputs,
    lambda g, c: {
        "x": col2im(g.transpose(0, 2, 3, 1).reshape(-1, len(c[1])) @ c[1].reshape(len(c[1]), -1), g, c[1], False),
        "w": (g.transpose(0, 2, 3, 1).reshape(-1, len(c[1])).T @ c[0]).reshape(c[1].shape),
        "b": g.sum((0, 2, 3)),
    },
)
fine(
    "average pool, overlapping", lambda x: avgpool_forward(x, 3, 1), pooled, avg_backward(lambda piece, k: piece / k**2)
)
fine(
    "global average pool",
    lambda x: (x.mean((1, 2)), x.shape),
    pooled,
    lambda g, s: np.broadcast_to(g[:, None, None] / (s[1] * s[2]), s),
)
fine(
    "batch norm, N times",
    bn_forward,
    bn_inputs,
    lambda g, c: (
        c[3] / (len(g) * c[2]) * (len(g) * g - g.sum(0) - c[1] * (g * c[1]).sum(0)),
        (g * c[1]).sum(0),
        g.sum(0),
    ),
)
fine(
    "layer norm",
    ln_forward,
    bn_inputs,
    lambda g, c: (
        (g * c[2] - (g * c[2]).mean(1, keepdims=True) - c[0] * (g * c[2] * c[0]).mean(1, keepdims=True)) / c[1],
        (g * c[0]).sum(0),
        g.sum(0),
    ),
)


def whole_net(g, cache):
    x, W1, h, W2, p, hot = cache
    d = g * (p - hot) / len(x)
    dh = d @ W2.T * (1 - h**2)
    return dh @ W1.T, x.T @ dh, dh.sum(0), h.T @ d, d.sum(0)


fine("a net of two layers", net, net_inputs, whole_net)


# ---- objects ----
class Tables:
    """params and grads as dictionaries."""

    def __init__(self, rng):
        self.params = {"W1": rng.normal(size=(4, 3)), "b1": rng.normal(size=3)}
        self.grads = {}

    def forward(self, x):
        self.x = x
        self.y = np.tanh(x @ self.params["W1"] + self.params["b1"])
        return self.y

    def backward(self, g):
        g = g * (1 - self.y**2)
        self.grads = {"W1": self.x.T @ g, "b1": g.sum(axis=0)}
        return g @ self.params["W1"].T


class Lists:
    """params and grads as lists, gradients written in place."""

    def __init__(self, rng):
        self.params = [rng.normal(size=(4, 3)), rng.normal(size=3)]
        self.grads = [np.zeros_like(p) for p in self.params]

    def forward(self, x):
        W, b = self.params
        self.x = x
        return np.dot(x, W) + b

    def backward(self, dout):
        self.grads[0][...] = np.dot(self.x.T, dout)
        self.grads[1][...] = dout.sum(axis=0)
        return np.dot(dout, self.params[0].T)


class Clearing(Dense):
    """Gradients are added up until they are cleared, as in PyTorch."""

    def backward(self, g):
        self.dW += self.x.T @ g
        self.db += g.sum(0)
        return g @ self.W.T

    def zero_grad(self):
        self.dW, self.db = np.zeros_like(self.W), np.zeros_like(self.b)


class Dinputs:
    """weights, dweights, dinputs; nothing is returned."""

    def __init__(self, rng):
        self.weights, self.biases = 0.1 * rng.normal(size=(4, 3)), np.zeros((1, 3))

    def forward(self, inputs):
        self.inputs = inputs
        self.output = np.dot(inputs, self.weights) + self.biases

    def backward(self, dvalues):
        self.dweights = np.dot(self.inputs.T, dvalues)
        self.dbiases = np.sum(dvalues, axis=0, keepdims=True)
        self.dinputs = np.dot(dvalues, self.weights.T)


class SoftmaxWithLoss:
    def __init__(self, rng):
        pass

    def forward(self, x, t):
        value, (self.y, self.t) = ce_forward(x, t)
        return value

    def backward(self, dout=1):
        return (self.y - self.t) * (dout / len(self.y))


class BatchNorm:
    def __init__(self, rng):
        self.gamma, self.beta = rng.uniform(0.5, 2, 4), np.zeros(4)
        self.mean, self.var = np.zeros(4), np.ones(4)

    def forward(self, x, training=True):
        self.training = training
        if not training:
            self.std = np.sqrt(self.var + 1e-3)
            self.xhat = (x - self.mean) / self.std
            return self.gamma * self.xhat + self.beta
        self.mean = 0.9 * self.mean + 0.1 * x.mean(0)
        self.var = 0.9 * self.var + 0.1 * x.var(0)
        y, (_, self.xhat, self.std, _) = bn_forward(x, self.gamma, self.beta, 1e-3)
        return y

    def backward(self, g):
        self.dgamma, self.dbeta = (g * self.xhat).sum(0), g.sum(0)
        d = g * self.gamma
        return bn_right(d, None, self.xhat, self.std, g, self.gamma) if self.training else d / self.std


class Dropout:
    def __init__(self, rng):
        self.rng = np.random.default_rng(3)

    def forward(self, x, train_flg=True):
        self.mask = (self.rng.random(x.shape) > 0.3) / 0.7 if train_flg else 1.0
        return x * self.mask

    def backward(self, g):
        return g * self.mask


class TwoLayers:
    def __init__(self, rng):
        self.layers = [Tables(rng), Lists.__new__(Lists)]
        self.layers[1].params = [rng.normal(size=(3, 2)), np.zeros(2)]
        self.layers[1].grads = [np.zeros((3, 2)), np.zeros(2)]

    def forward(self, x):
        for part in self.layers:
            x = part.forward(x)
        return x

    def backward(self, g):
        for part in reversed(self.layers):
            g = part.backward(g)
        return g


fine("object, dW and db", Dense, x54)
fine("object, dictionaries", Tables, x54)
fine("object, lists", Lists, x54)
fine("object, zero_grad", Clearing, x54)
fine("object, dinputs", Dinputs, x54)
fine("object, loss with dout=1", SoftmaxWithLoss, scores)
fine("object, batch norm in both phases", BatchNorm, x54)
fine("object, dropout in both phases", Dropout, x54)
fine("object, a net", TwoLayers, x54)
