"""compile() notes what trains: later changes of flags wait for the next compile (Keras 2, on which GANs depend)."""

import numpy as np
import pytest

import minidl
from minidl import layers, losses, metrics, optimizers, regularizers

RNG = np.random.default_rng(3)
X, Y = RNG.normal(size=(16, 4)).astype("float32"), RNG.normal(size=(16, 1)).astype("float32")


def weights_of(*models):
    return [weight.numpy() for model in models for weight in model.weights]


def same(before, after):
    return all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))


def small(**first):
    return minidl.Sequential(
        [layers.Input((4,)), layers.Dense(3, **first), layers.BatchNormalization(), layers.Dense(1)]
    )


def test_frozen_weights_stay_bit_for_bit():
    model = small()
    for layer in model.layers[:-1]:
        layer.trainable = False
    model.compile("adam", "mse")
    lower, last = weights_of(*model.layers[:-1]), weights_of(model.layers[-1])
    model.fit(X, Y, epochs=3, verbose=0)
    assert same(lower, weights_of(*model.layers[:-1]))
    assert not same(last, weights_of(model.layers[-1]))


def test_freezing_without_compile_has_no_effect():
    model = small()
    model.compile("sgd", "mse")
    model.layers[0].trainable = False
    before = weights_of(model.layers[0])
    model.fit(X, Y, verbose=0)
    assert not same(before, weights_of(model.layers[0]))


def test_unfreezing_without_compile_has_no_effect_and_compile_makes_it_so():
    model = small()
    model.layers[0].trainable = False
    model.compile("sgd", "mse")
    model.layers[0].trainable = True
    before = weights_of(model.layers[0])
    model.fit(X, Y, verbose=0)
    assert same(before, weights_of(model.layers[0]))
    model.compile("sgd", "mse")
    model.fit(X, Y, verbose=0)
    assert not same(before, weights_of(model.layers[0]))


def test_freezing_a_whole_model():
    model = small()
    model.trainable = False
    model.compile("sgd", "mse")
    before = weights_of(model)
    model.fit(X, Y, verbose=0)
    assert same(before, weights_of(model))


def test_the_moving_statistics_follow_the_snapshot():
    """Frozen at compile: inference statistics and no update; frozen afterwards: still trained."""
    model = small()
    norm = model.layers[1]
    norm.trainable = False
    model.compile("sgd", "mse")
    before = norm.get_weights()
    model.fit(X, Y, verbose=0)
    assert same(before, norm.get_weights())
    norm.trainable = True
    model.compile("sgd", "mse")
    norm.trainable = False
    model.fit(X, Y, verbose=0)
    assert not any(np.array_equal(a, b) for a, b in zip(before, norm.get_weights(), strict=True))


def test_penalties_follow_the_snapshot():
    model = small(kernel_regularizer=regularizers.L2(0.5))
    kernel = model.layers[0].kernel
    model.compile(optimizers.SGD(0.0), "mse")
    data = float(losses.MeanSquaredError()(Y, model(X)))
    penalty = 0.5 * float((kernel.numpy() ** 2).sum())
    assert model.evaluate(X, Y, verbose=0) == pytest.approx(data + penalty, rel=1e-5)
    model.layers[0].trainable = False
    assert model.evaluate(X, Y, verbose=0) == pytest.approx(data + penalty, rel=1e-5)  # not compiled again
    model.compile(optimizers.SGD(0.0), "mse")
    assert model.evaluate(X, Y, verbose=0) == pytest.approx(data, rel=1e-5)


@pytest.mark.parametrize("known", [True, False], ids=["shapes known", "built by data"])
def test_a_discriminator_trains_although_it_is_frozen_inside_the_gan(known):
    """The classic listing: compile the discriminator, freeze it, compile generator and discriminator together."""
    first = [layers.Input((4,))] if known else []
    generator = minidl.Sequential(
        [*([layers.Input((2,))] if known else []), layers.Dense(4), layers.BatchNormalization()]
    )
    discriminator = minidl.Sequential([
        *first, layers.Dense(5, kernel_regularizer="l2"), layers.BatchNormalization(), layers.LeakyReLU(),
        layers.Dense(1, activation="sigmoid"),
    ])  # fmt: skip
    discriminator.compile(loss="binary_crossentropy", optimizer="adam", metrics=["accuracy"])
    discriminator.trainable = False
    gan = minidl.Sequential([generator, discriminator])
    gan.compile(loss="binary_crossentropy", optimizer="adam")
    noise, real = RNG.normal(size=(8, 2)).astype("float32"), X[:8]

    for _ in range(2):
        fake = generator.predict(noise, verbose=0)
        if discriminator.built:
            before = weights_of(discriminator)
        loss, _ = discriminator.train_on_batch(np.concatenate([fake, real]), np.repeat([0.0, 1.0], 8))
    changed = [not np.array_equal(a, b) for a, b in zip(before, weights_of(discriminator), strict=True)]
    assert all(changed)  # the moving statistics too

    before, generated = weights_of(discriminator), weights_of(generator)
    gan.train_on_batch(noise, np.ones(8))
    assert same(before, weights_of(discriminator))
    assert not same(generated, weights_of(generator))

    penalty = 0.01 * float((discriminator.layers[0].kernel.numpy() ** 2).sum())
    alone = losses.BinaryCrossentropy()(np.ones(8), discriminator(fake))
    assert discriminator.test_on_batch(fake, np.ones(8))[0] == pytest.approx(float(alone) + penalty, rel=1e-5)
    together = losses.BinaryCrossentropy()(np.ones(8), gan(noise))
    assert gan.test_on_batch(noise, np.ones(8)) == pytest.approx(float(together), rel=1e-5)


def test_the_gan_as_a_functional_model():
    generator = minidl.Sequential([layers.Input((2,)), layers.Dense(4)])
    discriminator = minidl.Sequential([layers.Input((4,)), layers.Dense(1, activation="sigmoid")])
    discriminator.compile("sgd", "binary_crossentropy")
    discriminator.trainable = False
    z = layers.Input((2,))
    gan = minidl.Model(z, discriminator(generator(z)))
    gan.compile("sgd", "binary_crossentropy")
    before, generated = weights_of(discriminator), weights_of(generator)
    gan.fit(X[:, :2], np.ones(16), verbose=0)
    assert same(before, weights_of(discriminator)) and not same(generated, weights_of(generator))
    discriminator.fit(X, np.ones(16), verbose=0)
    assert not same(before, weights_of(discriminator))


def test_metrics_of_a_model_inside_do_not_count():
    inner = minidl.Sequential([layers.Input((4,)), layers.Dense(4)])
    inner.compile("sgd", "mae", metrics=["mse"])
    outer = minidl.Sequential([inner, layers.Dense(1)])
    outer.compile("sgd", "mse")
    assert list(outer.fit(X, Y, verbose=0).history) == ["loss"]
    assert outer.metrics_names == ["loss"]


def test_compile_again_starts_metrics_and_optimizer_anew():
    model = small()
    model.compile("adam", "mse", metrics=["mae"])
    model.fit(X, Y, verbose=0)
    model.compile("adam", "mae")
    assert list(model.fit(X, Y, verbose=0).history) == ["loss"]
    assert int(model.optimizer.iterations) == 1


def test_loss_and_metric_objects_functions_and_names():
    def my_mae(y_true, y_pred):
        return np.abs(np.asarray(y_true) - np.asarray(y_pred)).mean(axis=-1)

    def cube(y_true, y_pred):
        return minidl.ops.abs(y_true - y_pred) ** 3

    model = small()
    objects = [my_mae, metrics.MeanAbsoluteError(name="mine"), "mae", losses.MeanAbsoluteError()]
    model.compile("sgd", cube, metrics=objects)
    logs = model.evaluate(X, Y, verbose=0, return_dict=True)
    assert sorted(logs) == ["loss", "mae", "mean_absolute_error", "mine", "my_mae"]
    difference = np.abs(Y - model.predict(X, verbose=0))
    for name in ("mae", "mine", "my_mae", "mean_absolute_error"):
        assert logs[name] == pytest.approx(difference.mean(), rel=1e-5)
    assert logs["loss"] == pytest.approx((difference**3).mean(), rel=1e-5)


def test_metric_objects_keep_their_names():
    first = layers.Input((4,))
    model = minidl.Model(first, [layers.Dense(1, name="a")(first), layers.Dense(1, name="b")(first)])
    mine = metrics.MeanAbsoluteError(name="mine")
    for _ in range(2):
        model.compile("sgd", "mse", metrics=[[mine], []])
        history = model.fit(X, [Y, Y], verbose=0).history
        assert list(history) == ["a_loss", "a_mine", "b_loss", "loss"] and mine.name == "mine"


def test_one_output_without_a_loss():
    first = layers.Input((4,))
    model = minidl.Model(first, [layers.Dense(1, name="a")(first), layers.Dense(1, name="b")(first)])
    model.compile("sgd", ["mse", None])
    before = weights_of(model.get_layer("b"))
    history = model.fit(X, [Y, Y], verbose=0).history
    assert list(history) == ["loss"]
    assert same(before, weights_of(model.get_layer("b")))


def test_compile_is_cheap_and_needs_no_weights():
    model = minidl.Sequential([layers.Dense(1)])
    model.compile(loss="mse", optimizer=optimizers.SGD(learning_rate=0.1))
    assert model.compiled and not model.built
    assert float(model.optimizer.learning_rate) == pytest.approx(0.1)


@pytest.mark.parametrize("wrong", [{"loss_weights": ["mae"]}, {"loss": ["mse", "mse"]}, {"metrics": ["no such"]}])
def test_a_compile_that_fails_changes_nothing(wrong):
    model, same_start = small(), small()
    same_start.set_weights(model.get_weights())
    for one in (model, same_start):
        one.compile("sgd", "mse", metrics=["mae"])
    with pytest.raises((TypeError, ValueError)):
        model.compile("adam", **{"loss": "mae", **wrong})
    assert model.loss == "mse" and type(model.optimizer) is optimizers.SGD
    assert model.train_on_batch(X, Y) == same_start.train_on_batch(X, Y)
    assert same(weights_of(model), weights_of(same_start))


@pytest.mark.parametrize("factor", [3, 3.0, np.float32(3), np.array(3.0), minidl.Variable(3.0), [3.0], None, [None]])
def test_a_loss_weight_is_any_single_number(factor):
    model = minidl.Sequential([layers.Input((4,)), layers.Dense(1, kernel_initializer="zeros")])
    model.compile("sgd", "mse", loss_weights=factor)
    times = 1 if factor in (None, [None]) else 3
    np.testing.assert_allclose(model.test_on_batch(X, Y), times * np.mean(Y**2), rtol=1e-6)
