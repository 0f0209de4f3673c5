"""Keras 3 on JAX: training through ``fit``, its quicker way; outputs and the GAN's step as jitted functions."""

import itertools
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

os.environ["KERAS_BACKEND"] = "jax"

import jax  # noqa: E402
import keras  # noqa: E402
import numpy as np  # noqa: E402

from . import common  # noqa: E402
from .keras_nets import build, gan_nets, parameters  # noqa: E402
from .workloads import Runner, Workload, batches, in_turn  # noqa: E402


def prepare(workload: Workload) -> Runner:
    """Build the networks and return what does steps."""
    keras.utils.set_random_seed(0)
    given = batches(workload)
    if _gpu is None:
        return _prepare(workload, given)
    runner = _prepare(workload, jax.device_put(given, _gpu))
    return runner._replace(wait=lambda: (jax.device_put(0.0, _gpu) + 0).block_until_ready(), memory=_memory)


def _prepare(workload: Workload, given: Sequence[Any]) -> Runner:
    if workload.kind == "gan":
        return _gan(*gan_nets(keras, workload), given)
    model = build(keras, workload.layers, workload.shape)
    if workload.kind == "infer":
        return Runner(parameters(model), in_turn(given, _answer(model)))
    rate = {"sgd": keras.optimizers.SGD, "adam": keras.optimizers.Adam}[workload.optimizer]()
    model.compile(rate, "sparse_categorical_crossentropy", jit_compile=True)
    return Runner(parameters(model), _fit(model, given))


def _fit(model: Any, given: Sequence[Any]) -> Callable[[int], float]:
    """``fit`` reports the mean over its steps, so the last one is done alone."""
    endless = itertools.cycle(given)

    def run(steps: int) -> float:
        if steps > 1:
            several = (one for one in itertools.islice(endless, steps - 1))
            model.fit(several, steps_per_epoch=steps - 1, epochs=1, verbose=0, shuffle=False)
        return float(model.train_on_batch(*next(endless)))

    return run


def _answer(model: Any) -> Callable[..., float]:
    trained = [variable.value for variable in model.trainable_variables]
    others = [variable.value for variable in model.non_trainable_variables]
    answer = jax.jit(lambda t, n, x: model.stateless_call(t, n, x, training=False)[0])
    return lambda x, y: float(np.asarray(answer(trained, others, x))[0, 0])


def _gan(generator: Any, critic: Any, given: Sequence[Any]) -> Runner:
    """One update of the discriminator and one of the generator; all state goes through the function."""
    optimizers = [keras.optimizers.Adam(), keras.optimizers.Adam()]
    loss_of = keras.losses.BinaryCrossentropy(from_logits=True)
    for optimizer, model in zip(optimizers, (critic, generator), strict=True):
        optimizer.build(model.trainable_variables)

    def critic_loss(weights: Any, still: Any, pictures: Any, labels: Any) -> Any:
        return loss_of(labels, critic.stateless_call(weights, still, pictures, training=True)[0])

    def generator_loss(weights: Any, others: Any, critic_weights: Any, still: Any, noise: Any, ones: Any) -> Any:
        pictures, others = generator.stateless_call(weights, others, noise, training=True)
        return critic_loss(critic_weights, still, pictures, ones), others

    @jax.jit
    def step(state: Any, real: Any, noise: Any, other_noise: Any) -> Any:
        g, g_others, c, c_others, of_critic, of_generator = state
        ones = jax.numpy.ones((len(real), 1))
        fake, g_others = generator.stateless_call(g, g_others, noise, training=True)
        pictures = jax.numpy.concatenate([jax.lax.stop_gradient(fake), real])
        labels = jax.numpy.concatenate([0 * ones, ones])
        loss, gradients = jax.value_and_grad(critic_loss)(c, c_others, pictures, labels)
        c, of_critic = optimizers[0].stateless_apply(of_critic, gradients, c)
        (_, g_others), gradients = jax.value_and_grad(generator_loss, has_aux=True)(
            g, g_others, c, c_others, other_noise, ones
        )
        g, of_generator = optimizers[1].stateless_apply(of_generator, gradients, g)
        return (g, g_others, c, c_others, of_critic, of_generator), loss

    def values(variables: Any) -> list[Any]:
        return [variable.value for variable in variables]

    state: Any = (
        values(generator.trainable_variables), values(generator.non_trainable_variables),
        values(critic.trainable_variables), values(critic.non_trainable_variables),
        *(values(optimizer.variables) for optimizer in optimizers),
    )  # fmt: skip

    def update(*data: Any) -> Any:
        nonlocal state
        state, loss = step(state, *data)
        return float(loss) if _gpu is None else loss

    return Runner(parameters(generator, critic), in_turn(given, update))


_gpu: Any = None


@contextmanager
def using(device: str, tf32: bool) -> Iterator[None]:
    """Inside the block networks and batches are on this GPU; the process is given to it."""
    global _gpu
    jax.config.update("jax_default_matmul_precision", "tensorfloat32" if tf32 else "highest")
    _gpu = jax.devices("cuda")[int(device.partition(":")[2])]
    with jax.default_device(_gpu):
        yield


def _memory() -> int:
    known = _gpu.memory_stats()
    return int(known.get("peak_pool_bytes", known["peak_bytes_in_use"]))


def set_threads(count: int) -> None:
    """JAX reads the number when it starts: see ``peers.py``."""


def describe() -> dict[str, Any]:
    """Versions and settings."""
    return {"versions": common.versions("numpy", "keras", "jax"), "device": str(_gpu or jax.devices()[0])}
