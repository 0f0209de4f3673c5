"""Networks that several parity tests make with both libraries."""


def mlp(last, activation=None, inputs=(6,)):
    def make(k):
        x = k.layers.Input(inputs)
        return k.Sequential([x, k.layers.Dense(8, activation="tanh"), k.layers.Dense(last, activation=activation)])

    return make


def deferred(k):
    return k.Sequential([k.layers.Flatten(), k.layers.Dense(8, activation="tanh"), k.layers.Dense(4, "softmax")])


def convolutional(k):
    layers = k.layers
    return k.Sequential([
        layers.Input((8, 8, 2)), layers.Conv2D(5, 3, padding="same", kernel_regularizer="l2", use_bias=False),
        layers.BatchNormalization(momentum=0.8), layers.LeakyReLU(), layers.MaxPooling2D(),
        layers.Conv2D(6, 3, strides=2, activation="relu", bias_regularizer=k.regularizers.L1(0.01)),
        layers.AveragePooling2D(2, strides=1, padding="same"), layers.Flatten(),
        layers.Dense(4, activity_regularizer="l2"), layers.Softmax(),
    ])  # fmt: skip


def branched(k):
    layers = k.layers
    first, second = layers.Input((5,), name="first"), layers.Input((3,), name="second")
    a, b = layers.Dense(6, activation="tanh")(first), layers.Dense(6)(second)
    joined = layers.Concatenate()([layers.Add()([a, b]), first])
    main = layers.Dense(1, activation="sigmoid", name="main")(joined)
    side = layers.Dense(2, name="side")(layers.Concatenate()([a, second]))
    return k.Model([first, second], [main, side])


def branched_to_a_dictionary(k):
    model = branched(k)
    return k.Model(model.inputs, {"side": model.outputs[1], "main": model.outputs[0]})


def branched_from_a_dictionary(k):
    model = branched(k)
    return k.Model(dict(zip(("first", "second"), model.inputs, strict=True)), model.outputs)


def subclassed(k):
    class Net(k.Model):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.hidden = [k.layers.Dense(8, activation="tanh"), k.layers.Dense(8, activation="tanh")]
            self.last = k.layers.Dense(1)

        def call(self, inputs, training=None):
            x = inputs
            for layer in self.hidden:
                x = layer(x)
            return self.last(x)

    return Net()


def lists_of_one(k):
    x = k.layers.Input((6,))
    return k.Model([x], [k.layers.Dense(1)(x)])
