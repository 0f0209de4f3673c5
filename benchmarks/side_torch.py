"""PyTorch's side of the workloads, in three manners.

torch          as its tutorials write it: channels first, eager
torch-tuned    channels last, fused optimizers, inference mode, ReLU in place; the child's memory is not given back;
               on a GPU cuDNN chooses by measuring, and steps are recorded as CUDA graphs
torch-compile  eager's settings through ``torch.compile``

On a GPU a loss is read at the end of a round, not in each step; outputs are brought to the processor.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import nn

from . import common
from .workloads import NOISE, Runner, Workload, batches, in_turn, initial_weights, shape_after

_device = torch.device("cpu")


@contextmanager
def using(device: str, tf32: bool) -> Iterator[None]:
    """Inside the block networks and batches are on this GPU, and TF32 is on or off; the process is given to it."""
    global _device
    _device = torch.device(device.replace("gpu", "cuda"))
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = tf32
    with torch.cuda.device(_device):
        yield


class Residual(nn.Module):
    """The sum of two ways."""

    def __init__(self, main: nn.Module, short: nn.Module):
        super().__init__()
        self.main, self.short = main, short

    def forward(self, x: Any) -> Any:
        return self.main(x) + self.short(x)


class Builder:
    """Makes modules of layers, with the initial weights in PyTorch's layout."""

    def __init__(self, layers: Sequence[Any], shape: tuple[int, ...], seed: int, in_place: bool, logits: bool):
        self.weights = iter(initial_weights(layers, shape, seed))
        self.in_place, self.logits = in_place, logits
        self.module = self.stack(layers, shape)

    def stack(self, layers: Sequence[Any], shape: tuple[int, ...]) -> nn.Sequential:
        """Modules in a row."""
        modules: list[nn.Module] = []
        flattened: tuple[int, ...] | None = None  # the picture that a dense layer gets as a row
        for place, layer in enumerate(layers):
            reshaped = next((tuple(one[1:]) for one in layers[place:] if one[0] == "reshape"), None)
            modules += self.modules(layer, shape, flattened, reshaped)
            flattened = shape if layer[0] == "flatten" else None if layer[0] == "dense" else flattened
            shape = shape_after(layer, shape)
        return nn.Sequential(*modules)

    def modules(
        self, layer: Sequence[Any], shape: tuple[int, ...], flattened: tuple[int, ...] | None, reshaped: Any
    ) -> list[nn.Module]:
        """One layer, and its activation."""
        kind, *settings = layer
        if kind == "dense":
            kernel, bias = next(self.weights)
            if flattened:  # rows of Keras' kernel go through a picture channels last
                kernel = kernel.reshape(*flattened, -1).transpose(2, 0, 1, 3).reshape(kernel.shape)
            if reshaped:  # and columns make one
                kernel = kernel.reshape(-1, *reshaped).transpose(0, 3, 1, 2).reshape(kernel.shape)
            return [_with(nn.Linear(*kernel.shape), kernel.T, bias), *self.activation(settings[1])]
        if kind == "conv":
            filters, size, stride, padding, activation, bias = settings
            border = (size - 1) // 2 if padding == "same" else 0
            made: nn.Module = nn.Conv2d(shape[-1], filters, size, stride, border, bias=bias)
        elif kind == "transposed":
            filters, size, stride, activation, bias = settings
            made = nn.ConvTranspose2d(shape[-1], filters, size, stride, (size - stride) // 2, bias=bias)
        elif kind == "norm":
            return [(nn.BatchNorm2d if len(shape) == 3 else nn.BatchNorm1d)(shape[-1], eps=1e-3, momentum=0.01)]
        elif kind == "residual":
            return [Residual(*(self.stack(way, shape) if way else nn.Identity() for way in settings))]
        else:
            return self.simple(kind, settings)
        kernel, *biases = next(self.weights)
        return [_with(made, kernel.transpose(3, 2, 0, 1), *biases), *self.activation(activation)]

    def activation(self, name: str | None) -> list[nn.Module]:
        """The module of an activation; the softmax before a loss is part of PyTorch's loss."""
        if name is None or (name == "softmax" and self.logits):
            return []
        return {"relu": [nn.ReLU(self.in_place)], "tanh": [nn.Tanh()], "softmax": [nn.Softmax(1)]}[name]

    def simple(self, kind: str, settings: list[Any]) -> list[nn.Module]:
        """A layer without weights."""
        if kind == "reshape":
            return [nn.Unflatten(1, (settings[2], *settings[:2]))]
        made = {
            "relu": lambda: [nn.ReLU(self.in_place)], "leaky": lambda: [nn.LeakyReLU(0.2, self.in_place)],
            "pool": lambda: [nn.MaxPool2d(2)], "dropout": lambda: [nn.Dropout(settings[0])],
            "average": lambda: [nn.AdaptiveAvgPool2d(1), nn.Flatten()], "flatten": lambda: [nn.Flatten()],
        }  # fmt: skip
        return made[kind]()


def _with(module: nn.Module, kernel: np.ndarray, *bias: np.ndarray) -> nn.Module:
    with torch.no_grad():
        for parameter, values in zip(module.parameters(), (kernel, *bias), strict=True):
            parameter.copy_(torch.from_numpy(np.ascontiguousarray(values)))
    return module


def prepare(workload: Workload, manner: str = "torch") -> Runner:
    """Build the networks in a manner and return what does steps."""
    torch.manual_seed(0)
    tuned = manner == "torch-tuned"
    torch.backends.cudnn.benchmark = tuned
    given = [tuple(_tensor(one, tuned).to(_device) for one in several) for several in batches(workload)]

    def network(layers: Sequence[Any], shape: tuple[int, ...], seed: int) -> nn.Module:
        module: nn.Module = Builder(layers, tuple(shape), seed, tuned, workload.kind != "infer").module.to(_device)
        module = module.to(memory_format=torch.channels_last) if tuned else module
        return torch.compile(module) if manner == "torch-compile" else module  # type: ignore[return-value]

    nets = [network(workload.layers, (NOISE,) if workload.critic else workload.shape, 1 if workload.critic else 0)]
    if workload.kind == "gan":
        nets.append(network(workload.critic, workload.shape, 2))
        step = _gan_step(*nets, tuned)
    elif workload.kind == "infer":
        step = _answer(nets[0].eval(), tuned)
    else:
        step = _step(nets[0], workload.optimizer, tuned)
    answers = workload.kind == "infer"
    if _device.type == "cpu":
        read: Callable[[Any], float] = (lambda y: y[0, 0].item()) if answers else torch.Tensor.item
        return Runner(_count(*nets), in_turn(given, lambda *data: read(step(*data))))
    done = Recorded(step, given[0]) if tuned else step
    runner = Runner(_count(*nets), in_turn(given, (lambda *data: done(*data).cpu()[0, 0]) if answers else done))
    return runner._replace(
        wait=partial(torch.cuda.synchronize, _device), memory=partial(torch.cuda.max_memory_reserved, _device)
    )


class Recorded:
    """A step on a GPU: three times as always, on a stream of its own, then recorded as a CUDA graph and launched.

    Args:
        step: of tensors on the GPU. It must not read a value, and not hand out what remembers how it was computed.
        example: tensors of the shapes that all batches have.
    """

    def __init__(self, step: Callable[..., Any], example: Sequence[Any]):
        self.step, self.before, self.graph = step, 3, None
        self.places = [torch.empty_like(one) for one in example]
        self.stream = torch.cuda.Stream()

    def __call__(self, *data: Any) -> Any:
        for place, one in zip(self.places, data, strict=True):
            place.copy_(one)
        if self.before:
            self.before -= 1
            self.stream.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(self.stream):
                result = self.step(*self.places)
            torch.cuda.current_stream().wait_stream(self.stream)
            return result
        if self.graph is None:
            self.graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(self.graph):
                self.result = self.step(*self.places)
        self.graph.replay()
        return self.result


def _tensor(array: np.ndarray, channels_last: bool) -> Any:
    if array.ndim != 4:
        return torch.from_numpy(array)
    tensor = torch.from_numpy(np.ascontiguousarray(np.moveaxis(array, -1, 1)))
    return tensor.to(memory_format=torch.channels_last) if channels_last else tensor


def _count(*modules: nn.Module) -> int:
    return sum(parameter.numel() for module in modules for parameter in module.parameters())


def _optimizer(name: str, module: nn.Module, fused: bool) -> Any:
    given: dict[str, Any] = {"fused": True} if fused else {}
    if name == "sgd":
        return torch.optim.SGD(module.parameters(), lr=0.01, **given)
    if fused and _device.type == "cuda":
        given["capturable"] = True  # it counts its steps on the GPU
    return torch.optim.Adam(module.parameters(), lr=0.001, eps=1e-7, **given)


def _step(model: nn.Module, optimizer_name: str, tuned: bool) -> Any:
    optimizer = _optimizer(optimizer_name, model, tuned)
    loss_of = nn.CrossEntropyLoss()

    def step(x: Any, y: Any) -> Any:
        optimizer.zero_grad()
        loss = loss_of(model(x), y)
        loss.backward()
        optimizer.step()
        return loss.detach()

    return step


def _gan_step(generator: nn.Module, critic: nn.Module, tuned: bool) -> Any:
    of_generator, of_critic = _optimizer("adam", generator, tuned), _optimizer("adam", critic, tuned)
    loss_of = nn.BCEWithLogitsLoss()

    def step(real: Any, noise: Any, other_noise: Any) -> Any:
        ones, zeros = torch.ones(len(real), 1, device=_device), torch.zeros(len(real), 1, device=_device)
        with torch.no_grad():
            fake = generator(noise)
        of_critic.zero_grad()
        loss = loss_of(critic(torch.cat([fake, real])), torch.cat([zeros, ones]))
        loss.backward()
        of_critic.step()
        of_generator.zero_grad()
        loss_of(critic(generator(other_noise)), ones).backward()
        of_generator.step()
        return loss.detach()

    return step


def _answer(model: nn.Module, tuned: bool) -> Any:
    def answer(x: Any, y: Any) -> Any:
        with torch.inference_mode() if tuned else torch.no_grad():
            return model(x)

    return answer


def set_threads(count: int) -> None:
    """For all that follows."""
    torch.set_num_threads(count)


def describe() -> dict[str, Any]:
    """Versions and settings."""
    found: dict[str, Any] = {"versions": common.versions("numpy", "torch"), "threads": torch.get_num_threads()}
    if _device.type == "cpu":
        return found
    allowed = {"matmul": torch.backends.cuda.matmul.allow_tf32, "cudnn": torch.backends.cudnn.allow_tf32}
    facts = {"device": torch.cuda.get_device_name(_device), "tf32": allowed}
    return {**found, **facts, "CUDA": torch.version.cuda, "cuDNN": torch.backends.cudnn.version()}
