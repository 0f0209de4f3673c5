"""Autoencoders and GANs, as the book that the notes draw on writes them (chapter 17); only the imports are ours.

The networks are the book's in layers and order, most of them narrower.
"""

import numpy as np

import minidl as keras
from minidl import ops

__all__ = [
    "Sampling", "dcgan", "dense_gan", "denoising_autoencoder", "sparse_autoencoder", "stacked_autoencoder", "train_gan",
    "variational_autoencoder",
]  # fmt: skip


def stacked_autoencoder():
    stacked_encoder = keras.Sequential([
        keras.layers.Flatten(),
        keras.layers.Dense(100, activation="relu"),
        keras.layers.Dense(30, activation="relu"),
    ])  # fmt: skip
    stacked_decoder = keras.Sequential([
        keras.layers.Dense(100, activation="relu"),
        keras.layers.Dense(28 * 28),
        keras.layers.Reshape([28, 28]),
    ])  # fmt: skip
    stacked_ae = keras.Sequential([stacked_encoder, stacked_decoder])
    stacked_ae.compile(loss="mse", optimizer="nadam")
    return stacked_encoder, stacked_decoder, stacked_ae


def denoising_autoencoder():
    dropout_encoder = keras.Sequential([
        keras.layers.Flatten(),
        keras.layers.Dropout(0.5),
        keras.layers.Dense(100, activation="relu"),
        keras.layers.Dense(30, activation="relu"),
    ])  # fmt: skip
    dropout_decoder = keras.Sequential([
        keras.layers.Dense(100, activation="relu"),
        keras.layers.Dense(28 * 28),
        keras.layers.Reshape([28, 28]),
    ])  # fmt: skip
    dropout_ae = keras.Sequential([dropout_encoder, dropout_decoder])
    dropout_ae.compile(loss="mse", optimizer="nadam")
    return dropout_ae


def sparse_autoencoder(strength: float = 1e-4):
    sparse_l1_encoder = keras.Sequential([
        keras.layers.Flatten(),
        keras.layers.Dense(100, activation="relu"),
        keras.layers.Dense(300, activation="sigmoid"),
        keras.layers.ActivityRegularization(l1=strength),
    ])  # fmt: skip
    sparse_l1_decoder = keras.Sequential([
        keras.layers.Dense(100, activation="relu"),
        keras.layers.Dense(28 * 28),
        keras.layers.Reshape([28, 28]),
    ])  # fmt: skip
    sparse_l1_ae = keras.Sequential([sparse_l1_encoder, sparse_l1_decoder])
    sparse_l1_ae.compile(loss="mse", optimizer="nadam")
    return sparse_l1_encoder, sparse_l1_ae


class Sampling(keras.layers.Layer):
    def call(self, inputs):
        mean, log_var = inputs
        return keras.random.normal(ops.shape(log_var)) * ops.exp(log_var / 2) + mean


def variational_autoencoder(codings_size: int = 10):
    inputs = keras.layers.Input(shape=[28, 28])
    Z = keras.layers.Flatten()(inputs)
    Z = keras.layers.Dense(150, activation="relu")(Z)
    Z = keras.layers.Dense(100, activation="relu")(Z)
    codings_mean = keras.layers.Dense(codings_size)(Z)
    codings_log_var = keras.layers.Dense(codings_size)(Z)
    codings = Sampling()([codings_mean, codings_log_var])
    variational_encoder = keras.Model(inputs=[inputs], outputs=[codings_mean, codings_log_var, codings])

    decoder_inputs = keras.layers.Input(shape=[codings_size])
    x = keras.layers.Dense(100, activation="relu")(decoder_inputs)
    x = keras.layers.Dense(150, activation="relu")(x)
    x = keras.layers.Dense(28 * 28)(x)
    outputs = keras.layers.Reshape([28, 28])(x)
    variational_decoder = keras.Model(inputs=[decoder_inputs], outputs=[outputs])

    _, _, codings = variational_encoder(inputs)
    reconstructions = variational_decoder(codings)
    variational_ae = keras.Model(inputs=[inputs], outputs=[reconstructions])
    latent_loss = -0.5 * ops.sum(1 + codings_log_var - ops.exp(codings_log_var) - ops.square(codings_mean), axis=-1)
    variational_ae.add_loss(ops.mean(latent_loss) / 784.0)
    variational_ae.compile(loss="mse", optimizer="nadam")
    return variational_encoder, variational_decoder, variational_ae


def dense_gan(codings_size: int = 30):
    Dense = keras.layers.Dense
    generator = keras.Sequential([
        Dense(100, activation="relu", kernel_initializer="he_normal", input_shape=[codings_size]),
        Dense(150, activation="relu", kernel_initializer="he_normal"),
        Dense(28 * 28, activation="sigmoid"),
        keras.layers.Reshape([28, 28]),
    ])  # fmt: skip
    discriminator = keras.Sequential([
        keras.layers.Flatten(input_shape=[28, 28]),
        Dense(150, activation="relu", kernel_initializer="he_normal"),
        Dense(100, activation="relu", kernel_initializer="he_normal"),
        Dense(1, activation="sigmoid"),
    ])  # fmt: skip
    gan = keras.Sequential([generator, discriminator])

    discriminator.compile(loss="binary_crossentropy", optimizer="rmsprop")
    discriminator.trainable = False
    gan.compile(loss="binary_crossentropy", optimizer="rmsprop")
    return gan


def dcgan(codings_size: int = 30, width: int = 16):
    generator = keras.Sequential([
        keras.layers.Dense(7 * 7 * 2 * width, input_shape=[codings_size]),
        keras.layers.Reshape([7, 7, 2 * width]),
        keras.layers.BatchNormalization(),
        keras.layers.Conv2DTranspose(width, kernel_size=5, strides=2,
                                     padding="same", activation="relu"),
        keras.layers.BatchNormalization(),
        keras.layers.Conv2DTranspose(1, kernel_size=5, strides=2,
                                     padding="same", activation="tanh"),
    ])  # fmt: skip
    discriminator = keras.Sequential([
        keras.layers.Conv2D(width, kernel_size=5, strides=2, padding="same",
                            activation=keras.layers.LeakyReLU(0.2), input_shape=[28, 28, 1]),
        keras.layers.Dropout(0.4),
        keras.layers.Conv2D(2 * width, kernel_size=5, strides=2, padding="same",
                            activation=keras.layers.LeakyReLU(0.2)),
        keras.layers.Dropout(0.4),
        keras.layers.Flatten(),
        keras.layers.Dense(1, activation="sigmoid"),
    ])  # fmt: skip
    gan = keras.Sequential([generator, discriminator])

    discriminator.compile(loss="binary_crossentropy", optimizer="rmsprop")
    discriminator.trainable = False
    gan.compile(loss="binary_crossentropy", optimizer="rmsprop")
    return gan


def train_gan(gan, dataset, batch_size, codings_size, n_epochs, look=lambda phase: None):
    """The book's loop; ``look`` is called before the first phase and after each."""
    generator, discriminator = gan.layers
    for _ in range(n_epochs):
        for X_batch in dataset:
            look(0)
            # phase 1 - training the discriminator
            noise = keras.random.normal(shape=[batch_size, codings_size])
            generated_images = generator(noise)
            X_fake_and_real = ops.concatenate([generated_images, X_batch], axis=0)
            y1 = np.array([[0.0]] * batch_size + [[1.0]] * batch_size)
            discriminator.train_on_batch(X_fake_and_real, y1)
            look(1)
            # phase 2 - training the generator
            noise = keras.random.normal(shape=[batch_size, codings_size])
            y2 = np.array([[1.0]] * batch_size)
            gan.train_on_batch(noise, y2)
            look(2)
