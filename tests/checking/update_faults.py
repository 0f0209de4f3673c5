"""Planted faults in optimizers, training loops, freezing and initial weights; and right ones of several styles."""

from typing import Any

import numpy as np

from minidl.checking import diagnose_initializer, diagnose_training, diagnose_update
from tests.checking.faults import Fault

__all__ = ["CORRECT", "FAULTS"]

FAULTS: list[Fault] = []
CORRECT: list[Fault] = []


def update(name: str, cause: str, rule: str, make: Any, **settings: float) -> None:
    def check(seed: int) -> Any:
        return diagnose_update(make(), rule, seed=seed, language="en", **settings)

    (FAULTS if cause else CORRECT).append(Fault(name, tuple(cause.split()), check))


class Optimizer:
    """One rule for each name; ``rule(self, name, w, g)`` gives the new w."""

    def __init__(self, rule: Any, shared: bool = False):
        self.rule, self.s, self.t, self.shared = rule, {}, 0, shared

    def get(self, key, name, w):
        return self.s.setdefault((key, "all" if self.shared else name), np.zeros_like(w))

    def put(self, key, name, value):
        self.s[(key, "all" if self.shared else name)] = value

    def update(self, params, grads):
        self.t += 1
        for name in params:
            params[name][...] = self.rule(self, name, params[name], grads[name])


def momentum(slip: str = "") -> Any:
    def rule(o, name, w, g):
        v = o.get("v", name, w)
        rate = 1 if slip == "no lr" else 0.01
        new = 0.9 * v - rate * g * (0.1 if slip == "weigh" else 1)
        if slip == "reset":
            new = -rate * g
        o.put("v", name, new)
        return w + (v if slip == "order" else -new if slip == "sign" else new)

    return lambda: Optimizer(rule, slip == "shared")


def adam(slip: str = "", decay: float = 0.0) -> Any:
    def rule(o, name, w, g):
        lr, b1, b2, eps, t = 0.01, 0.9, 0.999, 1e-8, o.t
        if slip == "coupled":
            g = g + decay * w
        if slip == "swapped":
            b1, b2 = b2, b1
        m = b1 * o.get("m", name, w) + (1 if slip == "weights" else 1 - b1) * g
        v = b2 * o.get("v", name, w) + (1 if slip == "weights" else 1 - b2) * (g if slip == "no square" else g * g)
        o.put("m", name, m)
        o.put("v", name, v)
        t = {"late": t + 1, "stuck": 1}.get(slip, t)
        mh = m if slip in ("none", "no first") else m / (1 - b1**t)
        vh = v if slip in ("none", "no second") else v / (1 - b2**t)
        root = {"inside": np.sqrt(vh + eps), "no eps": np.sqrt(vh), "no root": vh + eps}.get(
            slip, np.sqrt(np.abs(vh)) + eps
        )
        new = w - lr * mh / root if slip != "sign" else w + lr * mh / root
        return new if slip in ("coupled", "no decay") else new - (-1 if slip == "decay sign" else 1) * lr * decay * w

    return lambda: Optimizer(rule, slip == "shared")


def adaptive(kind: str, slip: str = "") -> Any:
    def rule(o, name, w, g):
        a = o.get("a", name, w)
        square = g if slip == "no square" else g * g
        if kind == "adagrad":
            a = square if slip == "=" else a + square
        else:
            a = 0.9 * a + (1 if slip == "weights" else 0.1) * square
            a = 0.1 * o.get("a", name, w) + 0.9 * square if slip == "swapped" else a
        o.put("a", name, a)
        low = a + 1e-7 if slip == "no root" else np.sqrt(a + 1e-7) if slip == "inside" else np.sqrt(np.abs(a)) + 1e-7
        return w - 0.01 * g / low

    return lambda: Optimizer(rule)


update("sgd: uphill", "ascent", "sgd", lambda: lambda w, g: w + 0.01 * g)
update("sgd: no learning rate", "learning_rate_missing", "sgd", lambda: lambda w, g: w - g)
update("sgd: learning rate twice", "learning_rate_twice", "sgd", lambda: lambda w, g: w - 0.01 * 0.01 * g)
update("sgd: nothing", "not_updated", "sgd", lambda: lambda w, g: w)
update("sgd: sign of decay", "decay_sign", "sgd", lambda: lambda w, g: w - 0.01 * (g - 0.1 * w), weight_decay=0.1)
update("sgd: no decay", "decay_missing", "sgd", lambda: lambda w, g: w - 0.01 * g, weight_decay=0.1)
for slip, cause in (
    ("order", "momentum_order"),
    ("no lr", "learning_rate_missing"),
    ("weigh", "average_weights"),
    ("sign", "ascent"),
    ("reset", "momentum_missing state_reset"),
    ("shared", "state_shared"),
):
    update(f"momentum: {slip}", cause, "momentum", momentum(slip))
for slip, cause in (
    ("none", "bias_correction"),
    ("no first", "bias_correction_first"),
    ("no second", "bias_correction_second"),
    ("late", "clock_late"),
    ("stuck", "clock_stuck"),
    ("inside", "epsilon_inside"),
    ("no eps", "epsilon_missing"),
    ("no root", "root_missing"),
    ("no square", "square_missing"),
    ("swapped", "betas_swapped"),
    ("weights", "average_weights"),
    ("sign", "ascent"),
    ("shared", "state_shared"),
):
    update(f"adam: {slip}", cause, "adam", adam(slip))
update("adamw: decay in the moments", "decay_coupled", "adamw", adam("coupled", 0.1), weight_decay=0.1)
update("adamw: no decay", "decay_missing", "adamw", adam("no decay", 0.1), weight_decay=0.1)
update("adamw: sign of decay", "decay_sign", "adamw", adam("decay sign", 0.1), weight_decay=0.1)
for slip, cause in (("=", "sum_overwritten"), ("no root", "root_missing"), ("inside", "epsilon_inside")):
    update(f"adagrad: {slip}", cause, "adagrad", adaptive("adagrad", slip))
for slip, cause in (
    ("weights", "average_weights"),
    ("swapped", "average_swapped"),
    ("no square", "square_missing"),
    ("inside", "epsilon_inside"),
):
    update(f"rmsprop: {slip}", cause, "rmsprop", adaptive("rmsprop", slip))


def functional(w, dw, config=None):
    """The style of functions with a dictionary of state."""
    config = config or {"v": np.zeros_like(w)}
    config["v"] = 0.9 * config["v"] + dw
    return w - 0.01 * config["v"], config


def keras_adam(w, dw, config=None):
    config = config or {"m": 0, "v": 0, "t": 0}
    config["t"] += 1
    config["m"] = config["m"] + (dw - config["m"]) * 0.1
    config["v"] = config["v"] + (dw * dw - config["v"]) * 0.001
    rate = 0.01 * np.sqrt(1 - 0.999 ** config["t"]) / (1 - 0.9 ** config["t"])
    return w - rate * config["m"] / (np.sqrt(config["v"]) + 1e-8), config


update("momentum, the velocity without the rate", "", "momentum", lambda: functional)
update("momentum, of an object", "", "momentum", momentum())
update("adam, as in the paper", "", "adam", adam())
update("adam, as in Keras", "", "adam", lambda: keras_adam)
update("adamw", "", "adamw", adam("", 0.1), weight_decay=0.1)
update("adagrad", "", "adagrad", adaptive("adagrad"))
update("rmsprop", "", "rmsprop", adaptive("rmsprop"))
update("sgd", "", "sgd", lambda: lambda w, g: w - 0.01 * g)

# ---- training loops: linear regression in two factors ----


def loss(params, x, t):
    gap = np.tanh(x @ params["A"]) @ params["B"] - t
    return float((gap * gap).sum() / gap.size)


def grads_of(params, x, t):
    h = np.tanh(x @ params["A"])
    d = 2 * (h @ params["B"] - t) / t.size
    return {"A": x.T @ (d @ params["B"].T * (1 - h * h)), "B": h.T @ d}


def training(name: str, cause: str, train: Any, **options: Any) -> None:
    def check(seed: int) -> Any:
        rng = np.random.default_rng(seed)
        params = {"A": rng.normal(size=(3, 2)), "B": rng.normal(size=(2, 2))}
        batches = [(rng.normal(size=(n, 3)), rng.normal(size=(n, 2))) for n in (4, 4, 3)]
        return diagnose_training(train, loss, params, batches, language="en", epochs=2, **options)

    (FAULTS if cause else CORRECT).append(Fault(f"loop: {name}", tuple(cause.split()), check))


def loop(slip: str = "", free: tuple[str, ...] = ("A", "B")) -> Any:
    def train(params, batches, lr):
        start = {name: p.copy() for name, p in params.items()}
        for k, (x, t) in enumerate(batches):
            if slip == "last batch" and len(x) < len(batches[0][0]):
                continue
            if slip == "first batch":
                x, t = batches[0]
            if slip == "shuffled":
                t = np.roll(t, 1, axis=0)
            if slip == "one" and k:
                break
            if slip == "sequential":
                for name in ("A", "B"):
                    params[name] -= lr * grads_of(params, x, t)[name]
                continue
            grads = grads_of(start if slip == "start" else params, x, t)
            for name in free:
                step = {"sign": -lr, "divided": lr / len(x), "twice": lr * lr, "none": 1.0}.get(slip, lr)
                params[name] -= step * grads[name]

    return train


def kept_train(params, batches, lr):
    if not hasattr(kept_train, "total") or kept_train.calls >= 2:
        kept_train.total, kept_train.calls = {}, 0
    kept_train.calls += 1
    for x, t in batches:
        grads = grads_of(params, x, t)
        for name, g in grads.items():
            kept_train.total[name] = kept_train.total.get(name, 0) + g
        for name in params:
            params[name] -= lr * kept_train.total[name]


for slip, cause in (
    ("last batch", "last_batch_lost"),
    ("first batch", "first_batch_only"),
    ("shuffled", "targets_shifted"),
    ("one", "one_update"),
    ("sequential", "sequential_update"),
    ("start", "gradient_fixed"),
    ("sign", "ascent"),
    ("divided", "batch_divided"),
    ("twice", "learning_rate_twice"),
    ("none", "learning_rate_missing"),
):
    training(slip, cause, loop(slip))
training("gradients kept", "gradients_kept", kept_train)
training("nothing trains", "not_updated", loop("", ()))
training("plain", "", loop())
training("another dictionary comes back", "", lambda p, b, lr: _copying(p, b, lr))


def _copying(params, batches, lr):
    for x, t in batches:
        grads = grads_of(params, x, t)
        params = {name: params[name] - lr * grads[name] for name in params}
    return params


training("frozen ones move", "frozen_updated", loop(), frozen=("B",))
training("nothing below moves", "below_frozen frozen_all", loop("", ()), frozen=("B",), below=("A",))
training("all frozen", "frozen_all", loop("", ()), frozen=("A",))
training("the wrong ones frozen", "frozen_inverted", loop("", ("B",)), frozen=("B",))
training("frozen", "", loop("", ("A",)), frozen=("B",), below=("A",))


# ---- initial weights ----


def initial(name: str, cause: str, make: Any, rule: str, shape: tuple[int, ...] = (300, 100)) -> None:
    def check(seed: int) -> Any:
        return diagnose_initializer(make, rule, shape, seed=seed, language="en")

    (FAULTS if cause else CORRECT).append(Fault(f"init: {name}", tuple(cause.split()), check))


def normal(scale: Any) -> Any:
    return lambda i, o: np.random.randn(i, o) * scale(i, o)


def uniform(limit: Any) -> Any:
    return lambda i, o: np.random.uniform(-limit(i, o), limit(i, o), (i, o))


initial("fan_out", "fan_swapped", normal(lambda i, o: np.sqrt(2 / o)), "he_normal")
initial("no root", "variance_for_deviation", normal(lambda i, o: 2 / i), "he_normal")
initial("1 for 2", "gain", normal(lambda i, o: np.sqrt(1 / i)), "he_normal")
initial("zeros", "constant", lambda i, o: np.zeros((i, o)), "he_normal")
initial("0.01", "fan_missing", normal(lambda i, o: 0.01), "he_normal")
initial("one-sided", "not_centered", lambda i, o: np.random.rand(i, o) * np.sqrt(6 / i), "he_uniform")
initial("limit of a deviation", "limit", uniform(lambda i, o: np.sqrt(2 / i)), "he_uniform")
initial("glorot 1 for 2", "gain fan_swapped", normal(lambda i, o: np.sqrt(1 / (i + o))), "glorot_normal")
initial("uniform for normal", "distribution", uniform(lambda i, o: np.sqrt(6 / i)), "he_normal")
initial(
    "kernel left out", "receptive_field", lambda s: np.random.randn(*s) * np.sqrt(2 / s[2]), "he_normal", (3, 3, 8, 16)
)
initial("he", "", normal(lambda i, o: np.sqrt(2 / i)), "he_normal")
initial("glorot", "", uniform(lambda i, o: np.sqrt(6 / (i + o))), "glorot_uniform")
initial("lecun", "", normal(lambda i, o: np.sqrt(1 / i)), "lecun_normal")
