"""A small convolutional net on the embedded Fashion-MNIST pictures, with ``compile`` and ``fit``."""

import minidl as keras
from minidl import layers
from minidl.datasets import fashion_mnist

keras.utils.set_random_seed(0)
(x, y), (x_test, y_test) = fashion_mnist.load_subset()
x, x_test = x[..., None] / 255.0, x_test[..., None] / 255.0

model = keras.Sequential(
    [
        keras.Input((28, 28, 1)),
        layers.Conv2D(16, 3, activation="relu"),
        layers.MaxPooling2D(),
        layers.Conv2D(32, 3, activation="relu"),
        layers.MaxPooling2D(),
        layers.Flatten(),
        layers.Dropout(0.3),
        layers.Dense(10, activation="softmax"),
    ]
)
model.summary()
model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
history = model.fit(x, y, epochs=3, batch_size=64, validation_data=(x_test, y_test))
assert history.history["val_accuracy"][-1] > 0.8
