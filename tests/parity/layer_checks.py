"""What is compared of every layer: outputs, gradients, weights, shapes, configurations, and files in both directions.

A case is (how to make the layer, the inputs): the shape of one input, a list of shapes, or arrays.
"""

import json

import numpy as np

import minidl
from tests.parity.oracle import both, close, copy_weights, generator, libraries


def inputs_of(name, shapes):
    """The arrays of a case; random where it gives shapes only."""
    if isinstance(shapes, np.ndarray):
        return shapes
    if isinstance(shapes, list):
        return [inputs_of(f"{name} {i}", one) for i, one in enumerate(shapes)]
    return generator(name).normal(size=shapes).astype("float32")


def shape_of(x):
    return [shape_of(one) for one in x] if isinstance(x, list) else x.shape


def listed(x):
    return list(x) if isinstance(x, (list, tuple)) else [x]


def prepared(case, name, scale=0.5):
    """(Keras' layer, ours, inputs, upstream gradient), the layers built, with equal weights."""
    make, shapes = case
    theirs, ours = both(make)
    x = inputs_of(name, shapes)
    theirs.build(shape_of(x)), ours.build(shape_of(x))
    copy_weights(theirs, ours, name, scale)
    upstream = generator(name + " upstream").normal(size=ours.compute_output_shape(shape_of(x)))
    return theirs, ours, x, upstream.astype("float32")


def check_values(case, name, training=False, **call):
    """Outputs, gradients of the floating inputs and of the weights, and the other weights after the call."""
    theirs, ours, x, upstream = prepared(case, name)
    y, gradients, fixed = keras_results(theirs, x, upstream, training, call)
    our_y, our_gradients = our_results(ours, x, upstream, training, call)
    close(our_y, y, "output")
    assert our_y.dtype == np.asarray(y).dtype
    for i, (mine, reference) in enumerate(zip(our_gradients, gradients, strict=True)):
        close(mine, reference, f"gradient {i}")
    for mine, reference in zip(ours.non_trainable_variables, fixed, strict=True):
        close(mine, reference, mine.path)


def keras_results(layer, x, upstream, training, call):
    import jax

    trainable = [v.value for v in layer.trainable_variables]
    fixed = [v.value for v in layer.non_trainable_variables]
    call = {**call, "training": training} if layer._call_has_training_arg else call
    leaves = listed(x)
    moving = [one for one in leaves if one.dtype.kind == "f"]

    def forward(trainable, moving):
        rest = iter(moving)
        given = [next(rest) if one.dtype.kind == "f" else one for one in leaves]
        return layer.stateless_call(trainable, fixed, given if isinstance(x, list) else given[0], **call)

    @jax.jit
    def run(trainable, moving, upstream):
        y, pull, after = jax.vjp(forward, trainable, moving, has_aux=True)
        of_weights, of_inputs = pull(upstream)
        return y, [*of_inputs, *of_weights], after

    return run(trainable, moving, upstream)


def our_results(layer, x, upstream, training, call):
    leaves = [minidl.Tensor(one, requires_grad=one.dtype.kind == "f") for one in listed(x)]
    y = layer(leaves if isinstance(x, list) else leaves[0], training=training, **call)
    targets = [leaf for leaf in leaves if leaf.requires_grad] + layer.trainable_variables
    return y, minidl.grad(y, targets, upstream) if targets else []


def check_description(case, name):
    """Names, weights, shapes with and without known batch sizes, and configurations that open on the other side."""
    theirs, ours, x, _ = prepared(case, name)
    keras, _ = libraries()
    assert ours.name == theirs.name
    described = [(w.name, w.path, tuple(w.shape), w.trainable) for w in theirs.weights]
    assert [(w.name, w.path, w.shape, w.trainable) for w in ours.weights] == described
    assert [w.path for w in ours.trainable_weights] == [w.path for w in theirs.trainable_weights]
    shapes = shape_of(x)
    unknown = [(None, *s[1:]) for s in shapes] if isinstance(x, list) else (None, *shapes[1:])
    for shape in (shapes, unknown):
        assert_same_shape(ours.compute_output_shape(shape), theirs.compute_output_shape(shape))
    check_configuration(theirs, ours)


def assert_same_shape(ours, theirs):
    """Equal, but for extents that Keras leaves open and we know."""
    assert type(ours) is tuple and len(ours) == len(theirs) and ours[0] == theirs[0]
    assert all(b is None or a == b for a, b in zip(ours, theirs, strict=True)), (ours, theirs)


def check_configuration(theirs, ours):
    keras, _ = libraries()
    mine = plain(ours.get_config())
    assert set(mine) <= set(theirs.get_config()), "keys that Keras does not have"
    there = keras.layers.deserialize(minidl.layers.serialize(ours))
    back = minidl.layers.deserialize(keras.layers.serialize(theirs))
    assert type(there) is type(theirs) and type(back) is type(ours)
    assert plain(there.get_config()) == plain(theirs.get_config())
    assert plain(back.get_config()) == mine


def check_files(case, name, folder):
    """A model of the layer in a .keras file: written here and opened by Keras, and the other way round."""
    make, shapes = case
    keras, _ = libraries()
    x = inputs_of(name, shapes)

    def model(k):
        inputs = [k.Input(one.shape[1:], dtype=str(one.dtype)) for one in listed(x)]
        return k.Model(
            inputs if isinstance(x, list) else inputs[0], make(k)(inputs if isinstance(x, list) else inputs[0])
        )

    theirs, ours = both(model)
    assert_same_shape(ours.output.shape, theirs.output.shape)
    assert str(ours.output.dtype) == theirs.output.dtype
    copy_weights(theirs, ours, name)
    expected = np.asarray(theirs(x))
    close(ours(x), expected, "the model's output")
    ours.save(folder / "ours.keras"), theirs.save(folder / "theirs.keras")
    close(keras.models.load_model(folder / "ours.keras")(x), expected, "our file, opened by Keras")
    close(minidl.models.load_model(folder / "theirs.keras")(x), expected, "Keras' file, opened here")


def plain(config):
    """A configuration as a file holds it."""
    return json.loads(json.dumps(config))
