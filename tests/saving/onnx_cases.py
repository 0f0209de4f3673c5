"""One row for each setting of a layer that changes its ONNX graph: the layer, and the shapes of its inputs."""

from typing import Any, NamedTuple

import numpy as np

from minidl import layers


class Case(NamedTuple):
    """A layer by name, its arguments, and what it is called on."""

    name: str
    shapes: Any  # of one sample: a tuple, or a list of them for several inputs
    args: tuple[Any, ...] = ()
    settings: dict[str, Any] = {}
    dtype: str = "float32"
    limit: int = 9  # of whole numbers

    def make(self) -> Any:
        return getattr(layers, self.name)(*self.args, **self.settings)


def rows(name: str, shapes: Any, *settings: dict[str, Any], args: tuple[Any, ...] = (), **more: Any) -> list[Case]:
    return [Case(name, shapes, args, one, **more) for one in settings or ({},)]


FIRST = {"data_format": "channels_first"}
SAME = {"padding": "same"}
PICTURE, SEQUENCE, TWO = (9, 10, 4), (11, 4), [(5, 6), (5, 6)]
MOVING = [
    {}, SAME, {"strides": 2, **SAME}, {"strides": 3}, {"strides": 3, **SAME}, {"dilation_rate": 2, **SAME},
    {"dilation_rate": 3}, {"use_bias": False, "activation": "relu"},
    {"activation": "tanh", "strides": 2, **SAME, **FIRST}, {"dilation_rate": 2, **SAME, **FIRST},
]  # fmt: skip
LARGER = [{"strides": s, "padding": p} for s in (1, 2, 3) for p in ("valid", "same")]
LARGER += [{"strides": 3, "padding": p, "output_padding": o} for p in ("valid", "same") for o in (0, 1, 2)]
LARGER += [{"dilation_rate": 2, "padding": p} for p in ("valid", "same")]
LARGER += [{"use_bias": False, "activation": "relu"}, {"strides": 2, **SAME, **FIRST}]
POOLS = [
    {}, SAME, {"pool_size": 3, "strides": 2, **SAME}, {"pool_size": 3, "strides": 1}, {"strides": 3, **SAME},
    {"pool_size": 3, "strides": 2, **SAME, **FIRST}, {"pool_size": 4, "strides": 3, **FIRST},
]  # fmt: skip
GLOBAL = [{}, {"keepdims": True}, FIRST, {"keepdims": True, **FIRST}]
SCALED = [{}, {"center": False}, {"scale": False}, {"center": False, "scale": False}, {"epsilon": 0.5}]

CASES: list[Case] = [
    # matrices
    *rows("Dense", (5,), {}, {"use_bias": False}, {"activation": "softmax"}, args=(3,)),
    *rows("Dense", (4, 5), {"activation": "gelu"}, {"use_bias": False}, args=(3,)),
    *rows("Dense", (2, 3, 5), {"activation": "relu"}, args=(3,)),
    *rows("EinsumDense", (5,), {"bias_axes": "c"}, args=("ab,bc->ac", 3)),
    *rows("EinsumDense", (4, 5), {"bias_axes": "de"}, {"bias_axes": "d"}, args=("abc,cde->abde", (None, 2, 3))),
    *rows("EinsumDense", (4, 5), {}, {"activation": "relu", "bias_axes": "y"}, args=("...x,xy->...y", 3)),
    *rows("EinsumDense", (4, 5), {"bias_axes": "c"}, args=("ab...,bc->ac...", 3)),
    *rows("Embedding", (6,), args=(9, 3), dtype="int32"),
    *rows("Embedding", (6,), args=(9, 3), dtype="uint8"),
    *rows("Embedding", (6, 2), args=(9, 3), dtype="whole"),
    # columns
    *rows("CategoryEncoding", (6,), {"output_mode": "one_hot"}, {}, {"output_mode": "count"}, args=(9,), dtype="int32"),
    *rows("CategoryEncoding", (1,), {"output_mode": "one_hot"}, {}, args=(9,), dtype="int32"),
    *rows("CategoryEncoding", (6,), {}, args=(9,), dtype="whole"),
    *rows("Discretization", (4, 3), {}, {"output_mode": "one_hot"}, args=([-1.0, 0.0, 0.5],)),
    *rows("Discretization", (6,), {"output_mode": "multi_hot"}, {"output_mode": "count"}, args=([-1.0, 0.0, 0.5],)),
    *rows("Discretization", (6,), args=([2.0, 5.0],), dtype="whole"),
    *rows("Masking", (5, 2), {"mask_value": 1.0}, args=(), dtype="whole", limit=2), *rows("Masking", (5, 3)),
    # convolutions
    *rows("Conv1D", SEQUENCE, *MOVING, {"groups": 2, **SAME}, {"padding": "causal", "dilation_rate": 2},
          {"padding": "causal", "strides": 2, "groups": 4}, {"padding": "causal", **FIRST}, args=(8, 3)),
    *rows("Conv1D", (2, 4), SAME, {"strides": 3, **SAME}, args=(2, 5)),
    *rows("Conv2D", PICTURE, *MOVING, {"groups": 2, **SAME}, {"groups": 4}, args=(8, (3, 2))),
    *rows("Conv2D", PICTURE, SAME, {"strides": (2, 3), **SAME}, {"strides": (3, 1)}, args=(2, 4)),
    *rows("Conv2D", (None, None, 3), {}, SAME, {"strides": 2, **SAME}, {"strides": 3, **SAME}, args=(2, 3)),
    *rows("Conv2D", (None, None, 3), {"strides": 2, **SAME}, args=(2, 1)),
    *rows("Conv2D", (None, 8, 3), {"strides": 2, **SAME}, {"strides": (1, 2), **SAME}, args=(2, (2, 3))),
    *rows("DepthwiseConv1D", SEQUENCE, *MOVING, {"depth_multiplier": 3}, args=(3,)),
    *rows("DepthwiseConv2D", PICTURE, *MOVING, {"depth_multiplier": 3, **SAME}, args=((2, 3),)),
    *rows("SeparableConv1D", SEQUENCE, *MOVING, {"depth_multiplier": 3}, args=(6, 3)),
    *rows("SeparableConv2D", PICTURE, *MOVING, {"depth_multiplier": 3, **SAME}, args=(6, 3)),
    *[case for k in (1, 2, 3, 4, 5) for case in rows("Conv1DTranspose", (6, 4), *LARGER, args=(3, k))],
    *[case for k in (1, (2, 3), 4) for case in rows("Conv2DTranspose", (5, 6, 4), *LARGER, args=(3, k))],
    *rows("Conv2DTranspose", (None, None, 3), {}, {"strides": 2, **SAME}, args=(2, 3)),
    # windows without weights
    *[case for kind in ("Max", "Average") for case in (
        *rows(f"{kind}Pooling1D", SEQUENCE, *POOLS), *rows(f"{kind}Pooling2D", PICTURE, *POOLS),
        *rows(f"{kind}Pooling2D", PICTURE, {"pool_size": (3, 2), "strides": (2, 3), **SAME}),
        *rows(f"{kind}Pooling2D", (None, None, 2), {}, {"pool_size": 3, "strides": 2, **SAME}),
        *rows(f"Global{kind}Pooling1D", SEQUENCE, *GLOBAL), *rows(f"Global{kind}Pooling2D", PICTURE, *GLOBAL),
    )],
    # a common scale
    *[case for shape in ((4,), (6, 4), PICTURE) for case in rows("BatchNormalization", shape, *SCALED)],
    *rows("BatchNormalization", (5, 6, 4), {"axis": 1}, {"axis": 2}),
    *[case for shape in ((4,), (6, 4), PICTURE) for case in rows("LayerNormalization", shape, *SCALED)],
    *rows("LayerNormalization", (5, 6, 4), {"axis": 1}, {"axis": [1, 2]}, {"axis": [2, 3]}, {"axis": [3, 1]}),
    *rows("LayerNormalization", (5, 6, 4), {"axis": [1, 2, 3]}, {"axis": [-2, -1], "center": False}),
    *[case for shape in ((4,), (6, 4), PICTURE) for case in rows("GroupNormalization", shape, *SCALED, args=(2,))],
    *rows("GroupNormalization", PICTURE, {"groups": -1}, {"groups": 1}, {"groups": 3, "axis": 1},
          {"groups": 5, "axis": 2}),
    *rows("RMSNormalization", (5, 6, 4), {}, {"axis": [1, 2]}, {"epsilon": 0.5}),
    *rows("UnitNormalization", (5, 6, 4), {}, {"axis": 1}, {"axis": [1, 2]}),
    *rows("Normalization", (6, 4), {}, {"invert": True}, {"axis": None}, {"axis": (1, 2)}, {"axis": 1}),
    *rows("Normalization", (6, 4), {"mean": 2.0, "variance": 3.0}, {"mean": [1, 2, 3, 4], "variance": [4, 3, 2, 0]}),
    *rows("Normalization", (6, 4), dtype="uint8"),
    *rows("Rescaling", PICTURE, {"scale": 1 / 127.5, "offset": -1},
          {"scale": [1.0, 2.0, 3.0, 4.0], "offset": np.ones(4)}),
    *rows("Rescaling", PICTURE, {"scale": 1 / 255}, dtype="uint8"),
    # activations
    *rows("Activation", PICTURE, args=("mish",)),
    *rows("ELU", (5, 4), {}, {"alpha": 0.3}),
    *rows("LeakyReLU", (5, 4), {}, {"negative_slope": 0.1}),
    *rows("PReLU", PICTURE, {}, {"shared_axes": [1, 2]}, {"shared_axes": [3]}),
    *rows("PReLU", (4,)),
    *rows("ReLU", (5, 4), {}, {"max_value": 0.7}, {"negative_slope": 0.1}, {"threshold": 0.2},
          {"max_value": 0.9, "negative_slope": 0.1, "threshold": 0.3}),
    *rows("Softmax", (5, 4), {}, {"axis": 1}, {"axis": [1, 2]}, {"axis": [-1]}),
    # shapes
    *rows("Flatten", ()), *rows("Flatten", (4,)), *rows("Flatten", PICTURE, {}, FIRST),
    *rows("Flatten", (3, 4), dtype="int32"),
    *rows("Reshape", (4, 6), args=((3, 8),)), *rows("Reshape", (4, 6), args=((-1, 3),)),
    *rows("Reshape", (4, 6), args=((24,),), dtype="int32"), *rows("Reshape", (None, 6), args=((-1, 3),)),
    *rows("Permute", PICTURE, args=((2, 3, 1),)), *rows("Permute", (4, 3), args=((2, 1),)),
    *rows("Permute", (4, 3), args=((1, 2),)),
    *rows("RepeatVector", (5,), args=(3,)),
    *rows("ZeroPadding1D", SEQUENCE, {}, {"padding": (0, 3)}, {"padding": 2, **FIRST}),
    *rows("ZeroPadding2D", PICTURE, {}, {"padding": ((1, 0), (2, 3))}, {"padding": (2, 1), **FIRST}),
    *rows("Cropping1D", SEQUENCE, {}, {"cropping": (0, 3)}, {"cropping": (2, 0)}),
    *rows("Cropping2D", PICTURE, {}, {"cropping": ((1, 0), (2, 3))}, {"cropping": (1, 0), **FIRST}),
    *rows("Cropping2D", (None, None, 3), {"cropping": ((1, 2), (0, 1))}),
    *rows("UpSampling1D", SEQUENCE, {}, {"size": 3}),
    *rows("UpSampling2D", (4, 5, 3), {}, {"size": (3, 1)}, {"size": (1, 2), **FIRST}),
    *[case for i in ("bilinear", "bicubic", "lanczos3", "lanczos5")
      for case in rows("UpSampling2D", (4, 5, 3), {"interpolation": i}, {"interpolation": i, "size": (3, 2), **FIRST})],
    *rows("UpSampling2D", (None, None, 2), {"interpolation": "bilinear"}, {}, {"interpolation": "bicubic"}),
    *rows("UpSampling2D", (4, 5, 3), dtype="int32"),
    # pictures
    *[case for i in ("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5")
      for a in (False, True) for case in rows("Resizing", PICTURE, {"interpolation": i, "antialias": a}, args=(5, 13))],
    *rows("Resizing", PICTURE, {"crop_to_aspect_ratio": True},
          {"pad_to_aspect_ratio": True, "fill_value": 0.5}, args=(4, 8)),
    *rows("Resizing", PICTURE, {"crop_to_aspect_ratio": True}, {"pad_to_aspect_ratio": True}, args=(14, 3)),
    *rows("Resizing", PICTURE, {}, {"interpolation": "nearest"}, args=(4, 8), dtype="uint8", limit=255),
    *rows("CenterCrop", PICTURE, args=(4, 5)), *rows("CenterCrop", PICTURE, args=(12, 5)),
    *rows("CenterCrop", PICTURE, args=(4, 5), dtype="uint8"),
    # several inputs
    *[case for name in ("Add", "Average", "Maximum", "Minimum", "Multiply") for case in (
        *rows(name, TWO), *rows(name, [(5, 6)] * 3), *rows(name, [(5, 6), (1, 6)]), *rows(name, [(3, 5, 6), (6,)]),
        *rows(name, TWO, dtype="int32"),
    )],
    *rows("Subtract", TWO), *rows("Subtract", [(4, 5, 6), (1, 1, 6)]),
    *rows("Concatenate", [(5, 6), (5, 2)]), *rows("Concatenate", [(5, 6), (3, 6), (1, 6)], {"axis": 1}),
    *rows("Concatenate", [(3, 5, 6), (3, 1, 6)], {"axis": -2}),
    *rows("Dot", [(6,), (6,)], args=(1,)), *rows("Dot", [(6,), (6,)], {"normalize": True}, args=(1,)),
    *rows("Dot", [(5, 6), (4, 6)], {}, {"normalize": True}, args=(2,)),
    *rows("Dot", [(5, 6), (6, 4)], args=((2, 1),)),
    *rows("Dot", [(3, 5, 6), (5, 4)], {"normalize": True}, args=((2, 1),)),
    # what they do in training they do not do in prediction
    *rows("Identity", PICTURE), *rows("ActivityRegularization", (4,), {"l1": 0.1}),
    *rows("Dropout", (4,), args=(0.5,)), *rows("AlphaDropout", (4,), args=(0.5,)),
    *rows("GaussianDropout", (4,), args=(0.5,)), *rows("GaussianNoise", (4,), args=(0.5,)),
    *rows("SpatialDropout1D", (5, 4), args=(0.5,)), *rows("SpatialDropout2D", PICTURE, args=(0.5,)),
    *rows("SpatialDropout3D", (2, 3, 4, 5), args=(0.5,)),
    *rows("RandomBrightness", PICTURE, args=(0.5,)), *rows("RandomContrast", PICTURE, args=(0.5,)),
    *rows("RandomFlip", PICTURE), *rows("RandomRotation", PICTURE, args=(0.5,)),
    *rows("RandomZoom", PICTURE, args=(0.5,)),
    *rows("RandomTranslation", PICTURE, args=(0.5, 0.5)),
    *rows("RandomCrop", PICTURE, args=(9, 10)),
]  # fmt: skip
