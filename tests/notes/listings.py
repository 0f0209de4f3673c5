"""The listings on how models are built, as the notes have them; only the imports are ours.

Each function is a listing with the names that it defines handed out at its end.
"""

import minidl as keras
from minidl import Model, Sequential, layers
from minidl.layers import Concatenate, Dense, Flatten, Input

__all__ = [
    "MyModel", "branch_and_join", "cifar_cnn", "cifar_mlp", "cifar_mlp_in_a_row", "one_input_two_outputs",
    "one_variable", "two_inputs_one_output", "two_inputs_two_outputs", "weight_decay",
]  # fmt: skip


# fmt: off
def one_variable():
    inputs = Input(shape=(28, 28, 1))
    x = Flatten(input_shape=(28, 28, 1))(inputs)
    x = Dense(200, activation='relu')(x)
    x = Dense(100, activation='relu')(x)
    x = Dense(10, activation='softmax')(x)
    model = Model(inputs=inputs, outputs=x)
    model.summary()
    return model


def branch_and_join():
    input_layer = Input(shape=(28, 28))
    hidden1 = Dense(100, activation='relu')(input_layer)
    hidden2 = Dense(30, activation='relu')(hidden1)
    concat = Concatenate()([input_layer, hidden2])
    output = Dense(1)(concat)
    model = Model(inputs=[input_layer], outputs=[output])
    model.summary()
    return model, concat


def two_inputs_one_output():
    input_1 = Input(shape=(10, 10), name='input_1')
    input_2 = Input(shape=(10, 28), name='input_2')
    hidden1 = Dense(100, activation='relu')(input_2)
    hidden2 = Dense(10, activation='relu')(hidden1)
    concat = Concatenate()([input_1, hidden2])
    output = Dense(1, activation='sigmoid')(concat)
    model = Model(inputs=[input_1, input_2], outputs=[output])
    model.summary()
    return model


def one_input_two_outputs():
    input_ = Input(shape=(10,10), name='input_')
    hidden1 = Dense(100, activation='relu')(input_)
    hidden2 = Dense(10, activation='relu')(hidden1)
    output = Dense(1, activation='sigmoid', name='main_output')(hidden2)
    sub_out = Dense(1, name='sum_output')(hidden2)
    model = Model(inputs=[input_], outputs=[output, sub_out])
    model.summary()
    return model


def two_inputs_two_outputs():
    input_1 = Input(shape=(10, 10), name='input_1')
    input_2 = Input(shape=(10, 28), name='input_2')
    hidden1 = Dense(100, activation='relu')(input_2)
    hidden2 = Dense(10, activation='relu')(hidden1)
    concat = Concatenate()([input_1, hidden2])
    output = Dense(1, activation='sigmoid', name='main_output')(concat)
    sub_out = Dense(1, name='sum_output')(hidden2)
    model = Model(inputs=[input_1, input_2], outputs=[output, sub_out])
    model.summary()
    return model


class MyModel(Model):
    def __init__(self, units=30, activation='relu', **kwargs):
        super(MyModel, self).__init__(**kwargs)  # noqa: UP008
        self.dense_layer1 = Dense(300, activation=activation)
        self.dense_layer2 = Dense(100, activation=activation)
        self.dense_layer3 = Dense(units, activation=activation)
        self.output_layer = Dense(10, activation='softmax')

    def call(self, inputs):
        x = self.dense_layer1(inputs)
        x = self.dense_layer2(x)
        x = self.dense_layer3(x)
        x = self.output_layer(x)
        return x


def weight_decay():
    from minidl import regularizers
    model = Sequential()
    model.add(Dense(64, input_dim=64, kernel_regularizer=regularizers.l2(0.01),
    activity_regularizer=regularizers.l1(0.01)))
    return model
# fmt: on


# ---- the networks for CIFAR-10: in the notes they are pictures, in the notes' book these lines ----


def cifar_mlp():
    input_layer = layers.Input((32, 32, 3))
    x = layers.Flatten()(input_layer)
    x = layers.Dense(200, activation="relu")(x)
    x = layers.Dense(150, activation="relu")(x)
    output_layer = layers.Dense(10, activation="softmax")(x)
    return keras.models.Model(input_layer, output_layer)


def cifar_mlp_in_a_row():
    return keras.models.Sequential([
        layers.Input((32, 32, 3)),
        layers.Flatten(),
        layers.Dense(200, activation="relu"),
        layers.Dense(150, activation="relu"),
        layers.Dense(10, activation="softmax"),
    ])  # fmt: skip


def cifar_cnn():
    input_layer = layers.Input((32, 32, 3))
    x = layers.Conv2D(filters=32, kernel_size=3, strides=1, padding="same")(input_layer)
    x = layers.BatchNormalization()(x)
    x = layers.LeakyReLU()(x)
    x = layers.Conv2D(filters=32, kernel_size=3, strides=2, padding="same")(x)
    x = layers.BatchNormalization()(x)
    x = layers.LeakyReLU()(x)
    x = layers.Conv2D(filters=64, kernel_size=3, strides=1, padding="same")(x)
    x = layers.BatchNormalization()(x)
    x = layers.LeakyReLU()(x)
    x = layers.Conv2D(filters=64, kernel_size=3, strides=2, padding="same")(x)
    x = layers.BatchNormalization()(x)
    x = layers.LeakyReLU()(x)
    x = layers.Flatten()(x)
    x = layers.Dense(128)(x)
    x = layers.BatchNormalization()(x)
    x = layers.LeakyReLU()(x)
    x = layers.Dropout(rate=0.5)(x)
    output_layer = layers.Dense(10, activation="softmax")(x)
    return keras.models.Model(input_layer, output_layer)
