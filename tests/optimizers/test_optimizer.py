"""What all optimizers share: arguments, one step, clipping, averages, accumulation, state; optimizers of one's own."""

import inspect
import warnings

import numpy as np
import pytest

import minidl
from minidl import optimizers

NAMES = (
    "SGD",
    "RMSprop",
    "Adagrad",
    "Adadelta",
    "Adam",
    "Adamax",
    "Nadam",
    "AdamW",
    "Lion",
    "Ftrl",
    "Lamb",
    "Adafactor",
)


def weight(*values):
    return minidl.Variable(np.array(values, "float32"))


def gradient(*values):
    return np.array(values, "float32")


# ---- by hand, from the formulas ----


@pytest.mark.parametrize(
    ("optimizer", "expected"),
    [  # w = 1, g = 2, one step
        (optimizers.RMSprop(0.1, rho=0.75, epsilon=0.0), 1 - 0.1 * 2 / 1),
        (optimizers.RMSprop(0.1, rho=0.75, epsilon=3.0), 1 - 0.1 * 2 / 2),
        (optimizers.RMSprop(0.1, rho=0.5, centered=True, epsilon=0.0), 1 - 0.1 * 2 / 1),
        (optimizers.Adagrad(0.1, initial_accumulator_value=0.0, epsilon=12.0), 1 - 0.1 * 2 / 4),
        (optimizers.Adadelta(1.0, rho=0.75, epsilon=0.25), 1 - 0.5 * 2 / 1.25**0.5),
        (optimizers.Adamax(0.1, epsilon=0.0), 0.9),
        (optimizers.Adam(0.1, epsilon=0.0), 0.9),
        (optimizers.Adam(0.1, epsilon=0.0, amsgrad=True), 0.9),
        (optimizers.AdamW(0.1, weight_decay=0.5, epsilon=0.0), 0.85),
        (optimizers.Lion(0.1), 0.9),
        (optimizers.Ftrl(0.1, initial_accumulator_value=0.0), 0.9),  # z = 2 - 2 / 0.1, q = 2 / 0.1
        (optimizers.Lamb(0.1, epsilon=0.0), 0.9),
        (optimizers.Adafactor(0.1), 0.9),
        (optimizers.Adafactor(0.1, clip_threshold=0.5, epsilon_2=3.0), 0.85),
        (optimizers.SGD(0.1, clipnorm=0.5), 0.95),
        (optimizers.SGD(0.1, clipvalue=0.25), 0.975),
        (optimizers.SGD(0.1, global_clipnorm=1.0), 0.9),
        (optimizers.SGD(0.1, weight_decay=0.5), 0.75),
        (optimizers.SGD(0.1, loss_scale_factor=4.0), 0.95),
    ],
)
def test_one_step_by_hand(optimizer, expected):
    w = weight(1.0)
    assert optimizer.apply([gradient(2.0)], [w]) == 1
    assert w.numpy()[0] == pytest.approx(expected, rel=1e-6)


def test_nadam_by_hand():
    w, u1, u2 = weight(1.0), 0.9 * (1 - 0.48), 0.9 * (1 - 0.5 * 0.96**2)
    optimizers.Nadam(0.1, epsilon=0.0).apply([gradient(2.0)], [w])
    m_hat = u2 * 0.2 / (1 - u1 * u2) + (1 - u1) * 2 / (1 - u1)
    assert w.numpy()[0] == pytest.approx(1 - 0.1 * m_hat / 2, rel=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_all_shapes_and_dtypes(name):
    """A scalar, a matrix and a float64 weight, through all settings at once."""
    arrays = np.float32(0.5), np.full((2, 3), 0.5, "float32"), np.full(2, 0.5, "float64")
    variables = [minidl.Variable(a) for a in arrays]
    optimizer = getattr(optimizers, name)(0.1, clipnorm=0.3, weight_decay=0.01, use_ema=True)
    for _ in range(3):
        optimizer.apply([np.full_like(a, 2.0) for a in arrays], variables)
    for variable, a in zip(variables, arrays, strict=True):
        assert variable.shape == a.shape and variable.dtype == a.dtype
        assert (variable.numpy() < 0.5).all() and np.isfinite(variable.numpy()).all()
    assert variables[0].data.ndim == 0 and isinstance(variables[0].data, np.ndarray)


# ---- clipping and decay ----


def test_norms_without_a_number_and_without_end():
    a, b = weight(1.0, 1.0), weight(1.0)
    optimizers.SGD(1.0, global_clipnorm=1.0).apply([gradient(np.inf, 1.0), gradient(1.0)], [a, b])
    assert np.isnan(a.numpy()).all() and np.isnan(b.numpy()).all()
    zero = weight(1.0)
    optimizers.SGD(1.0, clipnorm=1.0).apply([gradient(0.0)], [zero])
    assert zero.numpy()[0] == 1.0


def test_weights_that_do_not_decay():
    kernel, bias = weight(1.0), minidl.Variable(np.ones(1, "float32"), name="bias")
    gamma = weight(1.0)
    optimizer = optimizers.SGD(0.5, weight_decay=0.5)
    optimizer.exclude_from_weight_decay(var_list=[gamma], var_names=["bias", "beta"])
    optimizer.apply([gradient(0.0)] * 3, [kernel, bias, gamma])
    assert [v.numpy()[0] for v in (kernel, bias, gamma)] == [0.75, 1.0, 1.0]


# ---- averages and accumulation ----


def test_averages_take_the_place_of_weights_when_fit_ends():
    x, y = np.ones((6, 1), "float32"), np.zeros((6, 1), "float32")
    weights = {}
    for momentum in (0.0, 1.0):
        model = minidl.Sequential([minidl.layers.Input((1,)), minidl.layers.Dense(1, kernel_initializer="ones")])
        model.compile(optimizers.SGD(0.1, use_ema=True, ema_momentum=momentum), "mse")
        after = []
        look = minidl.callbacks.LambdaCallback(
            on_train_batch_end=lambda b, logs, m=model, seen=after: seen.append(m.get_weights())
        )
        model.fit(x, y, batch_size=2, verbose=0, callbacks=[look])
        weights[momentum] = after, model.get_weights()
    after, final = weights[1.0]
    np.testing.assert_array_equal(final[0], after[0][0])  # an average that keeps what it started with
    np.testing.assert_array_equal(weights[0.0][1][0], after[2][0])


def test_accumulated_gradients_are_one_large_batch():
    one, other = weight(1.0, -1.0), weight(1.0, -1.0)
    whole, parts = optimizers.Adam(0.1), optimizers.Adam(0.1, gradient_accumulation_steps=2)
    for k in range(3):
        first, second = gradient(k, 1.0), gradient(2.0, -k)
        whole.apply([(first + second) / 2], [one])
        parts.apply([first], [other])
        assert int(parts.iterations) == k
        parts.apply([second], [other])
        assert int(parts.iterations) == k + 1
        np.testing.assert_allclose(other.numpy(), one.numpy(), rtol=1e-6)


def test_the_loss_is_scaled_for_its_gradient_alone():
    x, y = np.ones((4, 1), "float32"), np.full((4, 1), 3.0, "float32")
    seen = []
    for factor in (None, 1024.0):
        model = minidl.Sequential([minidl.layers.Input((1,)), minidl.layers.Dense(1, kernel_initializer="ones")])
        model.compile(optimizers.SGD(0.1, loss_scale_factor=factor), "mse")
        seen.append((model.train_on_batch(x, y), [w.tolist() for w in model.get_weights()]))
    assert seen[0] == seen[1] and float(seen[0][0]) == 4.0
    assert float(optimizers.SGD(loss_scale_factor=8.0).scale_loss(0.5)) == 4.0


# ---- the learning rate ----


def test_the_learning_rate_is_a_variable():
    optimizer = optimizers.SGD(0.1)
    rate = optimizer.learning_rate
    assert isinstance(rate, minidl.Variable) and float(rate) == pytest.approx(0.1)
    optimizer.learning_rate = 0.5
    assert float(rate) == 0.5 and optimizer.get_config()["learning_rate"] == 0.5
    rate.assign(0.25)
    w = weight(1.0)
    optimizer.apply([gradient(1.0)], [w])
    assert w.numpy()[0] == 0.75
    optimizer.learning_rate.assign(optimizer.learning_rate * 2)
    assert float(optimizer.learning_rate) == 0.5
    minidl.backend.set_value(optimizer.learning_rate, 0.125)
    assert minidl.backend.get_value(optimizer.learning_rate) == 0.125


def test_functions_and_schedules_in_place_of_a_number():
    rates = iter([0.5, 0.25])
    w, optimizer = weight(1.0), optimizers.SGD(lambda: next(rates))
    optimizer.apply([gradient(1.0)], [w])
    assert optimizer.apply([gradient(1.0)], [w]) == 2
    assert w.numpy()[0] == 0.25
    with pytest.raises(TypeError, match="learning_rate is function here, so it cannot be set to 0.1"):
        optimizer.learning_rate = 0.1
    optimizer.learning_rate = optimizers.schedules.ExponentialDecay(1.0, 1, 0.5)
    assert float(optimizer.learning_rate) == 0.25
    with pytest.raises(TypeError, match="learning_rate is ExponentialDecay here"):
        optimizer.learning_rate = 0.1
    plain = optimizers.Adam(0.1)
    assert [v.name for v in plain.variables] == ["iteration", "learning_rate"]
    plain.learning_rate = lambda: 0.5
    assert [v.name for v in plain.variables] == ["iteration"]


def test_decay_of_earlier_versions_is_ignored_with_a_warning():
    with pytest.warns(UserWarning, match="decay is ignored.*InverseTimeDecay"):
        optimizer = optimizers.SGD(0.1, decay=1e-4)
    assert float(optimizer.learning_rate) == pytest.approx(0.1)


def test_decay_of_keras_2():
    optimizer, w = optimizers.legacy.SGD(1.0, decay=1.0, momentum=0.5), weight(0.0)
    steps = [1.0, 0.5 * 1 + 1 / 2, 0.5 * 1 + 1 / 3]  # m = 0.5 m + 1 / (1 + step)
    for k in range(3):
        optimizer.apply([gradient(-1.0)], [w])
        assert w.numpy()[0] == pytest.approx(sum(steps[: k + 1]), rel=1e-6)
    assert type(optimizer) is optimizers.SGD and optimizer.get_config()["learning_rate"]["config"]["decay_rate"] == 1.0
    plain = optimizers.legacy.Adam(0.01, 0.8)
    assert type(plain) is optimizers.Adam and plain.beta_1 == 0.8 and float(plain.learning_rate) == np.float32(0.01)


# ---- arguments and errors ----


@pytest.mark.parametrize("name", NAMES)
def test_signatures_show_all_arguments(name):
    cls = getattr(optimizers, name)
    shown = inspect.signature(cls).parameters
    assert {"learning_rate", "weight_decay", "clipnorm", "use_ema", "gradient_accumulation_steps", "name"} <= set(shown)
    assert "settings" not in shown and shown["weight_decay"].default == (0.004 if name == "AdamW" else None)
    config = cls().get_config()
    assert set(shown) == set(config)
    assert cls.from_config(config).get_config() == config


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"clipnorm": 1.0, "clipvalue": 1.0}, "only one of clipnorm, clipvalue, global_clipnorm"),
        ({"clipnorm": -1.0}, "clipnorm must be a number from 0 on, not -1.0"),
        ({"weight_decay": "1"}, "weight_decay must be a number from 0 on, not '1'"),
        ({"use_ema": True, "ema_momentum": 1.5}, "ema_momentum must be a number from 0 to 1, not 1.5"),
        ({"use_ema": True, "ema_overwrite_frequency": 0}, "ema_overwrite_frequency must be a whole number from 1"),
        ({"gradient_accumulation_steps": 1}, "gradient_accumulation_steps must be a whole number from 2 on.* not 1"),
        ({"loss_scale_factor": 0.0}, "loss_scale_factor must not be 0"),
    ],
)
def test_settings_out_of_range(settings, message):
    with pytest.raises(ValueError, match=message):
        optimizers.SGD(**settings)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: optimizers.RMSprop(rho=1.5), "rho must be a number from 0 to 1, not 1.5"),
        (lambda: optimizers.RMSprop(momentum=-0.1), "momentum"),
        (lambda: optimizers.Adam(beta_1=1.0), "beta_1 must be a number from 0 on and less than 1, not 1.0"),
        (lambda: optimizers.AdamW(weight_decay=None), "weight_decay of AdamW"),
        (lambda: optimizers.Adagrad(initial_accumulator_value=-1.0), "initial_accumulator_value"),
        (lambda: optimizers.Lion(beta_1=0.0), "beta_1 must be above 0"),
        (lambda: optimizers.Ftrl(learning_rate_power=0.5), "learning_rate_power"),
        (lambda: optimizers.Ftrl(l1_regularization_strength=-1.0), "l1_regularization_strength"),
        (lambda: optimizers.Adafactor(beta_2_decay=0.5), "beta_2_decay"),
        (lambda: optimizers.Lamb(beta_2=-0.1), "beta_2"),
        (lambda: optimizers.Nadam(epsilon=-1.0), "epsilon must be a number from 0 on"),
    ],
)
def test_arguments_out_of_range(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_gradients_that_do_not_fit_change_nothing():
    a, b, stranger = weight(1.0), weight(1.0, 2.0), weight(1.0)
    optimizer = optimizers.Adam()
    with pytest.raises(ValueError, match="build"):
        optimizer.apply([gradient(1.0)])
    optimizer.build([a, b])
    with pytest.raises(ValueError, match=r"shape \(2,\), not \(1,\)"):
        optimizer.apply([gradient(1.0), gradient(1.0)])
    with pytest.raises(ValueError, match="1 gradients .* 2 variables"):
        optimizer.apply([gradient(1.0)])
    with pytest.raises(ValueError, match="does not know variable"):
        optimizer.apply_gradients([(gradient(1.0), stranger)])
    with pytest.raises(ValueError, match="no gradients provided"):
        optimizer.apply([None, None])
    assert int(optimizer.iterations) == 0 and a.numpy()[0] == 1.0
    assert all((v.numpy() == 0).all() for v in optimizer.variables[2:])
    with pytest.warns(UserWarning, match="no gradient came for"):
        optimizer.apply([None, gradient(1.0, 1.0)])
    assert a.numpy()[0] == 1.0 and (b.numpy() != [1.0, 2.0]).all()
    assert optimizer.apply([], []) == 1  # nothing to do


def test_names():
    for name in NAMES:
        cls = getattr(optimizers, name)
        for written in (name, name.lower(), name.upper()):
            assert type(optimizers.get(written)) is cls
            assert type(optimizers.get({"class_name": written, "config": {}})) is cls
        assert type(optimizers.get(cls)) is cls
    assert optimizers.get(None) is None
    made = optimizers.Lion()
    assert optimizers.get(made) is made
    with pytest.raises(ValueError, match=r"unknown optimizer 'adma'.*did you mean 'adam"):
        optimizers.get("adma")
    with pytest.raises(TypeError, match="an optimizer is a name or an Optimizer object, not 3"):
        optimizers.get(3)


# ---- state ----


def test_building_twice_changes_nothing():
    w = weight(1.0)
    for name in NAMES:
        optimizer = getattr(optimizers, name)(use_ema=True)
        optimizer.build([w])
        names = [v.name for v in optimizer.variables]
        optimizer.build([w])
        assert [v.name for v in optimizer.variables] == names and names[2] == "variable_average"


def test_the_state_moves_from_one_to_another():
    settings = {"momentum": 0.5, "centered": True, "use_ema": True, "gradient_accumulation_steps": 2}
    one, two = optimizers.RMSprop(0.1, **settings), optimizers.RMSprop(0.2, **settings)
    a, b = weight(1.0, 2.0), weight(1.0, 2.0)
    for _ in range(3):
        one.apply([gradient(1.0, -1.0)], [a])
    two.build([b])
    store: dict = {}
    one.save_own_variables(store)
    assert sorted(store) == [str(i) for i in range(7)]
    two.load_own_variables(store)
    b.assign(a)
    for optimizer, w in ((one, a), (two, b)):
        optimizer.apply([gradient(1.0, -1.0)], [w])
    np.testing.assert_array_equal(a.numpy(), b.numpy())
    with pytest.raises(ValueError, match="has 7 variables, but set_weights"):
        two.set_weights([np.zeros(2)])
    with pytest.raises(ValueError, match="has shape"):
        two.set_weights([np.zeros(3)] * 7)
    two.set_weights([v.numpy() * 0 for v in one.variables])
    assert all((v.numpy() == 0).all() for v in two.variables)


# ---- optimizers of one's own ----


@minidl.saving.register_keras_serializable("tests")
class Momentum(optimizers.Optimizer):
    """As Keras documents it: slots in build, one variable in update_step, written with ops."""

    def __init__(self, learning_rate=0.1, momentum=0.9, **kwargs):
        super().__init__(learning_rate=learning_rate, **kwargs)
        self.momentum = momentum

    def build(self, variables):
        super().build(variables)
        self.momentums = [self.add_variable_from_reference(reference_variable=v, name="m") for v in variables]

    def update_step(self, gradient, variable, learning_rate):
        ops = minidl.ops
        learning_rate = ops.cast(learning_rate, variable.dtype)
        m = self.momentums[self._get_variable_index(variable)]
        self.assign(m, ops.subtract(ops.multiply(m, self.momentum), ops.multiply(gradient, learning_rate)))
        self.assign_add(variable, m)

    def get_config(self):
        return {**super().get_config(), "momentum": self.momentum}


def test_an_optimizer_of_ones_own(tmp_path):
    x, y = np.linspace(-1, 1, 12, dtype="float32").reshape(6, 2), np.ones((6, 1), "float32")
    models = []
    for optimizer in (Momentum(0.05, clipnorm=1.0), optimizers.SGD(0.05, momentum=0.9, clipnorm=1.0)):
        minidl.utils.set_random_seed(3)
        model = minidl.Sequential([minidl.layers.Input((2,)), minidl.layers.Dense(3), minidl.layers.Dense(1)])
        model.compile(optimizer, "mse")
        model.fit(x, y, epochs=3, batch_size=2, shuffle=False, verbose=0)
        models.append(model)
    for a, b in zip(*(model.get_weights() for model in models), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5)
    assert len(models[0].optimizer.variables) == 2 + 4
    models[0].save(tmp_path / "own.keras")
    again = minidl.saving.load_model(tmp_path / "own.keras").optimizer
    assert type(again) is Momentum and again.clipnorm == 1.0
    assert list(inspect.signature(Momentum).parameters)[:3] == ["learning_rate", "momentum", "weight_decay"]


def test_signatures_of_subclasses():
    class Named(optimizers.SGD):
        pass

    class Slower(optimizers.SGD):
        def __init__(self, factor=2.0, *, other=1.0, **kwargs):
            super().__init__(**kwargs)

    class Fixed(optimizers.SGD):
        def __init__(self, momentum):
            super().__init__(momentum=momentum)

    assert inspect.signature(Named) == inspect.signature(optimizers.SGD)
    assert list(inspect.signature(Slower).parameters)[:5] == [
        "factor",
        "other",
        "learning_rate",
        "momentum",
        "nesterov",
    ]
    assert list(inspect.signature(Fixed).parameters) == ["momentum"]
    with pytest.raises(TypeError, match="Slower got unknown arguments: nestrov .did you mean 'nesterov'"):
        Slower(nestrov=True)


def test_slots_by_hand():
    w, optimizer = weight(1.0, 2.0), optimizers.Optimizer(0.1)
    start = minidl.initializers.Constant(3.0)
    one, two = optimizer.add_optimizer_variables([w], ["a", "b"], [start, "ones"])
    extra = optimizer.add_variable((2, 3), "ones", name="extra")
    assert [v.name for v in optimizer.variables[2:]] == ["variable_a", "variable_b", "extra"]
    assert one[0].numpy().tolist() == [3.0, 3.0] and two[0].numpy().tolist() == [1.0, 1.0] and extra.shape == (2, 3)
    optimizer.assign_sub(one[0], [1.0, 2.0])
    assert one[0].numpy().tolist() == [2.0, 1.0]
    with pytest.raises(ValueError, match="2 names and 1 initializers"):
        optimizer.add_optimizer_variables([w], ["a", "b"], ["zeros"])
    with pytest.raises(NotImplementedError, match="update_step"):
        optimizer.apply([gradient(1.0, 1.0)], [w])


def test_a_step_records_no_graph():
    w = weight(1.0)
    kept = []

    class Look(optimizers.Optimizer):
        def update_step(self, gradient, variable, learning_rate):
            kept.append(variable * gradient)
            self.assign_sub(variable, kept[-1] * learning_rate)

    Look(0.5).apply_gradients(zip([gradient(1.0)], [w], strict=True))
    assert kept[0].node is None and w.numpy()[0] == 0.5


def test_no_warning_where_all_is_well():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        w = weight(1.0)
        for name in NAMES:
            getattr(optimizers, name)().apply([gradient(0.0)], [w])
    assert np.isfinite(w.numpy()).all()
