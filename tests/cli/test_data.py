"""Folders of pictures as data: what is held out, what labels mean, and what is refused."""

import numpy as np
import pytest

from minidl.cli.arguments import UsageError, image_size
from minidl.cli.data import fashion_mnist_subset, folders


def test_a_fifth_of_each_class_is_held_out(make_folder):
    data = folders(str(make_folder("pictures", 10)), None, (10, 10), seed=0)
    assert data.class_names == ("blue", "green", "red") and data.shape == (10, 10, 3)
    np.testing.assert_array_equal(np.bincount(data.y_test), [2, 2, 2])
    np.testing.assert_array_equal(np.bincount(data.y_train), [8, 8, 8])
    assert data.x_train.dtype == np.float32 and 0 <= data.x_train.min() < data.x_train.max() <= 1
    channel = {0: 2, 1: 1, 2: 0}  # blue, green, red: the brightest channel tells the class
    for x, y in ((data.x_train, data.y_train), (data.x_test, data.y_test)):
        np.testing.assert_array_equal(x.mean((1, 2)).argmax(1), [channel[label] for label in y.tolist()])


def test_what_is_held_out_follows_from_the_seed(make_folder):
    folder = str(make_folder("pictures", 10))
    first, again, other = (folders(folder, None, (10, 10), seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.x_test, again.x_test)
    assert not np.array_equal(first.x_test, other.x_test)
    together = np.concatenate([first.x_train, first.x_test])
    assert len(np.unique(together.reshape(30, -1), axis=0)) == 30  # no picture is in both parts


def test_a_test_folder_may_lack_classes_but_not_bring_new_ones(make_folder):
    train = str(make_folder("pictures", 3))
    data = folders(train, str(make_folder("red only", 4, ("red",))), (10, 10), 0)
    np.testing.assert_array_equal(data.y_test, [2, 2, 2, 2])
    assert len(data.x_train) == 9
    with pytest.raises(UsageError, match="purple"):
        folders(train, str(make_folder("new", 1, ("purple", "red"))), (10, 10), 0)


def test_folders_that_cannot_be_learned_from(make_folder, tmp_path):
    with pytest.raises(UsageError, match="no folder"):
        folders(str(tmp_path / "none"), None, (10, 10), 0)
    with pytest.raises(UsageError, match="CLASS"):
        folders(str(tmp_path), None, (10, 10), 0)
    with pytest.raises(UsageError, match="one class"):
        folders(str(make_folder("alone", 3, ("red",))), None, (10, 10), 0)
    with pytest.raises(UsageError, match="--test"):
        folders(str(make_folder("few", 2)), None, (10, 10), 0)
    broken = make_folder("broken", 5) / "red" / "3.png"
    broken.write_bytes(b"no picture")
    with pytest.raises(UsageError, match=r"3\.png"):
        folders(str(tmp_path / "broken"), None, (10, 10), 0)


def test_the_pictures_that_minidl_carries():
    data = fashion_mnist_subset()
    assert data.x_train.shape == (8000, 28, 28, 1) and data.x_test.shape == (2000, 28, 28, 1)
    assert data.x_train.max() == 1.0 and len(data.class_names) == 10


@pytest.mark.parametrize("text, size", [("32", (32, 32)), ("48x64", (48, 64)), ("8X9", (8, 9))])
def test_image_sizes(text, size):
    assert image_size(text) == size
