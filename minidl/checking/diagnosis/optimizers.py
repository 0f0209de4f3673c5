"""Update rules, right and wrong: an optimizer is run for some steps beside each of them."""

import inspect
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from .messages import chosen_language
from .trajectory import Trajectory, matched

__all__ = ["RULES", "diagnose_update"]

Array = np.ndarray
State = dict[str, Any]
Step = Callable[[Array, Array, State, int, "Settings"], Array]  # w, g, state, t (from 1), settings -> new w


CUSTOMARY = (1e-8, 1e-7)  # epsilon in the papers and courses, and in Keras: without one, either is right


class Settings:
    """The numbers of a rule; the defaults are those of Keras and the papers."""

    def __init__(self, given: dict[str, float], epsilon: float):
        self.lr = given.get("learning_rate", 0.01)
        self.momentum = given.get("momentum", 0.9)
        self.b1, self.b2 = given.get("beta_1", 0.9), given.get("beta_2", 0.999)
        self.rho = given.get("rho", 0.9)
        self.eps = given.get("epsilon", epsilon)
        self.decay = given.get("weight_decay", 0.0)


def _sgd(sign: float = -1.0, decay: float = 1.0, power: int = 1) -> Step:
    return lambda w, g, s, t, k: w + sign * k.lr**power * (g + decay * k.decay * w)


def _momentum(
    order: bool = False,
    rate: int = 1,
    weigh: bool = False,
    nesterov: bool = False,
    sign: float = -1,
    reset: bool = False,
) -> Step:
    def step(w: Array, g: Array, s: State, t: int, k: Settings) -> Array:
        old = s.get("v", np.zeros_like(w)) * (not reset)
        g = g + k.decay * w
        v = k.momentum * old + sign * k.lr**rate * g * ((1 - k.momentum) if weigh else 1)
        s["v"] = v
        if nesterov:
            return w + k.momentum * v + sign * k.lr * g
        return w + (old if order else v)

    return step


def _adagrad(keep: float = 1.0, root: bool = True, square: bool = True, place: str = "out", sign: float = -1) -> Step:
    def step(w: Array, g: Array, s: State, t: int, k: Settings) -> Array:
        s["a"] = keep * s.get("a", np.zeros_like(w)) + (g * g if square else g)
        return w + sign * k.lr * g / _deviation(s["a"], k.eps, root, place)

    return step


def _rmsprop(weights: str = "", root: bool = True, square: bool = True, place: str = "out", sign: float = -1) -> Step:
    def step(w: Array, g: Array, s: State, t: int, k: Settings) -> Array:
        a, b = _weights(k.rho, weights)
        s["a"] = a * s.get("a", np.zeros_like(w)) * (weights != "reset") + b * (g * g if square else g)
        return w + sign * k.lr * g / _deviation(s["a"], k.eps, root, place)

    return step


def _adam(
    weights: str = "",
    square: bool = True,
    root: bool = True,
    place: str = "out",
    sign: float = -1,
    correct: str = "both",
    clock: int = 0,
    stuck: bool = False,
    swapped: bool = False,
    decay: str = "decoupled",
    rate: int = 1,
    reset: bool = False,
) -> Step:
    def step(w: Array, g: Array, s: State, t: int, k: Settings) -> Array:
        b1, b2 = (k.b2, k.b1) if swapped else (k.b1, k.b2)
        t = 1 if stuck else t + clock
        if decay == "coupled":
            g = g + k.decay * w
        (a, b), (c, d) = _weights(b1, weights), _weights(b2, weights)
        zero = np.zeros_like(w)
        s["m"] = a * s.get("m", zero) * (not reset) + b * g
        s["v"] = c * s.get("v", zero) * (not reset) + d * (g * g if square else g)
        m = s["m"] / (1 - b1**t) if correct in ("both", "first") else s["m"]
        v = s["v"] / (1 - b2**t) if correct in ("both", "second") else s["v"]
        if place == "keras":  # the paper's other form: epsilon beside the uncorrected root
            rate_t = k.lr * np.sqrt(1 - b2**t) / (1 - b1**t)
            moved = w + sign * rate_t * s["m"] / (np.sqrt(s["v"]) + k.eps)
        else:
            moved = w + sign * k.lr**rate * m / _deviation(v, k.eps, root, place)
        part = {"decoupled": -1.0, "wrong": 1.0}.get(decay, 0.0)
        return moved + part * k.lr * k.decay * w

    return step


def _weights(beta: float, kind: str) -> tuple[float, float]:
    return {"one": (beta, 1.0), "swapped": (1 - beta, beta)}.get(kind, (beta, 1 - beta))


def _deviation(v: Array, eps: float, root: bool, place: str) -> Array:
    if place == "in":
        return np.sqrt(v + eps)
    found: Array = (np.sqrt(np.abs(v)) if root else v) + (0 if place == "none" else eps)
    return found


def _common(make: Callable[..., Step]) -> list[tuple[str, Step]]:
    return [
        ("epsilon_inside", make(place="in")),
        ("epsilon_missing", make(place="none")),
        ("root_missing", make(root=False)),
        ("square_missing", make(square=False)),
        ("ascent", make(sign=1)),
    ]


_ADAM = [
    *_common(_adam),
    ("bias_correction", _adam(correct="")),
    ("bias_correction_first", _adam(correct="second")),
    ("bias_correction_second", _adam(correct="first")),
    ("clock_stuck", _adam(stuck=True)),
    ("clock_late", _adam(clock=1)),
    ("clock_late", _adam(clock=-1)),
    ("betas_swapped", _adam(swapped=True)),
    ("average_weights", _adam(weights="one")),
    ("average_swapped", _adam(weights="swapped")),
    ("learning_rate_missing", _adam(rate=0)),
    ("learning_rate_twice", _adam(rate=2)),
    ("state_reset", _adam(reset=True)),
    ("decay_coupled", _adam(decay="coupled")),
    ("decay_missing", _adam(decay="none")),
    ("decay_sign", _adam(decay="wrong")),
]

# rule -> (right forms, wrong forms with their causes)
RULES: dict[str, tuple[list[Step], list[tuple[str, Step]]]] = {
    "sgd": (
        [_sgd()],
        [
            ("ascent", _sgd(1)),
            ("learning_rate_missing", _sgd(power=0)),
            ("learning_rate_twice", _sgd(power=2)),
            ("decay_missing", _sgd(decay=0)),
            ("decay_sign", _sgd(decay=-1)),
        ],
    ),
    "momentum": (
        [_momentum()],
        [
            ("momentum_order", _momentum(order=True)),
            ("learning_rate_missing", _momentum(rate=0)),
            ("momentum_missing", _sgd()),
            ("learning_rate_twice", _momentum(rate=2)),
            ("average_weights", _momentum(weigh=True)),
            ("ascent", _momentum(sign=1)),
            ("state_reset", _momentum(reset=True)),
        ],
    ),
    "nesterov": (
        [_momentum(nesterov=True)],
        [
            ("lookahead_missing", _momentum()),
            ("ascent", _momentum(nesterov=True, sign=1)),
            ("momentum_missing", _sgd()),
            ("state_reset", _momentum(nesterov=True, reset=True)),
        ],
    ),
    "adagrad": (
        [_adagrad()],
        [*_common(_adagrad), ("sum_overwritten", _adagrad(keep=0)), ("momentum_missing", _sgd())],
    ),
    "rmsprop": (
        [_rmsprop()],
        [
            *_common(_rmsprop),
            ("average_weights", _rmsprop("one")),
            ("average_swapped", _rmsprop("swapped")),
            ("state_reset", _rmsprop("reset")),
        ],
    ),
    "adam": ([_adam(), _adam(place="keras")], _ADAM),
    "adamw": ([_adam(), _adam(place="keras")], _ADAM),
}


def diagnose_update(
    update: Any, rule: str, *, steps: int = 6, seed: int = 0, language: str | None = None, **settings: float
) -> Trajectory:
    """Check an optimizer that somebody wrote against its rule, and name the slip where it leaves it.

    Args:
        update: an object with ``update(params, grads)`` or ``step(params, grads)`` that writes into dictionaries of
            arrays, or a function ``f(w, dw, config) -> (w, config)``, or ``f(w, dw) -> w`` (with a state of its own).
        rule: "sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam" or "adamw".
        steps: how many updates are compared.
        seed: of the gradients, among which some are tiny, for the sake of epsilon.
        language: "en" or "ko"; default: that of the locale.
        settings: learning_rate (0.01), momentum (0.9), beta_1, beta_2, rho (0.9), epsilon (1e-8 or 1e-7),
            weight_decay: those that the optimizer was made with.

    Raises:
        ValueError: no such rule.
    """
    if rule not in RULES:
        raise ValueError(f"rule must be one of {', '.join(RULES)}, not {rule!r}")
    rng = np.random.default_rng(seed)
    several = [Settings(settings, epsilon) for epsilon in (CUSTOMARY[:1] if "epsilon" in settings else CUSTOMARY)]
    start = [rng.normal(size=(3, 4)), rng.normal(size=(3, 4))]
    sizes = 10.0 ** rng.choice([-7.0, -3.0, 0.0, 0.3], (2, 3, 4))
    gradients = [
        [size * rng.uniform(0.5, 1.5, (3, 4)) * rng.choice([-1, 1], (3, 4)) for size in sizes] for _ in range(steps)
    ]
    came = list(_run(update, start, gradients))
    right, wrong = RULES[rule]
    accepted = [_adam(decay="coupled")] if rule == "adam" and several[0].decay else right
    expected = [list(_simulated(step, start, gradients, k)) for k in several for step in accepted]

    def guesses() -> Iterator[tuple[str, Iterable[list[Array]]]]:
        for cause, step in wrong:
            for k in several:
                yield cause, _simulated(step, start, gradients, k)
        for k in several:
            yield "state_shared", _simulated(right[0], start, gradients, k, shared=True)
        yield "not_updated", [start] * steps

    name = getattr(update, "__name__", type(update).__name__)
    return matched(name, rule, came, expected, guesses(), ["W1", "W2"], chosen_language(language))


def _simulated(
    step: Step, start: list[Array], gradients: list[list[Array]], k: Settings, shared: bool = False
) -> Iterator[list[Array]]:
    params = [p.copy() for p in start]
    one: State = {}
    states: list[State] = [one, one] if shared else [{}, {}]
    for t, grads in enumerate(gradients, start=1):
        with np.errstate(all="ignore"):
            params = [step(p, g, s, t, k) for p, g, s in zip(params, grads, states, strict=True)]
        yield params


def _run(update: Any, start: list[Array], gradients: list[list[Array]]) -> Iterator[list[Array]]:
    """What the optimizer at hand makes of the parameters, step by step."""
    method = next((getattr(update, n) for n in ("update", "step", "apply") if hasattr(update, n)), None)
    params = {f"W{i + 1}": p.copy() for i, p in enumerate(start)}
    configs: list[Any] = [None] * len(start)
    with np.errstate(all="ignore"):
        for grads in gradients:
            named = {name: g.copy() for name, g in zip(params, grads, strict=True)}
            if method is not None:
                made = method(params, named)
                params = made if isinstance(made, dict) else params
            elif len(inspect.signature(update).parameters) >= 3:
                for i, name in enumerate(params):
                    params[name], configs[i] = update(params[name], named[name], configs[i])
            else:
                for name in params:
                    params[name] = update(params[name], named[name])
            yield [np.array(p, "float64") for p in params.values()]
