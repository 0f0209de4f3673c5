"""minidl's side of the workloads."""

from typing import Any

import minidl
from minidl_kernels import config

from . import common
from .keras_nets import build, gan_nets, parameters
from .workloads import Runner, Workload, batches, in_turn


class Gan(minidl.Model):
    """One update of the discriminator and one of the generator, as Keras' guides write it."""

    def __init__(self, generator: Any, discriminator: Any):
        super().__init__()
        self.generator, self.discriminator = generator, discriminator
        self.loss_of = minidl.losses.BinaryCrossentropy(from_logits=True)

    def compile(self, generator_optimizer: Any, discriminator_optimizer: Any) -> None:
        """Two optimizers; no loss, for ``train_step`` has its own."""
        super().compile()
        self.generator_optimizer, self.discriminator_optimizer = generator_optimizer, discriminator_optimizer

    def train_step(self, data: Any) -> dict[str, Any]:
        """``data``: real pictures, noise for the discriminator's update, noise for the generator's."""
        real, noise, other_noise = data
        ones, zeros = minidl.ops.ones((len(real), 1)), minidl.ops.zeros((len(real), 1))
        pictures = minidl.ops.concatenate([minidl.ops.stop_gradient(self.generator(noise, training=True)), real])
        with minidl.GradientTape() as tape:
            answers = self.discriminator(pictures, training=True)
            loss = self.loss_of(minidl.ops.concatenate([zeros, ones]), answers)
        weights = self.discriminator.trainable_weights
        self.discriminator_optimizer.apply(tape.gradient(loss, weights), weights)
        with minidl.GradientTape() as tape:
            answers = self.discriminator(self.generator(other_noise, training=True), training=True)
            generator_loss = self.loss_of(ones, answers)
        weights = self.generator.trainable_weights
        self.generator_optimizer.apply(tape.gradient(generator_loss, weights), weights)
        return {"loss": loss, "generator_loss": generator_loss}


def prepare(workload: Workload) -> Runner:
    """Build the networks; training goes through ``train_on_batch``, a GAN through its ``train_step``."""
    minidl.utils.set_random_seed(0)
    given = batches(workload)
    if workload.kind == "gan":
        gan = Gan(*gan_nets(minidl, workload))
        gan.compile(minidl.optimizers.Adam(), minidl.optimizers.Adam())
        count = parameters(gan.generator, gan.discriminator)
        return Runner(count, in_turn(given, lambda *data: gan.train_step(data)["loss"]))
    model = build(minidl, workload.layers, workload.shape)
    if workload.kind == "infer":
        return Runner(parameters(model), in_turn(given, lambda x, y: model.predict_on_batch(x)[0, 0]))
    model.compile(workload.optimizer, "sparse_categorical_crossentropy")
    return Runner(parameters(model), in_turn(given, model.train_on_batch))


def set_threads(count: int) -> None:
    """For all that follows."""
    config.set_threads(count)


def describe() -> dict[str, Any]:
    """Versions and settings."""
    return {"versions": common.versions("numpy", "numba", "minidl"), "OpenBLAS core": common.openblas_core()}
