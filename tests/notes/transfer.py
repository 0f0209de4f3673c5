"""The listing on transfer learning, as the notes have it: model A for eight classes, model B on the layers of A.

Only the imports are ours (``import minidl as keras``). Between the paragraphs of the listing stand calls of ``look``: a
test can note there what the weights were.
"""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np

import minidl as keras

__all__ = ["CLASS_NAMES", "Data", "full_data", "split_dataset", "transfer_learning"]

CLASS_NAMES = ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"]
Data = tuple[tuple[np.ndarray, np.ndarray], ...]

# fmt: off
class_names = CLASS_NAMES
pos_class_id = class_names.index("Pullover")
neg_class_id = class_names.index("T-shirt/top")


def split_dataset(X, y):
    y_for_B = (y == pos_class_id) | (y == neg_class_id)
    y_A = y[~y_for_B]
    y_B = (y[y_for_B] == pos_class_id).astype(np.float32)
    old_class_ids = list(set(range(10)) - set([neg_class_id, pos_class_id]))
    for old_class_id, new_class_id in zip(old_class_ids, range(8)):  # noqa: B905
        y_A[y_A == old_class_id] = new_class_id
    return ((X[~y_for_B], y_A), (X[y_for_B], y_B))


def transfer_learning(
    data: Data, path: str, seed: int = 42, look: Callable[[str, Any], None] = lambda place, model: None,
    keras: Any = keras,
) -> SimpleNamespace:
    """Run the listing; ``keras`` may be Keras itself.

    Args:
        data: (X, y) to train, to validate and to test on; pictures (n, 28, 28) with values 0 to 1, labels (n,).
        path: where model A is saved.
        look: called with a place in the listing and a model.

    Returns:
        All names of the listing; ``score_A`` and ``score_B`` are [loss, accuracy] on the pictures to test on.
    """
    (X_train, y_train), (X_valid, y_valid), (X_test, y_test) = data

    (X_train_A, y_train_A), (X_train_B, y_train_B) = split_dataset(X_train, y_train)
    (X_valid_A, y_valid_A), (X_valid_B, y_valid_B) = split_dataset(X_valid, y_valid)
    (X_test_A, y_test_A), (X_test_B, y_test_B) = split_dataset(X_test, y_test)
    X_train_B = X_train_B[:200]
    y_train_B = y_train_B[:200]

    keras.utils.set_random_seed(seed)

    model_A = keras.Sequential([
        keras.layers.Flatten(input_shape=[28, 28]),
        keras.layers.Dense(100, activation="relu",
                           kernel_initializer="he_normal"),
        keras.layers.Dense(100, activation="relu",
                           kernel_initializer="he_normal"),
        keras.layers.Dense(100, activation="relu",
                           kernel_initializer="he_normal"),
        keras.layers.Dense(8, activation="softmax")
    ])
    look("new", model_A)

    model_A.compile(loss="sparse_categorical_crossentropy",
                    optimizer=keras.optimizers.SGD(learning_rate=0.001),
                    metrics=["accuracy"])
    history = history_A = model_A.fit(X_train_A, y_train_A, epochs=20,
                                      validation_data=(X_valid_A, y_valid_A))
    model_A.save(path)
    saved = model_A
    score_A = model_A.evaluate(X_test_A, y_test_A)

    model_A = keras.models.load_model(path)
    model_B_on_A = keras.Sequential(model_A.layers[:-1])
    model_B_on_A.add(keras.layers.Dense(1, activation='sigmoid'))

    model_A_clone = keras.models.clone_model(model_A)
    look("cloned", model_A_clone)
    model_A_clone.set_weights(model_A.get_weights())

    for layer in model_B_on_A.layers[:-1]:
        layer.trainable = False

    model_B_on_A.compile(loss='binary_crossentropy', optimizer=keras.optimizers.SGD(learning_rate=0.001),
                         metrics=['accuracy'])
    look("frozen", model_B_on_A)

    history = history_frozen = model_B_on_A.fit(X_train_B, y_train_B, epochs=4,
                                                validation_data=(X_valid_B, y_valid_B))
    look("after 4 epochs", model_B_on_A)

    for layer in model_B_on_A.layers[:-1]:
        layer.trainable = True

    optimizer = keras.optimizers.SGD(learning_rate=0.001)
    model_B_on_A.compile(loss='binary_crossentropy', optimizer=optimizer,
                         metrics=['accuracy'])
    history = model_B_on_A.fit(X_train_B, y_train_B, epochs=16,
                               validation_data=(X_valid_B, y_valid_B))
    look("after 20 epochs", model_B_on_A)

    score_B = model_B_on_A.evaluate(X_test_B, y_test_B)
    return SimpleNamespace(**locals())
# fmt: on


def full_data() -> Data | None:
    """Fashion-MNIST as the notes' book prepares it, the last 5,000 to validate on; None where only the subset is."""
    (X_train_full, y_train_full), (X_test, y_test) = keras.datasets.fashion_mnist.load_data()
    if len(X_train_full) != 60000:
        return None
    X_train, y_train = X_train_full[:-5000], y_train_full[:-5000]
    X_valid, y_valid = X_train_full[-5000:], y_train_full[-5000:]
    X_train, X_valid, X_test = X_train / 255.0, X_valid / 255.0, X_test / 255.0
    return (X_train, y_train), (X_valid, y_valid), (X_test, y_test)
