"""The two networks that the commands train. ``cnn`` is the one of ``minidl demo``."""

from typing import Any

__all__ = ["NETWORKS", "cnn", "mlp"]


def mlp(shape: tuple[int, ...], classes: int) -> Any:
    """Two hidden layers of 300 and 100 units on the flattened picture.

    Args:
        shape: (height, width, channels) of a picture.
        classes: how many.
    """
    from minidl.layers import Dense, Flatten, Input
    from minidl.models import Sequential

    return Sequential(
        [
            Input(shape),
            Flatten(),
            Dense(300, activation="relu"),
            Dense(100, activation="relu"),
            Dense(classes, activation="softmax"),
        ]
    )


def cnn(shape: tuple[int, ...], classes: int) -> Any:
    """Three convolutions, two poolings, one hidden layer with dropout; arguments as for ``mlp``."""
    from minidl.layers import Conv2D, Dense, Dropout, Flatten, Input, MaxPooling2D
    from minidl.models import Sequential

    return Sequential(
        [
            Input(shape),
            Conv2D(32, 3, activation="relu"),
            Conv2D(32, 3, activation="relu"),
            MaxPooling2D(),
            Conv2D(64, 3, activation="relu"),
            MaxPooling2D(),
            Flatten(),
            Dense(128, activation="relu"),
            Dropout(0.2),
            Dense(classes, activation="softmax"),
        ]
    )


NETWORKS = {"mlp": mlp, "cnn": cnn}
