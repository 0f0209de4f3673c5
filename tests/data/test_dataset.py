"""Dataset: the methods of tf.data that books use, each by its definition."""

import numpy as np
import pytest

import minidl
from minidl.data.dataset import Dataset, split_dataset

ROWS = np.arange(10)


def numbers(n=10):
    return Dataset.from_tensor_slices(ROWS[:n])


def values(data):
    return [one.numpy().tolist() for one in data]


def test_elements():
    assert values(numbers()) == list(range(10)) and len(numbers()) == numbers().cardinality() == 10
    pairs = list(Dataset.from_tensor_slices((ROWS, ROWS.reshape(10, 1) * 2)))
    assert pairs[3][0].item() == 3 and pairs[3][1].shape == (1,)
    named = next(iter(Dataset.from_tensor_slices({"a": ROWS, "b": ROWS * 2}).skip(4)))
    assert named["b"].item() == 8
    with pytest.raises(ValueError, match=r"one length, not \[3, 10\]"):
        Dataset.from_tensor_slices((ROWS, ROWS[:3]))


def test_batch_and_unbatch():
    assert values(numbers().batch(4)) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]] and len(numbers().batch(4)) == 3
    assert values(numbers().batch(4, drop_remainder=True)) == [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert len(numbers().batch(4, drop_remainder=True)) == 2 and len(numbers().batch(5)) == 2
    assert values(numbers().batch(4).unbatch()) == list(range(10))
    x, y = next(iter(Dataset.from_tensor_slices((ROWS, ROWS * 2)).batch(3)))
    assert y.numpy().tolist() == [0, 2, 4] and x.shape == (3,)
    named = next(iter(Dataset.from_tensor_slices({"a": ROWS, "b": ROWS * 2}).batch(3)))
    assert named["b"].numpy().tolist() == [0, 2, 4]


def test_map_and_filter():
    assert values(numbers(4).map(lambda x: x * x, num_parallel_calls=8)) == [0, 1, 4, 9]
    pairs = Dataset.from_tensor_slices((ROWS, ROWS * 2)).map(lambda x, y: (x + y, 0))
    assert [x.item() for x, _ in pairs] == [3 * i for i in range(10)]
    assert values(numbers().filter(lambda x: x.item() % 3 == 0)) == [0, 3, 6, 9]
    with pytest.raises(TypeError, match="no length"):
        len(numbers().filter(lambda x: True))


def test_take_skip_repeat():
    assert values(numbers().take(3)) == [0, 1, 2] and len(numbers().take(30)) == 10
    assert values(numbers().skip(8)) == [8, 9] and len(numbers().skip(30)) == 0
    assert values(numbers(3).repeat(2)) == [0, 1, 2] * 2 and len(numbers(3).repeat(2)) == 6
    endless = numbers(3).repeat()
    assert endless.cardinality() == -1 and values(endless.take(7)) == [0, 1, 2, 0, 1, 2, 0]
    assert values(endless.batch(4).take(2)) == [[0, 1, 2, 0], [1, 2, 0, 1]]


def test_shuffle():
    mixed = numbers().shuffle(10, seed=1)
    first, second = values(mixed), values(mixed)
    assert sorted(first) == sorted(second) == list(range(10)) and first != second and first != list(range(10))
    assert values(numbers().shuffle(10, seed=1)) == first
    fixed = numbers().shuffle(10, seed=1, reshuffle_each_iteration=False)
    assert values(fixed) == values(fixed)
    assert values(numbers().shuffle(1)) == list(range(10))
    for _ in range(20):
        assert all(one <= place + 2 for place, one in enumerate(values(numbers().shuffle(3))))
    firsts = np.bincount([values(numbers(4).shuffle(4).take(1))[0] for _ in range(400)], minlength=4)
    assert np.abs(firsts - 100).max() < 6 * np.sqrt(400 * 0.25 * 0.75)


def test_cache_makes_elements_once():
    made = []
    cached = numbers(3).map(lambda x: made.append(x.item()) or x).cache()
    assert values(cached.take(2)) == [0, 1] and values(cached) == [0, 1, 2]
    before = len(made)
    assert values(cached) == [0, 1, 2] and len(made) == before


def test_prefetch_numpy_and_single_element():
    assert values(numbers().prefetch(3)) == list(range(10))
    arrays = list(numbers(3).as_numpy_iterator())
    assert all(isinstance(one, np.ndarray) for one in arrays)
    assert numbers().batch(10).get_single_element().shape == (10,)
    for data, message in ((numbers(), "several elements"), (numbers().take(0), "no element")):
        with pytest.raises(ValueError, match=message):
            data.get_single_element()


@pytest.mark.parametrize("make", [lambda: numbers().batch(0), lambda: numbers().shuffle(True)])
def test_sizes_are_checked(make):
    with pytest.raises(ValueError, match="must be a positive whole number"):
        make()


def test_split_with_shuffle():
    left, right = split_dataset(numbers(), left_size=0.7, shuffle=True, seed=3)
    found = values(left) + values(right)
    assert sorted(found) == list(range(10)) and found != list(range(10))
    again = split_dataset(ROWS, left_size=0.7, shuffle=True, seed=3)
    assert values(again[0]) == values(left)


def test_a_layer_in_a_pipeline_trains_a_model():
    x = np.random.default_rng(0).normal(size=(64, 3)).astype("float32")
    data = Dataset.from_tensor_slices((x, x.sum(axis=1, keepdims=True))).shuffle(64, seed=1).batch(16)
    scaled = data.map(lambda x, y: (minidl.layers.Rescaling(2.0)(x), y))
    model = minidl.Sequential([minidl.layers.Dense(1, kernel_initializer="zeros")])
    model.compile(minidl.optimizers.SGD(0.05), "mse")
    losses = [model.train_on_batch(*batch) for _ in range(10) for batch in scaled]
    assert losses[-1] < losses[0] / 10
