"""What all convolution layers share: the settings of the windows, the bias, and the shapes that come out."""

from typing import Any

from minidl import activations, constraints, initializers, ops, registry, regularizers
from minidl.ops.layout import checked_padding, data_format_of, several

from .input_spec import InputSpec
from .layer import Layer

__all__ = ["ConvolutionBase", "layout", "window_outputs"]


class ConvolutionBase(Layer):
    """A layer with kernels that move over sequences (rank 1) or pictures (rank 2), a bias and an activation."""

    rank: int
    takes_causal = False

    def _settle(
        self, kernel_size: Any, strides: Any, padding: Any, data_format: Any, dilation_rate: Any, activation: Any,
        use_bias: bool, bias_initializer: Any, bias_regularizer: Any, bias_constraint: Any,
    ) -> None:  # fmt: skip
        """Check and keep the arguments that are the same in every convolution layer."""
        self.kernel_size = several(kernel_size, self.rank, "kernel_size")
        self.strides = several(strides, self.rank, "strides")
        self.padding = checked_padding(padding, causal=self.takes_causal)
        self.data_format = data_format_of(data_format)
        self.dilation_rate = several(dilation_rate, self.rank, "dilation_rate")
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self._keep("bias", bias_initializer, bias_regularizer, bias_constraint)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def _keep(self, kind: str, initializer: Any, regularizer: Any, constraint: Any) -> None:
        """Keep what makes, penalises and constrains the weights of a kind: ``bias_initializer`` and so on."""
        setattr(self, f"{kind}_initializer", initializers.get(initializer))
        setattr(self, f"{kind}_regularizer", regularizers.get(regularizer))
        setattr(self, f"{kind}_constraint", constraints.get(constraint))

    def _refuse_strides_with_dilation(self) -> None:
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise ValueError(
                f"{type(self).__name__}: strides and dilation_rate cannot both be above 1, not strides={self.strides} "
                f"and dilation_rate={self.dilation_rate}"
            )

    def _channels(self, input_shape: Any) -> int:
        """The channels of an input, which must be known from here on."""
        axis = -1 if self.data_format == "channels_last" else 1
        channels = input_shape[axis]
        if channels is None:
            raise ValueError(
                f"{type(self).__name__} {self.name!r}: the channels of the input must be known, got shape {input_shape}"
            )
        self.input_spec = InputSpec(ndim=self.rank + 2, axes={axis: channels})
        return int(channels)

    def _add_kernel(self, name: str, shape: tuple[int, ...], kind: str) -> Any:
        """A weight with the initializer, regularizer and constraint that are called after ``kind``."""
        return self.add_weight(
            shape, getattr(self, f"{kind}_initializer"), regularizer=getattr(self, f"{kind}_regularizer"),
            constraint=getattr(self, f"{kind}_constraint"), name=name,
        )  # fmt: skip

    def _add_bias(self, filters: int) -> None:
        self.bias = self._add_kernel("bias", (filters,), "bias") if self.use_bias else None

    def _finished(self, y: Any) -> Any:
        """Bias and activation."""
        if self.bias is None:
            return self.activation(y)
        if self.data_format == "channels_first":
            return self.activation(ops.add(y, ops.reshape(self.bias, (-1,) + (1,) * self.rank)))
        if self.activation is activations.relu:
            return ops.bias_relu(y, self.bias)
        return self.activation(ops.add(y, self.bias))

    def _output_shape(self, input_shape: Any, filters: int) -> tuple[int | None, ...]:
        return layout(self, input_shape[0], window_outputs(self, input_shape, self.kernel_size), filters)

    def _window_config(self) -> dict[str, Any]:
        return {
            "kernel_size": list(self.kernel_size),
            "strides": list(self.strides),
            "padding": self.padding,
            "data_format": self.data_format,
            "dilation_rate": list(self.dilation_rate),
        }

    def _kinds_config(self, *kinds: str) -> dict[str, Any]:
        """Activation and bias, and what makes, penalises and constrains the weights of each kind."""
        settings = {"activation": registry.serialize(self.activation), "use_bias": self.use_bias}
        for part in ("initializer", "regularizer", "constraint"):
            for kind in (*kinds, "bias"):
                settings[f"{kind}_{part}"] = registry.serialize(getattr(self, f"{kind}_{part}"))
        return settings


def layout(layer: Any, n: Any, extents: Any, channels: Any) -> tuple[Any, ...]:
    """A shape in the layer's data_format."""
    return (n, *extents, channels) if layer.data_format == "channels_last" else (n, channels, *extents)


def window_outputs(layer: Any, input_shape: Any, size: tuple[int, ...]) -> tuple[int | None, ...]:
    """The extents that come out when the layer's window of ``size`` moves over inputs of ``input_shape``."""
    extents = input_shape[1:-1] if layer.data_format == "channels_last" else input_shape[2:]
    dilation = getattr(layer, "dilation_rate", (1,) * len(size))
    found: list[int | None] = []
    for extent, cells, stride, step in zip(extents, size, layer.strides, dilation, strict=True):
        window = (cells - 1) * step + 1
        if extent is None:
            found.append(None)
        elif layer.padding != "valid":
            found.append(-(-extent // stride))
        elif extent < window:
            steps = "" if max(dilation) == 1 else f" with dilation_rate {dilation}"
            cells_of, extents_of = ("x".join(map(str, numbers)) for numbers in (size, extents))
            raise ValueError(
                f"{type(layer).__name__} {layer.name!r}: a window of {cells_of}{steps} does not fit into inputs of "
                f"{extents_of} with padding='valid'; write padding='same', or a smaller window"
            )
        else:
            found.append((extent - window) // stride + 1)
    return tuple(found)
