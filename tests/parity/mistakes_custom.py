"""Mistakes in what users write themselves: layers, models, losses, metrics, steps, gradients."""

import numpy as np

from tests.parity.mistake import Mistake, X, fit, net


def layer(k, **methods):
    """A layer with these methods."""
    return type("Mine", (k.layers.Layer,), methods)


def model(k, **methods):
    """A compiled model with one Dense and these methods."""

    class Net(k.Model):
        def __init__(self):
            super().__init__()
            self.dense = k.layers.Dense(1)

        def call(self, inputs):
            return self.dense(inputs)

    made = type("Net", (Net,), methods)()
    made.compile("sgd", "mse")
    return made


def forgetful(k, base):
    class Mine(base):
        def __init__(self):
            self.dense = k.layers.Dense(1)

        def call(self, inputs):
            return self.dense(inputs)

    return Mine()


def with_settings(k, **methods):
    class Mine(k.layers.Layer):
        def __init__(self, function, **kwargs):
            super().__init__(**kwargs)
            self.function = function

        def call(self, inputs):
            return inputs

    return type("Mine", (Mine,), methods)


def saved_with(k, layer):
    made = k.Sequential([k.layers.Input((4,)), layer])
    made.save("mine.keras")
    return k.models.load_model("mine.keras")


def tape_used_twice(k):
    w = k.Variable([1.0, 2.0])
    with k.GradientTape() as tape:
        y = k.ops.sum(w * w)
    return tape.gradient(y, w), tape.gradient(y, w)


def gradient_of_an_array(k):
    with k.GradientTape() as tape:
        tape.watch(X)


def applied(k, grads):
    optimizer, w = k.optimizers.SGD(), k.Variable([1.0, 2.0], name="w")
    optimizer.apply_gradients([(grads, w)])


def no_config(self):
    return {"name": self.name}


CUSTOM = {
    "layer without super().__init__()": Mistake(
        lambda k: forgetful(k, k.layers.Layer)(X),
        RuntimeError, r"Mine: write super\(\).__init__\(\*\*kwargs\) at the top of its __init__",
    ),
    "model without super().__init__()": Mistake(
        lambda k: forgetful(k, k.Model)(X),
        RuntimeError, r"Mine: write super\(\).__init__\(\*\*kwargs\) at the top of its __init__",
    ),
    "layer without call": Mistake(
        lambda k: layer(k)()(X),
        NotImplementedError, r"Mine needs a method call\(self, inputs\)",
    ),
    "call without inputs": Mistake(
        lambda k: layer(k, call=lambda self: 1)()(X),
        TypeError, r"Mine.call\(\) takes no inputs; write def call\(self, inputs\)",
    ),
    "call that returns None": Mistake(
        lambda k: k.layers.Dense(1, name="last")(layer(k, call=lambda self, inputs: None)()(X)),
        ValueError, "'last' was called on None; does what is in front of it end with return",
    ),
    "call that returns None, in a graph": Mistake(
        lambda k: k.layers.Dense(1)(layer(k, call=lambda self, inputs: None)()(k.layers.Input((4,)))),
        TypeError, "must return tensors, not NoneType; does it end with return",
    ),
    "model whose call returns None": Mistake(
        lambda k: fit(model(k, call=lambda self, inputs: None)),
        ValueError, r"call\(\) of the model returned None.*return outputs",
    ),
    "build that forgets the weight": Mistake(
        lambda k: layer(k, build=lambda self, shape: None, call=lambda self, x: x * self.factor)()(X),
        AttributeError, r"'Mine'.*'factor'; is it made in __init__\(\) or build\(\)",
    ),
    "add_weight of an unknown shape": Mistake(
        lambda k: layer(k, build=lambda self, s: self.add_weight((None, 3)), call=lambda self, x: x)()(X),
        ValueError, r"known shape, not \(None, 3\); take input_shape\[-1\]",
    ),
    "add_weight with a typo": Mistake(
        lambda k: layer(k, build=lambda self, s: self.add_weight((3,), "zeroes"), call=lambda self, x: x)()(X),
        ValueError, r"initializer 'zeroes' \(did you mean 'zeros'\?\)",
    ),
    "weights of another shape": Mistake(
        lambda k: layer(
            k, build=lambda self, s: setattr(self, "w", self.add_weight((3, 2))), call=lambda self, x: x @ self.w
        )()(X),
        ValueError, r"inner sizes differ: a is \(..., 12, 4\), b is \(..., 3, 2\); expected K = 4",
    ),
    "save without get_config": Mistake(
        lambda k: saved_with(k, with_settings(k)(function=np.tanh)),
        NotImplementedError, r'get_config\(\) leaves out function.*Write.*"function": self.function',
    ),
    "get_config that leaves an argument out": Mistake(
        lambda k: k.layers.deserialize(
            k.layers.serialize(with_settings(k, get_config=no_config)(function=1)), custom_objects={"Mine": 1}
        ),
        ValueError, r'get_config\(\) leaves out function.*"function": self.function',
    ),
    "load without custom_objects": Mistake(
        lambda k: saved_with(k, layer(k, call=lambda self, inputs: inputs)()),
        ValueError, r"unknown class 'Mine'.*pass custom_objects=\{'Mine': Mine\}", inherits=True,
    ),
    "load of a Lambda": Mistake(
        lambda k: saved_with(k, k.layers.Lambda(lambda x: x * 2)),
        ValueError, "Lambda .*cannot be saved: write it as a function with a name",
    ),
    "train_step that returns None": Mistake(
        lambda k: fit(model(k, train_step=lambda self, *a: None)),
        TypeError, r"return a dictionary of numbers by name, not NoneType; end with return \{'loss': loss\}",
    ),
    "train_step that returns the loss": Mistake(
        lambda k: fit(model(k, train_step=lambda self, *a: 0.5)),
        TypeError, "return a dictionary of numbers by name, not float; end with return",
    ),
    "loss that returns None": Mistake(
        lambda k: fit(net(k, loss=lambda y, p: None)),
        ValueError, "the loss '.*' returned None; end it with return",
    ),
    "loss in NumPy": Mistake(
        lambda k: fit(net(k, loss=lambda y, p: np.mean(np.square(y - p)))),
        TypeError, r"np.square on a Tensor would cut the graph; write minidl.ops.square\(x\)",
    ),
    "loss not a function": Mistake(
        lambda k: fit(net(k, loss=3)),
        TypeError, r"loss is a name, an object or a function of \(y_true, y_pred\), not 3",
    ),
    "metric that returns None": Mistake(
        lambda k: fit(net(k, metrics=[lambda y, p: None])),
        ValueError, "the metric '.*' returned None; end it with return",
    ),
    "metric not a function": Mistake(
        lambda k: fit(net(k, metrics=[3])),
        TypeError, r"metric is a name, an object or a function of \(y_true, y_pred\), not 3",
    ),
    "metric without result": Mistake(
        lambda k: fit(net(k, metrics=[type("M", (k.metrics.Metric,), {"update_state": lambda *a, **b: None})()])),
        NotImplementedError, r"M needs a method result\(self\)",
    ),
    "initializer of another shape": Mistake(
        lambda k: k.layers.Dense(2, kernel_initializer=lambda shape, dtype=None: np.zeros((2, 2)))(X),
        ValueError, r"initializer made \(2, 2\) for a weight of shape \(4, 2\)",
    ),
    "add_loss outside call": Mistake(
        lambda k: k.layers.Dense(1).add_loss("0.5"),
        ValueError, r"add_loss\(\) belongs inside call\(\)",
    ),
    "apply_gradients of None": Mistake(
        lambda k: applied(k, None),
        ValueError, "no gradients provided for any variable; does the loss depend on them",
    ),
    "apply_gradients of another shape": Mistake(
        lambda k: applied(k, np.ones(3, "float32")),
        ValueError, r"gradient of 'w' must have its shape \(2,\), not \(3,\)",
    ),
    "too few gradients": Mistake(
        lambda k: k.optimizers.SGD().apply([np.ones(2)], [k.Variable([1.0, 2.0]), k.Variable([1.0])]),
        ValueError, "1 gradients were given for 2 variables", "updates the first variable alone",
    ),
    "gradients without variables": Mistake(
        lambda k: k.optimizers.SGD().apply_gradients([np.ones(2, "float32")]),
        ValueError, r"pairs \(gradient, variable\); write apply_gradients\(zip\(",
    ),
    "tape used twice": Mistake(
        tape_used_twice,
        RuntimeError, r"already used; write GradientTape\(persistent=True\)", None,
    ),
    "tape.watch of an array": Mistake(
        gradient_of_an_array,
        TypeError, r"watch takes floating Tensors.*write ops.convert_to_tensor\(x\) first", None,
    ),
    "if of a tensor of several numbers": Mistake(
        lambda k: bool(k.ops.convert_to_tensor([1.0, 2.0]) > 0),
        ValueError, "truth value .*more than one element is ambiguous",
    ),
    "assignment to an item": Mistake(
        lambda k: k.ops.convert_to_tensor([1.0, 2.0]).__setitem__(0, 3.0),
        TypeError, "tensors cannot be written into; write minidl.ops.where",
    ),
}  # fmt: skip
