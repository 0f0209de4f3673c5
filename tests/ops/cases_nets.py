"""Cases of products, convolution, pooling, normalisation, losses and dropout."""

import itertools

import numpy as np
from scipy import special

from minidl import ops
from minidl.engine.op import registered
from tests.ops import windows
from tests.ops.case import HUGE, RNG, Case, case, cases, distinct, nonzero, normal, positive
from tests.ops.cases_arithmetic import SATURATED, positive_part
from tests.ops.cases_shaping import variance

X, SQUARE = normal(2, 3, 4), normal(3, 3)


def affine(x, kernel, bias, activation=None):
    y = np.einsum("...k,kn->...n", x, kernel) + bias
    return positive_part(y) if activation == "relu" else y


def transposed_product(x1, x2, transpose_1, transpose_2):
    left, right = "...ji" if transpose_1 else "...ij", "...kj" if transpose_2 else "...jk"
    return np.einsum(f"{left},{right}->...ik", x1, x2)


def pairs(expected, *shapes):
    return [case(expected, x1=normal(*a), x2=normal(*b)) for a, b in shapes]


MATRICES = [((3, 4), (4, 5)), ((3, 3), (3, 3)), ((1, 1), (1, 1)), ((2, 1, 3, 4), (3, 4, 2)), ((4, 2, 3), (3, 1))]
VECTORS = [((4,), (4, 5)), ((3, 4), (4,)), ((4,), (4,)), ((4,), (2, 4, 3)), ((2, 3, 4), (4,))]
DENSE = [
    {"x": normal(*x), "kernel": normal(x[-1], n), "bias": normal(n)}
    for x, n in (((3, 4), 2), ((2, 3, 4), 5), ((1, 3), 1), ((3, 3), 3))
]
PRODUCTS: dict[str, list[Case]] = {
    "matrix_product": [
        *pairs(lambda x1, x2: np.einsum("...ij,...jk->...ik", x1, x2), *MATRICES),
        *[
            case(transposed_product, x1=normal(*a), x2=normal(*b), transpose_1=t1, transpose_2=t2)
            for a, b, t1, t2 in (
                ((4, 3), (4, 5), True, False),
                ((3, 4), (5, 4), False, True),
                ((4, 3), (5, 4), True, True),
                ((2, 3, 4), (5, 4), False, True),
                ((2, 4, 3), (2, 5, 4), True, True),
                ((3, 3), (3, 3), True, False),
                ((4, 3), (2, 4, 5), True, False),
            )
        ],
    ],
    "matmul": pairs(lambda x1, x2: x1 @ x2, *MATRICES[:4], *VECTORS),
    "dot": pairs(lambda x1, x2: np.dot(x1, x2), *VECTORS, ((2, 3, 4), (3, 4, 2)), ((), (2, 3)), ((2,), ())),
    "dense": [
        *cases(affine, *DENSE),
        *cases(affine, *DENSE, activation="relu"),
        case(affine, x=np.zeros((2, 3)), kernel=normal(3, 2), bias=np.zeros(2), activation="relu"),
    ],
}

SUBSCRIPTS = [  # and the shapes of the operands
    ("ij,jk->ik", (2, 3), (3, 4)), ("ij,jk->ki", (2, 3), (3, 4)), ("bij,bkj->bik", (2, 3, 4), (2, 5, 4)),
    ("abc,cd->abd", (2, 3, 4), (4, 5)), ("abc,cde->abde", (2, 3, 4), (4, 5, 2)), ("...x,xy->...y", (2, 3, 4), (4, 5)),
    ("x...,xy->y...", (4, 2, 3), (4, 5)), ("...ij,...jk->...ik", (2, 1, 3, 4), (3, 4, 2)),
    ("ij,ij->ij", (2, 3), (2, 3)), ("i,j->ij", (3,), (4,)), ("i,i", (3,), (3,)), ("ij,kl->", (2, 3), (2, 2)),
    ("ij,ji", (2, 3), (3, 2)), ("ij", (2, 3)), ("ba", (2, 3)), ("ii->i", (3, 3)), ("ii", (3, 3)),
    ("iij->ji", (3, 3, 2)), ("...i->...", (2, 3, 4)), ("iji,jk->ik", (2, 3, 2), (3, 4)),
    ("ij,jk,kl->il", (2, 3), (3, 4), (4, 2)), ("bi,bj,bk->bijk", (2, 3), (2, 4), (2, 1)), ("ij,k->i", (2, 3), (4,)),
    ("aecd,abcd->acbe", (2, 3, 4, 2), (2, 5, 4, 2)), ("...,...", (2, 3), (1,)), ("ii,ij->j", (3, 3), (3, 2)),
    (" ij , jk -> ik ", (2, 3), (3, 4)), ("i,i,i->i", (3,), (3,), (3,)), ("->", ()),
]  # fmt: skip
PRODUCTS["einsum"] = [
    case(
        lambda subscripts, xs: np.einsum(subscripts, *xs), call=lambda subscripts, xs: ops.einsum(subscripts, *xs),
        subscripts=subscripts, xs=[normal(*shape) for shape in shapes],
    )
    for subscripts, *shapes in SUBSCRIPTS
]  # fmt: skip


def contracted(x1, x2, equation):
    return np.einsum(equation, x1, x2)


PRODUCTS["contraction"] = [
    case(contracted, x1=normal(2, 3, 4), x2=normal(2, 4, 5), equation="bij,bjk->bki"),
    case(contracted, x1=normal(2, 3), x2=normal(4, 3, 2), equation="ij,kji->k"),
    case(contracted, x1=normal(2, 3), x2=normal(4), equation="ij,k->kij"),
    case(contracted, x1=normal(1, 3), x2=normal(2, 3), equation="ij,ij->ij"),
]

# Overlapping, gapped and padded windows; one picture and several; one channel and several; all extents equal.
GEOMETRY = [  # pictures, window, strides, padding
    ((2, 4, 5, 3), (3, 2), (1, 1), "same"),
    ((1, 5, 4, 1), (2, 3), (2, 1), "valid"),
    ((2, 5, 6, 2), (2, 2), (3, 3), "valid"),
    ((1, 5, 7, 2), (3, 3), (2, 2), "same"),
    ((3, 3, 3, 3), (3, 3), (1, 1), "same"),
    ((1, 3, 2, 2), (1, 1), (2, 2), "same"),
]


def convolutions(expected, *given, made=None):
    """Cases whose arguments x, upstream and kernel fit together; ``made`` is the one whose shape is asked for."""
    found = []
    for x, size, strides, padding in GEOMETRY:
        filters = 3 if x[3] == 3 else 2
        kernel, upstream = (*size, x[3], filters), windows.output_shape(x, size, strides, padding, filters)
        shapes = {"x": x, "kernel": kernel, "upstream": upstream}
        settings = {"strides": strides, "padding": padding} | ({"shape": shapes[made]} if made else {})
        found.append(case(expected, **{name: normal(*shapes[name]) for name in given}, **settings))
    return found


def with_bias(expected):
    """The cases of a convolution, with a bias of each filter."""

    def definition(x, kernel, bias, strides, padding):
        return expected(x, kernel, bias, strides, padding)

    return [
        case(definition, bias=normal(one.arguments["kernel"].shape[3]), **one.arguments)
        for one in convolutions(definition, "x", "kernel")
    ]


def pools(expected, *given, ties=False):
    found = []
    for x, size, strides, padding in GEOMETRY:
        upstream = normal(*windows.output_shape(x, size, strides, padding, x[3]))
        settings = {"pool_size": size, "strides": strides, "padding": padding}
        for picture in [distinct(*x)] + [np.round(distinct(*x) % 2) - 1] * ties:
            made = {"x": picture, "values": normal(*x), "upstream": upstream, "shape": x}
            found.append(case(expected, **{name: made[name] for name in given}, **settings))
    return found


def of_layer(expected):
    """The definition with the arguments as users give them: sequences and pictures, both layouts, what is left out."""

    def filled(inputs, pool_size, strides=None, padding="valid", data_format=None):
        x = np.moveaxis(inputs, 1, -1) if data_format == "channels_first" else inputs
        rank = x.ndim - 2
        size, steps = [(n,) * rank if isinstance(n, int) else n for n in (pool_size, strides or pool_size)]
        if rank == 1:
            y = expected(x[:, None], (1, *size), (1, *steps), padding)[:, 0]
        else:
            y = expected(x, size, steps, padding)
        return np.moveaxis(y, -1, 1) if data_format == "channels_first" else y

    return filled


POOLS = [{"pool_size": 2}, {"pool_size": (3, 2), "strides": (1, 2), "padding": "same"}]
PICTURES: dict[str, list[Case]] = {
    "conv2d": convolutions(windows.conv2d, "x", "kernel"),
    "conv2d_bias": with_bias(lambda x, kernel, bias, *way: windows.conv2d(x, kernel, *way) + bias),
    "conv2d_bias_relu": with_bias(lambda x, kernel, bias, *way: positive_part(windows.conv2d(x, kernel, *way) + bias)),
    "conv2d_input_grad": convolutions(windows.conv2d_input_grad, "upstream", "kernel", made="x"),
    "conv2d_kernel_grad": convolutions(windows.conv2d_kernel_grad, "x", "upstream", made="kernel"),
    "max_pool2d": pools(windows.max_pool, "x", ties=True),
    "max_pool_scatter": pools(windows.max_pool_scatter, "upstream", "x"),
    "max_pool_gather": pools(windows.max_pool_gather, "values", "x"),
    "max_pool": [
        *cases(of_layer(windows.max_pool), *POOLS, inputs=distinct(1, 5, 4, 2)),
        case(of_layer(windows.max_pool), inputs=distinct(2, 7, 3), pool_size=3, strides=2, padding="same"),
        case(of_layer(windows.max_pool), inputs=distinct(2, 3, 7), pool_size=2, data_format="channels_first"),
        case(of_layer(windows.max_pool), inputs=distinct(1, 2, 4, 5), pool_size=(3, 2), data_format="channels_first"),
    ],
    "average_pool2d": pools(windows.average_pool, "x"),
    "average_pool_grad": pools(windows.average_pool_grad, "upstream", "shape"),
    "average_pool": [
        *cases(of_layer(windows.average_pool), *POOLS, inputs=normal(1, 5, 4, 2)),
        case(of_layer(windows.average_pool), inputs=normal(2, 7, 3), pool_size=3, strides=2, padding="same"),
        case(of_layer(windows.average_pool), inputs=normal(2, 3, 7), pool_size=2, data_format="channels_first"),
        case(of_layer(windows.average_pool), inputs=normal(1, 2, 4, 5), pool_size=(3, 2), data_format="channels_first"),
    ],
}


def normalized(x, gamma, beta, epsilon=1e-3):
    axes = tuple(range(x.ndim - 1))
    center, square = x.mean(axes), variance(x, axes)
    return gamma * (x - center) / np.sqrt(square + epsilon) + beta, center, square


def normalized_positive(x, gamma, beta, epsilon=1e-3, negative_slope=0.0):
    y, center, square = normalized(x, gamma, beta, epsilon)
    return np.where(y > 0, y, negative_slope * y), center, square


def by_given(x, mean, variance, axis, offset=0.0, scale=1.0, epsilon=1e-3):
    extents = [-1 if i == axis % x.ndim else 1 for i in range(x.ndim)]
    parts = (np.broadcast_to(part, mean.shape).reshape(extents) for part in (mean, variance, offset, scale))
    mean, variance, offset, scale = parts
    return scale * (x - mean) / np.sqrt(variance + epsilon) + offset


CONSTANT_CHANNEL = np.hstack([normal(5, 2), np.ones((5, 1))])
BATCHES = [
    {"x": x, "gamma": nonzero(x.shape[-1]), "beta": normal(x.shape[-1])}
    for x in (normal(6, 3), SQUARE, normal(2, 3, 1, 4), CONSTANT_CHANNEL, normal(2, 1))
]
STATISTICS = {n: {"mean": normal(n), "variance": positive(n)} for n in X.shape}


def scaled(x, axis=-1, order=2, epsilon=1e-7):
    length = (np.abs(x) ** order).sum(axis, keepdims=True) ** (1 / order)
    return x / np.maximum(length, epsilon)


NORMALIZATION: dict[str, list[Case]] = {
    "batch_norm": [*cases(normalized, *BATCHES), case(normalized, **BATCHES[1], epsilon=0.1)],
    "batch_norm_relu": [
        *cases(normalized_positive, *BATCHES),
        *(case(normalized_positive, **one, epsilon=0.1, negative_slope=0.3) for one in BATCHES[:3]),
    ],
    "scale_shift": [
        case(lambda x, scale, shift: x * scale + shift, x=one["x"], scale=one["gamma"], shift=one["beta"])
        for one in BATCHES[:3]
    ],
    "batch_normalization": [
        case(by_given, x=X, axis=-1, **STATISTICS[4], offset=normal(4), scale=nonzero(4)),
        case(by_given, x=X, axis=1, **STATISTICS[3], offset=normal(3), scale=nonzero(3)),
        case(by_given, x=X, axis=2, **STATISTICS[4], scale=nonzero(4), epsilon=0.1),
        case(by_given, x=X, axis=0, **STATISTICS[2]),
    ],
}
LENGTHS: dict[str, list[Case]] = {
    "normalize": [
        *cases(scaled, {}, {"axis": 0}, {"axis": (0, 2)}, {"order": 1}, {"order": 3, "axis": 1}, x=nonzero(2, 3, 4)),
        case(scaled, x=np.array([[0.0, 0.0], [3.0, 4.0], [1e-9, 0.0]])),
        case(scaled, x=np.array([[0.1, 0.0], [3.0, 4.0]]), epsilon=0.5),
    ],
}


def by_own(x, gamma=1.0, beta=0.0, axis=-1, epsilon=1e-7):
    centred = x - x.mean(axis, keepdims=True)
    return centred / np.sqrt((centred**2).mean(axis, keepdims=True) + epsilon) * gamma + beta


def by_root_mean_square(x, scale=1.0, axis=-1, epsilon=1e-7):
    return x / np.sqrt((x**2).mean(axis, keepdims=True) + epsilon) * scale


def by_norm(x, axis=-1, order=2, epsilon=1e-7):
    norms = (np.abs(x) ** order).sum(axis, keepdims=True) ** (1 / order)
    return x / np.maximum(norms, epsilon)


NORMALIZATION |= {
    "layer_normalization": [
        case(by_own, x=X), case(by_own, x=X, gamma=normal(4), beta=normal(4)),
        case(by_own, x=X, axis=(0, -1), epsilon=0.5), case(by_own, x=X, gamma=normal(3, 4), axis=(1, 2)),
        case(by_own, x=SQUARE, beta=normal(3), axis=(1,), epsilon=0.01),
    ],
    "rms_normalization": [
        case(by_root_mean_square, x=X), case(by_root_mean_square, x=X, scale=normal(4), epsilon=0.1),
        case(by_root_mean_square, x=X, scale=normal(3, 4), axis=(1, 2)), case(by_root_mean_square, x=SQUARE, axis=0),
    ],
    "normalize": [
        case(by_norm, x=X), case(by_norm, x=X, axis=(0, 2)), case(by_norm, x=nonzero(2, 3), axis=1, order=1),
        case(by_norm, x=nonzero(2, 3), axis=0, order=3),
        case(by_norm, x=SQUARE, epsilon=100.0), case(by_norm, x=X, axis=None),
    ],
}  # fmt: skip

LOGITS, PROBABILITIES, TARGET = normal(3, 4), special.softmax(normal(3, 4), -1), special.softmax(normal(3, 4), -1)
LABELS, SQUARE_LABELS = np.array([3, 0, 0]), np.array([1, 1, 0])
CERTAIN = np.array([[0.0, 1.0], [0.5, 0.0]])
EPSILON = 1e-7


def cross_entropy(logits, labels):
    return -special.log_softmax(logits, -1)[np.arange(len(labels)), labels], special.softmax(logits, -1)


def cross_entropy_gradient(upstream, logits, labels):
    return (special.softmax(logits, -1) - np.eye(logits.shape[1])[labels]) * upstream[:, None]


def call_cross_entropy_gradient(upstream, logits, labels):
    probabilities = np.asarray(special.softmax(ops.convert_to_numpy(logits), -1), logits.dtype)
    return registered["softmax_cross_entropy_grad"](upstream, logits, probabilities, labels)


def of_probabilities(output, labels, epsilon):
    p = output[np.arange(len(labels)), labels] / output.sum(-1)
    return -np.log(np.clip(p, epsilon, 1 - epsilon)), p


def categorical(target, output, from_logits=False, axis=-1):
    if from_logits:
        return -(target * special.log_softmax(output, axis)).sum(axis)
    return -(target * np.log(np.clip(output / output.sum(axis, keepdims=True), EPSILON, 1 - EPSILON))).sum(axis)


def sparse(target, output, from_logits=False, axis=-1):
    output = np.moveaxis(output, axis, -1)
    return categorical(np.eye(output.shape[-1])[target.reshape(output.shape[:-1])], output, from_logits)


def binary(target, output, from_logits=False):
    if from_logits:
        return np.logaddexp(output, 0) - target * output
    p = np.clip(output, EPSILON, 1 - EPSILON)
    return -(target * np.log(p) + (1 - target) * np.log(1 - p))


LOSSES: dict[str, list[Case]] = {
    "softmax_cross_entropy": [
        case(cross_entropy, logits=logits, labels=labels)
        for logits, labels in (
            (LOGITS, LABELS), (SQUARE, SQUARE_LABELS), (normal(1, 3), np.array([2])), (HUGE, np.array([2, 0])),
        )
    ],
    "softmax_cross_entropy_grad": [
        case(cross_entropy_gradient, call=call_cross_entropy_gradient, upstream=normal(3), logits=logits, labels=labels)
        for logits, labels in ((LOGITS, LABELS), (SQUARE, SQUARE_LABELS))
    ],
    "probability_cross_entropy": [
        case(of_probabilities, output=output, labels=labels, epsilon=EPSILON)
        for output, labels in ((PROBABILITIES, LABELS), (positive(3, 3), SQUARE_LABELS), (CERTAIN, np.array([1, 1])))
    ],
    "categorical_crossentropy": [
        case(categorical, target=TARGET, output=PROBABILITIES),
        case(categorical, target=special.softmax(normal(2, 3, 4), 1), output=positive(2, 3, 4), axis=1),
        case(categorical, target=TARGET, output=LOGITS, from_logits=True),
    ],
    "sparse_categorical_crossentropy": [
        case(sparse, target=LABELS, output=PROBABILITIES),
        case(sparse, target=LABELS[:, None], output=LOGITS, from_logits=True),
        case(sparse, target=np.array([[0, 2, 1, 1], [2, 2, 0, 1]]), output=positive(2, 3, 4), axis=1),
        case(sparse, target=np.array([[0, 2, 1], [2, 3, 0]]), output=X, from_logits=True),
    ],
    "binary_crossentropy": [
        case(binary, target=RNG.uniform(0.1, 0.9, (2, 3)), output=RNG.uniform(0.1, 0.9, (2, 3))),
        case(binary, target=np.array([[0.0, 1.0, 0.0]]), output=np.array([[0.3, 0.7, 0.9]])),
        case(binary, target=RNG.uniform(0, 1, (2, 3)), output=SATURATED, from_logits=True),
    ],
}  # fmt: skip

# What is drawn is tested with the kernel.
KEY = np.array([7, 1], np.uint32)
RANDOMNESS: dict[str, list[Case]] = {
    "masked_dropout": cases(None, {"x": X, "rate": 0.4}, {"x": SQUARE, "rate": 0.0, "offset": 5}, key=KEY),
}


def spelled(path, blank):
    """What a path over time says: repetitions are one, blanks are none."""
    return [label for label, before in zip(path, [None, *path[:-1]], strict=True) if label not in (before, blank)]


def by_all_paths(target, output, target_length, output_length, mask_index=0):
    """-log of the sum of the probabilities of all paths that say the target."""
    losses = []
    for word, logits, used, steps in zip(target, output, target_length, output_length, strict=True):
        p = special.softmax(logits, -1)
        paths = itertools.product(range(p.shape[-1]), repeat=int(steps))
        right = [path for path in paths if spelled(path, mask_index) == list(word[:used])]
        losses.append(-np.log(sum(np.prod([p[t, label] for t, label in enumerate(path)]) for path in right)))
    return np.array(losses)


CTC: dict[str, list[Case]] = {
    "ctc_loss": [
        case(
            by_all_paths, target=np.array([[1, 2], [1, 1], [2, 0], [0, 0]]), output=normal(4, 3, 3),
            target_length=np.array([2, 2, 1, 0]), output_length=np.array([3, 3, 2, 3]),
        ),
        case(
            by_all_paths, target=np.array([[0, 1, 0], [1, 1, 1]]), output=normal(2, 4, 3), mask_index=2,
            target_length=np.array([3, 2]), output_length=np.array([4, 3]),
        ),
        case(
            by_all_paths, target=np.zeros((2, 0), int), output=normal(2, 2, 3),
            target_length=np.array([0, 0]), output_length=np.array([2, 1]),
        ),
    ],
}  # fmt: skip
