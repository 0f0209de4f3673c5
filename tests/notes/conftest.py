"""What the tests of the notes share: names that count from zero, an own folder, the pictures that minidl carries."""

import pytest

import minidl as keras
from minidl.datasets import fashion_mnist
from tests.notes.transfer import Data


@pytest.fixture(autouse=True)
def fresh_session(tmp_path, monkeypatch):
    """As in a new notebook: layers are counted from zero, and files go to a folder of the test's own."""
    keras.utils.clear_session()
    keras.utils.set_random_seed(7)
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="session")
def pictures() -> Data:
    """(X, y) to train (7,000), to validate (1,000) and to test on (2,000): Fashion-MNIST, values 0 to 1."""
    (x, y), (x_test, y_test) = fashion_mnist.load_subset()
    x, x_test = x / 255.0, x_test / 255.0
    return (x[:7000], y[:7000]), (x[7000:], y[7000:]), (x_test, y_test)
