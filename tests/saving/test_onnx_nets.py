"""Whole nets as ONNX files."""

import numpy as np
import pytest

import minidl as keras
from minidl import applications, layers
from minidl.cli.networks import cnn

from .test_onnx import check, data_for, generator


def settled(model):
    """Weights as training leaves them: statistics of batches that are neither 0 nor 1, numbers that do not explode."""
    rng = generator(model.name)
    for layer in model._flatten_layers():
        if isinstance(layer, layers.BatchNormalization):
            shape = layer.moving_mean.shape
            layer.moving_mean.assign(rng.normal(size=shape).astype("float32") / 4)
            layer.moving_variance.assign(rng.uniform(0.5, 2, shape).astype("float32"))
            for weight in (layer.gamma, layer.beta):
                if weight is not None:
                    weight.assign(weight.numpy() + rng.normal(size=shape).astype("float32") / 4)
    return model


def kinds(proto):
    return [node.op_type for node in proto.graph.node]


def test_the_net_of_the_demo():
    model = cnn((28, 28, 1), 10)
    proto = check(model, data_for(model, "demo"))
    assert kinds(proto) == [
        "Transpose", "Conv", "Relu", "Conv", "Relu", "MaxPool", "Conv", "Relu", "MaxPool", "Transpose", "Flatten",
        "Gemm", "Relu", "Gemm", "Softmax",
    ]  # fmt: skip


def test_the_net_of_the_demo_after_training(tmp_path):
    keras.utils.set_random_seed(0)
    model = keras.Sequential([cnn((16, 16, 1), 4), layers.Rescaling(2.0)])
    x = np.random.default_rng(0).random((64, 16, 16, 1), "float32")
    model.compile(optimizer="adam", loss="mse")
    model.fit(x, np.eye(4, dtype="float32")[np.arange(64) % 4], epochs=1, verbose=0)
    check(model, {"x": x[:5]})


def test_the_decoder_of_a_vae():
    z = layers.Input((2,), name="decoder_input")
    x = layers.Dense(4 * 4 * 16)(z)
    x = layers.Reshape((4, 4, 16))(x)
    for filters in (16, 8):
        x = layers.Conv2DTranspose(filters, 3, strides=2, padding="same")(x)
        x = layers.LeakyReLU()(layers.BatchNormalization()(x))
    x = layers.Conv2DTranspose(8, 4, strides=2, padding="same", activation="relu")(layers.UpSampling2D()(x))
    model = settled(keras.Model(z, layers.Conv2D(1, 3, padding="same", activation="sigmoid", name="picture")(x)))
    proto = check(model, data_for(model, "decoder"))
    assert kinds(proto).count("Transpose") == 2
    assert [one.name for one in (*proto.graph.input, *proto.graph.output)] == ["decoder_input", "picture"]


def test_a_critic_and_a_generator_with_labels():
    noise, label = layers.Input((8,), name="noise"), layers.Input((1,), dtype="int32", name="label")
    joined = layers.Concatenate()([noise, layers.Flatten()(layers.Embedding(5, 8)(label))])
    x = layers.Reshape((4, 4, 4))(layers.Dense(64, use_bias=False)(joined))
    x = layers.Conv2DTranspose(4, 4, strides=2, padding="same", use_bias=False)(x)
    picture = layers.Activation("tanh")(layers.BatchNormalization(momentum=0.9)(x))
    critic_in = layers.Input((8, 8, 4))
    y = layers.LeakyReLU(0.2)(layers.Conv2D(8, 4, strides=2, padding="same")(critic_in))
    critic = keras.Model(critic_in, layers.Dense(1)(layers.Flatten()(layers.Dropout(0.3)(y))), name="critic")
    model = settled(keras.Model([noise, label], [picture, critic(picture)]))
    check(model, data_for(model, "gan", limit=5))


def test_normalised_pictures_with_augmentation():
    normalization = layers.Normalization(axis=-1)
    normalization.adapt(np.random.default_rng(0).integers(0, 256, (16, 20, 24, 3)).astype("float32"))
    inputs = layers.Input((20, 24, 3), dtype="uint8")
    x = layers.RandomFlip()(layers.RandomRotation(0.1)(layers.Rescaling(1.0)(inputs)))
    x = normalization(layers.Resizing(16, 16)(x))
    x = layers.SeparableConv2D(8, 3, strides=2, padding="same", activation="silu")(x)
    x = x + layers.DepthwiseConv2D(3, padding="same")(layers.GroupNormalization(4)(x)) * 0.5
    model = keras.Model(inputs, layers.Dense(3, activation="softmax")(layers.GlobalAveragePooling2D()(x)))
    check(model, data_for(model, "pictures", limit=256))


NETWORKS = {
    "ResNet50": {"input_shape": (64, 64, 3)},
    "MobileNetV2": {"input_shape": (64, 64, 3)},
    "InceptionV3": {"input_shape": (96, 96, 3)},
    "VGG16": {"input_shape": (32, 32, 3), "classes": 10},
}


@pytest.mark.slow
@pytest.mark.parametrize("name", NETWORKS)
def test_published_network(name, tmp_path):
    model = settled(getattr(applications, name)(weights=None, include_top=True, **NETWORKS[name]))
    model.export(tmp_path / "net.onnx", format="onnx", verbose=False)
    proto = check(model, data_for(model, name, n=2))
    assert kinds(proto).count("Transpose") <= (1 if name != "VGG16" else 2)
