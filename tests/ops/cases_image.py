"""Cases of what reads pictures between their pixels."""

import itertools

import numpy as np

from tests.ops.case import RNG, Case, case, normal

FOLDS = {  # the pixels that stand outside a row 0 1 2 of three, from -4 to 6
    "nearest": [0, 0, 0, 0, 0, 1, 2, 2, 2, 2, 2],
    "wrap": [2, 0, 1, 2, 0, 1, 2, 0, 1, 2, 0],
    "mirror": [0, 1, 2, 1, 0, 1, 2, 1, 0, 1, 2],
    "reflect": [2, 2, 1, 0, 0, 1, 2, 2, 1, 0, 0],
}


def sampled(inputs, coordinates, order, fill_mode, fill_value=0.0):
    """One output after the other, by the definition; axes of three pixels."""
    places = coordinates.shape[1:]
    y = np.zeros((*places, inputs.shape[-1]))
    for place in np.ndindex(*places):
        at = coordinates[(slice(None), *place)]
        if order == 0:
            corners = [(np.floor(at + 0.5).astype(int), 1.0)]
        else:
            low = np.floor(at).astype(int)
            corners = [
                (low + side, np.prod(np.where(side, at - low, 1 - (at - low))))
                for side in map(np.array, itertools.product((0, 1), repeat=len(at)))
            ]
        for index, weight in corners:
            if fill_mode != "constant":
                value = inputs[(place[0], *(FOLDS[fill_mode][i + 4] for i in index))]
            elif all(0 <= i < 3 for i in index):
                value = inputs[(place[0], *index)]
            else:
                value = np.full(inputs.shape[-1], fill_value)
            y[place] += weight * value
    return y


def between(*shape):
    """Coordinates from -3 to 5, none near a whole number or a half, where the neighbours change."""
    return RNG.integers(-3, 5, shape) + RNG.choice([0.2, 0.4, 0.6, 0.8], shape) + RNG.uniform(-0.05, 0.05, shape)


SAMPLING: dict[str, list[Case]] = {
    "sample": [
        *[
            case(sampled, inputs=normal(2, 3, 3, 2), coordinates=between(2, 2, 3), order=order, fill_mode=mode)
            for mode in ("constant", *FOLDS)
            for order in (0, 1)
        ],
        case(
            sampled, inputs=normal(2, 3, 3, 1), coordinates=between(2, 2, 2, 2), order=1, fill_mode="constant",
            fill_value=1.5,
        ),
        case(sampled, inputs=normal(1, 3, 2), coordinates=between(1, 1, 4), order=1, fill_mode="reflect"),
        case(sampled, inputs=normal(1, 3, 3, 3, 1), coordinates=between(3, 1, 2), order=1, fill_mode="mirror"),
    ],
}  # fmt: skip
