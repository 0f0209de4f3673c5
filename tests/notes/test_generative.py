"""Autoencoders and GANs on Fashion-MNIST: each learns, by a number that says so. Rows 28 to 33, 36."""

import numpy as np
import pytest

import minidl as keras
from tests.notes.generative import (
    dcgan,
    denoising_autoencoder,
    dense_gan,
    sparse_autoencoder,
    stacked_autoencoder,
    train_gan,
    variational_autoencoder,
)


@pytest.fixture(scope="module")
def clothes(pictures):
    """2,000 to train on, 500 to validate on, 28 x 28 of float32; and the error of answering with the mean picture."""
    (x, _), (x_valid, _), _ = pictures
    x, x_valid = x[:2000].astype("float32"), x_valid[:500].astype("float32")
    return x, x_valid, float(np.mean((x_valid - x.mean(axis=0)) ** 2))


def test_28_autoencoder(clothes):
    X_train, X_valid, of_the_mean = clothes
    stacked_encoder, stacked_decoder, stacked_ae = stacked_autoencoder()
    history = stacked_ae.fit(X_train, X_train, epochs=8, validation_data=(X_valid, X_valid), verbose=0).history
    assert history["val_loss"][-1] < 0.3 * of_the_mean
    codings = stacked_encoder.predict(X_valid, verbose=0)  # usable alone: 784 numbers become 30
    assert codings.shape == (500, 30)
    both = stacked_decoder.predict(codings, verbose=0)
    np.testing.assert_allclose(both, stacked_ae.predict(X_valid, verbose=0), rtol=1e-4, atol=1e-5)
    assert np.mean((both - X_valid) ** 2) == pytest.approx(history["val_loss"][-1], rel=1e-4)


@pytest.mark.slow
def test_29_sparse_autoencoder(clothes):
    """The penalty on activities keeps most units of the code low; without it they stay near one half."""
    X_train, X_valid, of_the_mean = clothes
    means = {}
    for strength in (1e-4, 0.0):
        encoder, autoencoder = sparse_autoencoder(strength)
        autoencoder.fit(X_train, X_train, epochs=8, verbose=0)
        means[strength] = float(encoder.predict(X_valid, verbose=0).mean())
        assert np.mean((autoencoder.predict(X_valid, verbose=0) - X_valid) ** 2) < 0.5 * of_the_mean
    assert means[1e-4] < 0.15 < 0.3 < means[0.0]


@pytest.mark.slow
def test_30_denoising_autoencoder(clothes):
    """Half of the pixels dropped: what comes out is nearer to the clean picture than what went in."""
    X_train, X_valid, of_the_mean = clothes
    dropout_ae = denoising_autoencoder()
    dropout_ae.fit(X_train, X_train, epochs=8, verbose=0)
    noisy = keras.layers.Dropout(0.5)(X_valid, training=True).numpy()
    denoised = dropout_ae.predict(noisy, verbose=0)
    of_noisy, of_denoised = (float(np.mean((x - X_valid) ** 2)) for x in (noisy, denoised))
    assert of_denoised < 0.3 * of_noisy and of_denoised < 0.5 * of_the_mean


@pytest.mark.slow
def test_31_variational_autoencoder(clothes):
    X_train, X_valid, of_the_mean = clothes
    encoder, decoder, variational_ae = variational_autoencoder()
    history = variational_ae.fit(X_train, X_train, epochs=10, batch_size=64, verbose=0).history
    assert history["loss"][-1] < 0.6 * of_the_mean  # the divergence included
    means, log_vars, codings = encoder.predict(X_valid, verbose=0)
    spread = np.std((codings - means) / np.exp(log_vars / 2))
    assert spread == pytest.approx(1, abs=0.05)  # the reparameterisation: standard normal, shifted and scaled
    again = encoder.predict(X_valid, verbose=0)[2]
    assert not np.array_equal(again, codings)  # drawn anew

    divergence = np.mean(-0.5 * np.sum(1 + log_vars - np.exp(log_vars) - means**2, axis=1)) / 784
    reconstruction = np.mean((variational_ae.predict(X_valid, verbose=0) - X_valid) ** 2)
    total = variational_ae.evaluate(X_valid, X_valid, verbose=0)
    assert total == pytest.approx(divergence + reconstruction, rel=0.05)  # up to the draw

    new = decoder.predict(np.random.default_rng(0).normal(size=(200, 10)), verbose=0)
    assert new.shape == (200, 28, 28) and nearest(new, X_train) < 0.8 * of_the_mean


def nearest(made, real):
    """The mean over made pictures of the squared error to the nearest real one."""
    made, real = made.reshape(len(made), -1), real.reshape(len(real), -1)
    squares = (made**2).sum(1)[:, None] - 2 * made @ real.T + (real**2).sum(1)
    return float(squares.min(axis=1).mean()) / made.shape[1]


def moved(before, after):
    return [not np.array_equal(a, b) for a, b in zip(before, after, strict=True)]


def batches(x, size):
    return [x[start : start + size] for start in range(0, len(x) - size + 1, size)]


@pytest.mark.parametrize("build", [dense_gan, dcgan])
def test_32_33_who_moves_in_which_phase(build, clothes):
    """The discriminator learns although it is frozen in the GAN: what trains was settled by each one's compile()."""
    gan, batch_size = build(), 16
    generator, discriminator = gan.layers
    x = clothes[0][:48]
    x = x[..., None] * 2 - 1 if build is dcgan else x
    seen = []

    def look(phase):
        nonlocal before
        after = generator.get_weights(), discriminator.get_weights()
        if phase:
            seen.append((phase, moved(before[0], after[0]), moved(before[1], after[1])))
        before = after

    before = None
    train_gan(gan, batches(x, batch_size), batch_size, 30, 2, look)
    assert len(seen) == 12
    for phase, of_generator, of_discriminator in seen:
        assert any(of_generator) == (phase == 2) and any(of_discriminator) == (phase == 1)
        if phase == 1:
            assert all(of_discriminator)
    # biases before batch normalization have a gradient of nothing but rounding, so all others are asked
    kernels = [i for i, w in enumerate(generator.weights) if w.name in ("kernel", "gamma", "beta")]
    assert all(of_generator[i] for phase, of_generator, _ in seen if phase == 2 for i in kernels)


def likeness(made, real):
    """How the mean of made pictures agrees with the mean of real ones: correlation, and mean squared error."""
    one, other = made.reshape(len(made), -1).mean(axis=0), real.reshape(len(real), -1).mean(axis=0)
    return float(np.corrcoef(one, other)[0, 1]), float(np.mean((one - other) ** 2))


@pytest.mark.parametrize(
    "build, epochs, correlation, share",
    [(dense_gan, 5, 0.4, 0.85), pytest.param(dcgan, 4, 0.7, 0.4, marks=pytest.mark.slow)],
)
def test_32_33_gans_learn(build, epochs, correlation, share, clothes):
    """What is made of noise comes to look like clothes: on the average, which a network that knows nothing misses."""
    X_train = clothes[0]
    X_train = X_train[:, :, :, None] * 2 - 1 if build is dcgan else X_train
    gan, batch_size, codings_size = build(), 32, 30
    generator, discriminator = gan.layers
    noise = np.random.default_rng(1).normal(size=(200, codings_size)).astype("float32")
    at_first = likeness(generator.predict(noise, verbose=0), X_train)
    train_gan(gan, batches(X_train, batch_size), batch_size, codings_size, epochs)
    made = generator.predict(noise, verbose=0)
    at_last = likeness(made, X_train)
    assert abs(at_first[0]) < 0.2 and at_last[0] > correlation and at_last[1] < share * at_first[1]
    assert made.std(axis=0).mean() > 0.15 * X_train.std(axis=0).mean()  # not always the same picture
    assert discriminator.predict(X_train[:500], verbose=0).mean() > discriminator.predict(made, verbose=0).mean()


def test_33_sizes_of_the_dcgan():
    """7 x 7 becomes 14 x 14 becomes 28 x 28, and back; tanh gives -1 to 1."""
    generator, discriminator = dcgan().layers
    assert [layer.output.shape[1:3] for layer in generator.layers[1:]] == [(7, 7), (7, 7), (14, 14), (14, 14), (28, 28)]
    assert [layer.output.shape[1:3] for layer in discriminator.layers[:3]] == [(14, 14), (14, 14), (7, 7)]
    made = generator.predict(np.ones((3, 30)), verbose=0)
    assert made.shape == (3, 28, 28, 1) and np.abs(made).max() <= 1


@pytest.mark.slow
def test_36_one_layer_at_a_time(clothes):
    """The book's train_autoencoder: the code of the first autoencoder is what the second learns; then both are put
    together, and start far better than the mean picture.
    """
    X_train, X_valid, of_the_mean = clothes

    def train_autoencoder(n_neurons, X_train, X_valid, n_epochs=8, output_activation=None):
        n_inputs = X_train.shape[-1]
        encoder = keras.Sequential([keras.layers.Dense(n_neurons, activation="relu", input_shape=[n_inputs])])
        decoder = keras.Sequential([keras.layers.Dense(n_inputs, activation=output_activation)])
        autoencoder = keras.Sequential([encoder, decoder])
        autoencoder.compile(loss="mse", optimizer="nadam")
        autoencoder.fit(X_train, X_train, epochs=n_epochs, validation_data=(X_valid, X_valid), verbose=0)
        return encoder, decoder, encoder.predict(X_train, verbose=0), encoder.predict(X_valid, verbose=0)

    X_train_flat, X_valid_flat = X_train.reshape(-1, 784), X_valid.reshape(-1, 784)
    enc1, dec1, X_train_enc1, X_valid_enc1 = train_autoencoder(100, X_train_flat, X_valid_flat)
    enc2, dec2, _, _ = train_autoencoder(30, X_train_enc1, X_valid_enc1, output_activation="relu")
    stacked = keras.Sequential([
        keras.layers.Flatten(input_shape=[28, 28]), enc1, enc2, dec2, dec1, keras.layers.Reshape([28, 28])
    ])  # fmt: skip
    stacked.compile(loss="mse", optimizer="nadam")
    put_together = stacked.evaluate(X_valid, X_valid, verbose=0)
    assert put_together < 0.5 * of_the_mean
    stacked.fit(X_train, X_train, epochs=2, verbose=0)
    assert stacked.evaluate(X_valid, X_valid, verbose=0) < put_together
