"""The data sets of the notes. Rows 1, 2, 39, 40, 41, 99."""

import pickle

import numpy as np
import pytest

import minidl as keras
from minidl.datasets import cifar10, fashion_mnist
from tests.notes.transfer import CLASS_NAMES, full_data, split_dataset


def test_1_fashion_mnist_that_minidl_carries():
    class_names = list(fashion_mnist.CLASS_NAMES)
    assert class_names == CLASS_NAMES and class_names.index("Pullover") == 2 and class_names.index("T-shirt/top") == 0
    (X_train, y_train), (X_test, y_test) = fashion_mnist.load_subset()
    assert X_train.shape == (8000, 28, 28) and y_train.shape == (8000,) and X_test.shape == (2000, 28, 28)
    assert X_train.dtype == y_train.dtype == np.uint8 and X_train.min() == 0 and X_train.max() == 255
    assert np.bincount(y_train).tolist() == [800] * 10 and np.bincount(y_test).tolist() == [200] * 10


@pytest.mark.slow
def test_1_fashion_mnist_whole():
    data = full_data()
    if data is None:
        pytest.skip("the full Fashion-MNIST is not here")
    (X_train, y_train), (X_test, y_test) = keras.datasets.fashion_mnist.load_data()
    assert (X_train.shape, y_train.shape, X_test.shape, y_test.shape) == (
        (60000, 28, 28), (60000,), (10000, 28, 28), (10000,)
    )  # fmt: skip
    assert X_train.dtype == y_train.dtype == X_test.dtype == y_test.dtype == np.uint8
    assert np.bincount(y_train).tolist() == [6000] * 10 and np.bincount(y_test).tolist() == [1000] * 10
    assert y_train[0] == 9 and CLASS_NAMES[y_train[0]] == "Ankle boot"  # the first picture, known from every book
    assert [len(x) for x, _ in data] == [55000, 5000, 10000] and data[0][0].max() == 1.0


def test_2_split_into_tasks(pictures):
    (X_train, y_train), _, _ = pictures
    labels = y_train.copy()
    (X_train_A, y_train_A), (X_train_B, y_train_B) = split_dataset(X_train, y_train)
    np.testing.assert_array_equal(y_train, labels)  # the masks copy: renumbering A leaves the labels alone
    assert type(X_train_A) is type(y_train_A) is np.ndarray and X_train_B.flags.writeable
    assert len(X_train_A) == (labels > 2).sum() + (labels == 1).sum() and len(X_train_A) + len(X_train_B) == 7000
    # 1, 3, 4, ..., 9 become 0, 1, 2, ..., 7; of B, pullovers are the positive class
    renumbered = {1: 0, 3: 1, 4: 2, 5: 3, 6: 4, 7: 5, 8: 6, 9: 7}
    assert y_train_A.tolist() == [renumbered[label] for label in labels.tolist() if label in renumbered]
    assert y_train_B.dtype == np.float32 and y_train_B.tolist() == [
        float(label == 2) for label in labels.tolist() if label in (0, 2)
    ]
    assert X_train_B[:200].shape == (200, 28, 28) and set(y_train_B[:200]) == {0.0, 1.0}


@pytest.fixture
def cifar_archive(tmp_path):
    """A folder as the archive of CIFAR-10 unpacks to, whole in form, with pictures of noise; returns what is in it."""
    rng = np.random.default_rng(0)
    folder = tmp_path / "cifar-10-batches-py"
    folder.mkdir()
    written = {}
    for name in [f"data_batch_{i}" for i in range(1, 6)] + ["test_batch"]:
        data, labels = rng.integers(0, 256, (20, 3072), np.uint8), rng.integers(0, 10, 20).tolist()
        (folder / name).write_bytes(pickle.dumps({b"data": data, b"labels": labels}, protocol=2))
        written[name] = data, labels
    return folder, written


def test_39_40_41_99_cifar_10(cifar_archive):
    """Four axes, so no reshape; a pixel by slicing; labels (n, 1), one-hot of ten."""
    folder, written = cifar_archive
    (x_train, y_train), (x_test, y_test) = cifar10.load_data(folder)
    assert x_train.shape == (100, 32, 32, 3) and y_train.shape == (100, 1) and x_test.shape == (20, 32, 32, 3)
    assert x_train.dtype == np.uint8 and y_test.shape == (20, 1)
    planes = written["data_batch_3"][0][14].reshape(3, 32, 32)  # picture 54 is number 14 of the third batch
    assert x_train[54, 12, 13, :].tolist() == planes[:, 12, 13].tolist()
    labels = np.array(written["data_batch_3"][1])
    one_hot = keras.utils.to_categorical(y_train, 10)
    assert one_hot.shape == (100, 10) and one_hot.dtype == np.float32
    np.testing.assert_array_equal(one_hot[40:60], np.eye(10)[labels])
    assert cifar10.CLASS_NAMES == (
        "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"
    )  # fmt: skip
