"""Training that users write themselves against Keras: losses and metrics of a model's own, the VAE and GAN of books.

Keras on JAX has no GradientTape, so the steps of the books are compared with the same mathematics in Keras: the VAE
with one whose loss is added in call(), the GAN with two models that are compiled in turn.
"""

import numpy as np
import pytest

import minidl
from tests.parity.oracle import both, close, copy_weights, libraries, same_logs

pytestmark = pytest.mark.oracle

RNG = np.random.default_rng(8)
N = 30
X = RNG.normal(size=(N, 5)).astype("float32")
Y = RNG.normal(size=(N, 2)).astype("float32")
WEIGHTS = RNG.uniform(0, 2, N).astype("float32")


# ---- models that run in both libraries ----


def reconstructing(k):
    """The regressor that also reconstructs its inputs: a loss made inside call()."""

    class Regressor(k.Model):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.hidden = [k.layers.Dense(6, activation="selu") for _ in range(2)]
            self.out = k.layers.Dense(2)
            self.back = k.layers.Dense(5)

        def call(self, inputs, training=None):
            z = inputs
            for layer in self.hidden:
                z = layer(z)
            error = k.ops.mean(k.ops.square(self.back(z) - inputs))
            self.add_loss(0.05 * error)
            return self.out(z)

    return Regressor()


def computing_its_loss(with_phase):
    """The example in the documentation of compute_loss: a tracker, a metrics property, reset_metrics()."""

    def make(k):
        class Net(k.Model):
            def __init__(self, **kwargs):
                super().__init__(**kwargs)
                self.dense = k.layers.Dense(2, kernel_regularizer="l2")
                self.loss_tracker = k.metrics.Mean(name="loss")

            def call(self, inputs):
                return self.dense(inputs)

            def _loss(self, y, y_pred, factor):
                loss = k.ops.mean((y_pred - y) ** 2) * factor + sum(self.losses)
                self.loss_tracker.update_state(loss)
                return loss

            def reset_metrics(self):
                self.loss_tracker.reset_state()

            @property
            def metrics(self):
                return [self.loss_tracker]

        class Old(Net):
            def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None):
                return self._loss(y, y_pred, 1.0)

        class New(Net):
            def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
                return self._loss(y, y_pred, 1.0 if training else 10.0)

        return New() if with_phase else Old()

    return make


def computing_its_metrics(k):
    class Net(k.Model):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.dense = k.layers.Dense(2)
            self.largest = [k.metrics.Mean(name="largest"), k.metrics.Mean(name="smallest")]

        def call(self, inputs):
            return self.dense(inputs)

        def compute_metrics(self, x, y, y_pred, sample_weight=None):
            self.largest[0].update_state(k.ops.max(y_pred))
            self.largest[1].update_state(k.ops.min(y_pred))
            return {**super().compute_metrics(x, y, y_pred, sample_weight), "always": 3.0}

    return Net()


def nested(k):
    """Models inside models, an activity regularizer, a loop and a branch in call()."""

    class Block(k.Model):
        def __init__(self, units, **kwargs):
            super().__init__(**kwargs)
            self.norm, self.dense = k.layers.BatchNormalization(), k.layers.Dense(units, activity_regularizer="l2")

        def call(self, inputs, training=None):
            # Given on by hand: on JAX, Keras trains without a call context, and layers inside would not know the phase.
            return k.ops.relu(self.dense(self.norm(inputs, training=training)))

    class Net(k.Model):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.blocks = {"first": Block(5), "second": Block(5)}
            self.tail = k.Sequential([k.layers.Dense(3, activation="tanh"), k.layers.Dense(2)])

        def call(self, inputs, training=None):
            x = inputs
            for name in sorted(self.blocks):
                x = x + self.blocks[name](x, training=training)
            if x.shape[-1] != 5:
                raise AssertionError("the branch for other widths")
            return self.tail(x)

    return Net()


MODELS = {
    "a loss made in call": (reconstructing, {"loss": "mse", "metrics": ["mae"]}),
    "compute_loss": (computing_its_loss(False), {}),
    "compute_loss that is told the phase": (computing_its_loss(True), {}),
    "compute_metrics": (computing_its_metrics, {"loss": "mse", "metrics": ["mse"]}),
    "nested": (nested, {"loss": "mae", "weighted_metrics": ["mse"]}),
}


def prepared(make, name, *shapes):
    theirs, ours = both(make)
    for model in (theirs, ours):
        model(*(np.zeros((2, *shape), "float32") for shape in shapes))
    copy_weights(theirs, ours, name)
    return theirs, ours


def same_weights(ours, theirs, tolerance=2e-5):
    for one, other in zip(ours.weights, theirs.weights, strict=True):
        close(one, other, one.path, tolerance)


@pytest.mark.parametrize("name", MODELS)
def test_models_with_parts_of_their_own(name):
    make, compiled = MODELS[name]
    theirs, ours = prepared(make, name, (5,))
    histories, results = [], []
    for model, k in zip((theirs, ours), libraries(), strict=True):
        model.compile(k.optimizers.SGD(0.05), **compiled)
        weights = WEIGHTS if "weighted_metrics" in compiled else None
        histories.append(model.fit(
            X, Y, sample_weight=weights, batch_size=10, epochs=3, shuffle=False, verbose=0,
            validation_data=(X[:9], Y[:9]),
        ).history)  # fmt: skip
        results.append(model.evaluate(X, Y, batch_size=10, verbose=0, return_dict=True))
    same_logs(histories[1], histories[0], 2e-5)
    same_logs(results[1], results[0], 2e-5)
    same_weights(ours, theirs)


# ---- the variational autoencoder ----


def encoder_and_decoder(k):
    x = k.Input((5,))
    h = k.layers.Dense(6, activation="tanh")(x)
    encoder = k.Model(x, [k.layers.Dense(2, name="z_mean")(h), k.layers.Dense(2, name="z_log_var")(h)], name="encoder")
    z = k.Input((2,))
    decoder = k.Model(z, k.layers.Dense(5)(k.layers.Dense(6, activation="tanh")(z)), name="decoder")
    return encoder, decoder


def vae_parts(k, encoder, decoder, x, noise):
    """Reconstruction, the reconstruction loss, and the KL loss."""
    z_mean, z_log_var = encoder(x)
    z = z_mean + k.ops.exp(0.5 * z_log_var) * noise
    reconstruction = decoder(z)
    distance = k.ops.mean(k.ops.sum(k.ops.square(x - reconstruction), axis=-1))
    kl = -0.5 * (1 + z_log_var - k.ops.square(z_mean) - k.ops.exp(z_log_var))
    return reconstruction, distance, k.ops.mean(k.ops.sum(kl, axis=1))


def vae_by_added_losses(k):
    class Vae(k.Model):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.encoder, self.decoder = encoder_and_decoder(k)

        def call(self, inputs):
            x, noise = inputs
            reconstruction, distance, kl = vae_parts(k, self.encoder, self.decoder, x, noise)
            self.add_loss([distance, 0.5 * kl])
            return reconstruction

    return Vae()


class VaeOfTheBook(minidl.Model):
    """A train_step with a tape, three trackers, a metrics property."""

    def __init__(self, encoder, decoder, **kwargs):
        super().__init__(**kwargs)
        self.encoder, self.decoder = encoder, decoder
        self.total_loss_tracker = minidl.metrics.Mean(name="total_loss")
        self.reconstruction_loss_tracker = minidl.metrics.Mean(name="reconstruction_loss")
        self.kl_loss_tracker = minidl.metrics.Mean(name="kl_loss")

    @property
    def metrics(self):
        return [self.total_loss_tracker, self.reconstruction_loss_tracker, self.kl_loss_tracker]

    def train_step(self, data):
        x, noise = data
        with minidl.GradientTape() as tape:
            _, distance, kl = vae_parts(minidl, self.encoder, self.decoder, x, noise)
            total_loss = distance + 0.5 * kl
        grads = tape.gradient(total_loss, self.trainable_weights)
        self.optimizer.apply_gradients(zip(grads, self.trainable_weights, strict=True))
        self.total_loss_tracker.update_state(total_loss)
        self.reconstruction_loss_tracker.update_state(distance)
        self.kl_loss_tracker.update_state(kl)
        return {m.name: m.result() for m in self.metrics}


NOISE = RNG.normal(size=(N, 2)).astype("float32")


def reference_vae():
    """Keras' VAE, trained; the weights it started from; the losses of its epochs."""
    keras, _ = libraries()
    theirs = vae_by_added_losses(keras)
    theirs([X[:2], NOISE[:2]])
    rng = np.random.default_rng(1)
    start = [rng.normal(size=w.shape).astype("float32") * 0.4 for w in theirs.get_weights()]
    theirs.set_weights(start)
    theirs.compile(keras.optimizers.Adam(0.02))
    history = theirs.fit([X, NOISE], batch_size=10, epochs=4, shuffle=False, verbose=0).history
    return theirs, start, history["loss"]


def test_the_vae_of_books():
    theirs, start, losses = reference_vae()
    ours = VaeOfTheBook(*encoder_and_decoder(minidl))
    ours.encoder.set_weights(start[:6])
    ours.decoder.set_weights(start[6:])
    ours.compile(optimizer=minidl.optimizers.Adam(0.02))
    history = ours.fit(X, NOISE, batch_size=10, epochs=4, shuffle=False, verbose=0).history
    assert list(history) == ["kl_loss", "reconstruction_loss", "total_loss"]
    close(history["total_loss"], losses, "loss", 5e-5)
    for one, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        close(one, other, "weights", 1e-4)


def test_the_vae_with_losses_added_to_the_graph():
    """The older listing: a functional model, and add_loss() of a symbolic tensor."""
    theirs, start, losses = reference_vae()
    encoder, decoder = encoder_and_decoder(minidl)
    x, noise = minidl.Input((5,)), minidl.Input((2,))
    reconstruction, distance, kl = vae_parts(minidl, encoder, decoder, x, noise)
    ours = minidl.Model([x, noise], reconstruction)
    ours.add_loss(distance)
    ours.add_loss([0.5 * kl])
    ours.set_weights(start)
    ours.compile(optimizer=minidl.optimizers.Adam(0.02))
    history = ours.fit([X, NOISE], batch_size=10, epochs=4, shuffle=False, verbose=0).history
    assert list(history) == ["loss"]
    close(history["loss"], losses, "loss", 5e-5)
    for one, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        close(one, other, "weights", 1e-4)
    assert ours.predict([X, NOISE], verbose=0).shape == (N, 5)
    with pytest.raises(ValueError, match="not among the model's inputs"):
        ours.add_loss(minidl.Input((1,)) * 2.0)


def test_the_vae_by_added_losses():
    theirs, start, losses = reference_vae()
    ours = vae_by_added_losses(minidl)
    ours([X[:2], NOISE[:2]])
    ours.set_weights(start)
    ours.compile(minidl.optimizers.Adam(0.02))
    history = ours.fit([X, NOISE], batch_size=10, epochs=4, shuffle=False, verbose=0).history
    close(history["loss"], losses, "loss", 5e-5)
    for one, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        close(one, other, "weights", 1e-4)


# ---- the generative adversarial network ----


def gan_parts(k):
    discriminator = k.Sequential(
        [k.Input((5,)), k.layers.Dense(6), k.layers.LeakyReLU(negative_slope=0.2), k.layers.Dense(1)],
        name="discriminator",
    )
    generator = k.Sequential([k.Input((2,)), k.layers.Dense(6, activation="tanh"), k.layers.Dense(5)], name="generator")
    return discriminator, generator


class Gan(minidl.Model):
    """The GAN of Keras' guides: a compile() and a train_step() of its own, two optimizers, two trackers."""

    def __init__(self, discriminator, generator, noise):
        super().__init__()
        self.discriminator, self.generator, self.noise = discriminator, generator, iter(noise)
        self.d_loss_tracker = minidl.metrics.Mean(name="d_loss")
        self.g_loss_tracker = minidl.metrics.Mean(name="g_loss")

    @property
    def metrics(self):
        return [self.d_loss_tracker, self.g_loss_tracker]

    def compile(self, d_optimizer, g_optimizer, loss_fn):
        super().compile()
        self.d_optimizer, self.g_optimizer, self.loss_fn = d_optimizer, g_optimizer, loss_fn

    def train_step(self, real_images):
        if isinstance(real_images, tuple):
            real_images = real_images[0]
        batch_size = minidl.ops.shape(real_images)[0]
        generated_images = self.generator(next(self.noise))
        combined_images = minidl.ops.concatenate([generated_images, real_images], axis=0)
        labels = minidl.ops.concatenate([minidl.ops.ones((batch_size, 1)), minidl.ops.zeros((batch_size, 1))], axis=0)
        with minidl.GradientTape() as tape:
            predictions = self.discriminator(combined_images)
            d_loss = self.loss_fn(labels, predictions)
        grads = tape.gradient(d_loss, self.discriminator.trainable_weights)
        self.d_optimizer.apply_gradients(zip(grads, self.discriminator.trainable_weights, strict=True))
        misleading_labels = minidl.ops.zeros((batch_size, 1))
        with minidl.GradientTape() as tape:
            predictions = self.discriminator(self.generator(next(self.noise)))
            g_loss = self.loss_fn(misleading_labels, predictions)
        grads = tape.gradient(g_loss, self.generator.trainable_weights)
        self.g_optimizer.apply_gradients(zip(grads, self.generator.trainable_weights, strict=True))
        self.d_loss_tracker.update_state(d_loss)
        self.g_loss_tracker.update_state(g_loss)
        return {"d_loss": self.d_loss_tracker.result(), "g_loss": self.g_loss_tracker.result()}


GAN_NOISE = RNG.normal(size=(18, 10, 2)).astype("float32")


def gan_of_keras(steps):
    """Two models compiled in turn, which plain SGD allows: it has no state. Returns the models and their losses."""
    keras, _ = libraries()
    discriminator, generator = gan_parts(keras)
    rng = np.random.default_rng(2)
    start = []
    for part in (discriminator, generator):
        start.append([rng.normal(size=w.shape).astype("float32") * 0.5 for w in part.get_weights()])
        part.set_weights(start[-1])
    gan = keras.Sequential([generator, discriminator])
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    noise, d_losses, g_losses = iter(GAN_NOISE), [], []
    for step in range(steps):
        real = X[10 * (step % 3) :][:10]
        generated = generator.predict(next(noise), verbose=0)
        discriminator.trainable = True
        discriminator.compile(keras.optimizers.SGD(0.1), loss)
        labels = np.repeat([1.0, 0.0], 10)[:, None]
        d_losses.append(discriminator.train_on_batch(np.concatenate([generated, real]), labels))
        discriminator.trainable = False
        gan.compile(keras.optimizers.SGD(0.05), loss)
        g_losses.append(gan.train_on_batch(next(noise), np.zeros((10, 1))))
    return discriminator, generator, start, d_losses, g_losses


def test_the_gan_of_keras_guides():
    discriminator, generator, start, d_losses, g_losses = gan_of_keras(9)
    gan = Gan(*gan_parts(minidl), GAN_NOISE)
    gan.discriminator.set_weights(start[0])
    gan.generator.set_weights(start[1])
    gan.compile(
        d_optimizer=minidl.optimizers.SGD(0.1), g_optimizer=minidl.optimizers.SGD(0.05),
        loss_fn=minidl.losses.BinaryCrossentropy(from_logits=True),
    )  # fmt: skip
    history = gan.fit(X, batch_size=10, epochs=3, shuffle=False, verbose=0).history
    assert list(history) == ["d_loss", "g_loss"]
    close(history["d_loss"], np.reshape(d_losses, (3, 3)).mean(1), "d_loss", 2e-5)
    close(history["g_loss"], np.reshape(g_losses, (3, 3)).mean(1), "g_loss", 2e-5)
    same_weights(gan.discriminator, discriminator)
    same_weights(gan.generator, generator)


def test_the_gan_of_two_compiled_models():
    """The older listing, which relies on what is trainable being settled by compile()."""
    discriminator, generator, start, d_losses, g_losses = gan_of_keras(6)
    d, g = gan_parts(minidl)
    d.set_weights(start[0])
    g.set_weights(start[1])
    loss = minidl.losses.BinaryCrossentropy(from_logits=True)
    d.compile(minidl.optimizers.SGD(0.1), loss)
    d.trainable = False
    gan = minidl.Sequential([g, d])
    gan.compile(minidl.optimizers.SGD(0.05), loss)
    noise, found = iter(GAN_NOISE), []
    for step in range(6):
        generated = g.predict(next(noise), verbose=0)
        labels = np.repeat([1.0, 0.0], 10)[:, None]
        found.append(d.train_on_batch(np.concatenate([generated, X[10 * (step % 3) :][:10]]), labels))
        found.append(gan.train_on_batch(next(noise), np.zeros((10, 1))))
    close(found[::2], d_losses, "d_loss", 2e-5)
    close(found[1::2], g_losses, "g_loss", 2e-5)
    same_weights(d, discriminator)
    same_weights(g, generator)
