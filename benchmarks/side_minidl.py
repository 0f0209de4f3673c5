"""minidl's side of the workloads."""

import itertools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import minidl
from minidl_kernels import config, devices

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
        super().compile(jit_compile=True)  # it does the same in every step
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
    """Build the networks where the current device is; batches are brought there before.

    Training goes through ``train_on_batch``. On a GPU, where reading a loss is to
    wait for it, all steps of a round but the last go through ``fit``.
    """
    minidl.utils.set_random_seed(0)
    device, given = devices.current(), batches(workload)
    if device.library is None:
        return _prepare(workload, given, _on_batches)[0]
    there = [tuple(minidl.ops.convert_to_tensor(one) for one in several) for several in given]
    runner, model = _prepare(workload, there, _fit)
    cuda = device.library.namespace.cuda.Device(device.number)
    return runner._replace(wait=cuda.synchronize, memory=lambda: _memory(device.library.namespace, model))


def _prepare(workload: Workload, given: Sequence[Any], training: Callable[..., Any]) -> tuple[Runner, Any]:
    if workload.kind == "gan":
        gan = Gan(*gan_nets(minidl, workload))
        gan.compile(minidl.optimizers.Adam(), minidl.optimizers.Adam())
        count = parameters(gan.generator, gan.discriminator)
        return Runner(count, in_turn(given, lambda *data: gan.train_on_batch(*data, return_dict=True)["loss"])), gan
    model = build(minidl, workload.layers, workload.shape)
    if workload.kind == "infer":
        return Runner(parameters(model), in_turn(given, lambda x, y: model.predict_on_batch(x)[0, 0])), model
    model.compile(workload.optimizer, "sparse_categorical_crossentropy")
    return Runner(parameters(model), training(model, given)), model


def _on_batches(model: Any, given: Sequence[Any]) -> Callable[[int], float]:
    return in_turn(given, model.train_on_batch)


def _fit(model: Any, given: Sequence[Any]) -> Callable[[int], float]:
    """``fit`` gives the mean over its steps, so the last one is done alone."""
    endless = itertools.cycle(given)

    def run(steps: int) -> float:
        if steps > 1:
            model.fit(itertools.islice(endless, steps - 1), steps_per_epoch=steps - 1, verbose=0)
        return float(model.train_on_batch(*next(endless)))

    return run


def _memory(xp: Any, model: Any) -> int:
    """The bytes of CuPy's pools, which give nothing back: the common one, and that of the model's CUDA graphs."""
    pools = [xp.get_default_memory_pool()]
    if model._captured is not None:
        pools.append(model._captured.recorder.pool)
    return sum(pool.total_bytes() for pool in pools)


@contextmanager
def using(device: str, tf32: bool) -> Iterator[None]:
    """Inside the block networks and batches are on this GPU, and TF32 is on or off."""
    before = minidl.config.is_tf32_enabled()
    minidl.config.enable_tf32(tf32)
    try:
        with minidl.device(device):
            yield
    finally:
        minidl.config.enable_tf32(before)


def set_threads(count: int) -> None:
    """For all that follows."""
    config.set_threads(count)


def describe() -> dict[str, Any]:
    """Versions and settings."""
    found = {"versions": common.versions("numpy", "numba", "minidl"), "OpenBLAS core": common.openblas_core()}
    if (library := devices.current().library) is None:
        return found
    cuda = library.namespace.cuda.runtime.runtimeGetVersion()
    facts = {"device": str(devices.current()), "tf32": minidl.config.is_tf32_enabled()}
    return {**found, **facts, "CuPy": library.namespace.__version__, "CUDA": f"{cuda // 1000}.{cuda % 1000 // 10}"}
