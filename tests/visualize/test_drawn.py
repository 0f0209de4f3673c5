"""The drawings of the sixth example, and what the net that learned from photographs makes of them."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
KNOWN = ("airplane", "automobile", "horse", "ship", "truck")


@pytest.fixture(scope="module")
def example():
    """The example as a module."""
    sys.path.insert(0, str(EXAMPLES))
    try:
        spec = importlib.util.spec_from_file_location("drawn_pictures", EXAMPLES / "06_drawn_pictures.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        yield module
    finally:
        sys.path.remove(str(EXAMPLES))
        sys.modules.pop("drawings", None)


@pytest.fixture(scope="module")
def net(example):
    return example.read(example.network())


def test_a_drawing_and_its_mask(example):
    for name in example.DRAWINGS:
        one, mask = example.draw(name, 3)
        again, other = example.draw(name, 3)[0], example.draw(name, 4)[0]
        assert one.shape == (32, 32, 3) and mask.shape == (32, 32) and one.dtype == mask.dtype == np.float32
        assert 0 <= one.min() < one.max() <= 1 and mask.min() == 0 and mask.max() == 1
        assert 0.1 < mask.mean() < 0.7, name
        assert np.array_equal(one, again) and not np.array_equal(one, other)
    assert set(example.DRAWINGS) < set(example.NAMES)


def test_the_share_of_a_map_that_lies_on_the_thing(example):
    mask, heat = np.zeros((10, 10)), np.arange(100.0).reshape(10, 10)
    mask[9, :5] = 1
    assert example.share_on(mask, heat) == 0.5 and example.share_on(1 - mask, heat) == 0.5
    assert example.share_on(mask, -heat) == 0


def test_the_net_is_small(net):
    assert net.count_params() == 75_058 and (EXAMPLES / "drawn_pictures.npz").stat().st_size < 160_000
    assert net.output_shape == (None, 10)


@pytest.mark.slow
def test_what_the_net_calls_them(example, net):
    for name in KNOWN:
        assert example.recognised(net, name) >= 0.9, name
        assert example.answers(net, name)[:, example.NAMES.index(name)].mean() > 0.75, name


@pytest.mark.slow
def test_a_ship_is_known_by_its_sea_and_a_car_by_itself(example, net):
    """What no map of one picture can say: the background alone is enough for some classes."""
    assert example.recognised(net, "ship", "background") >= 0.9
    for name in ("automobile", "horse", "truck"):
        assert example.recognised(net, name, "background") == 0, name
    for name in ("automobile", "truck", "ship"):
        assert example.recognised(net, name, "thing") >= 0.9, name


@pytest.mark.slow
def test_the_maps_lie_on_the_car(example, net):
    """It fills about a third of the picture, and most of the tenth where each of the two maps is largest."""
    filled = np.mean([example.draw("automobile", seed)[1] for seed in range(6)])
    cam, hidden = example.shares(net, "automobile")
    assert 0.3 < filled < 0.4 and cam > 0.85 and hidden > 0.6
    assert all(one.shape == (32, 32) for one in example.where(net, "automobile"))


@pytest.mark.slow
def test_the_maps_lie_on_the_ship_where_there_is_no_sea(example, net):
    """The same ship: at sea either half is enough, and the maps miss it; in the sky nothing else speaks for a ship."""
    ship = example.NAMES.index("ship")
    assert max(example.shares(net, "ship")) < 0.5
    assert example.recognised(net, "ship", "before airplane") >= 0.9
    assert not (example.answers(net, "airplane", "background").argmax(1) == ship).any()
    assert min(example.shares(net, "ship", "airplane")) > 0.75
    for other in ("bird", "frog", "truck"):
        assert example.recognised(net, "ship", f"before {other}") >= 0.7, other
        assert example.shares(net, "ship", other)[1] > 0.7, other


def test_a_thing_elsewhere_is_the_same_thing(example):
    at_sea, mask = example.draw("ship", 2)
    in_the_sky, same = example.draw("ship", 2, background="airplane")
    np.testing.assert_array_equal(mask, same)
    np.testing.assert_allclose(in_the_sky[mask == 1], at_sea[mask == 1], atol=1e-6)
    sky = example.draw("airplane", 2, thing=False)[0]
    assert abs(in_the_sky - sky)[mask == 0].max() < 0.15 < abs(at_sea - sky)[mask == 0].max()  # but for the grain


@pytest.mark.slow
def test_the_accuracy_on_photographs(example, net, cifar_folder):
    """Of the first hundred test pictures of each class; docs/inside.md says what all ten thousand give."""
    x, y = example.folder(cifar_folder / "test")
    assert len(y) == 1000
    right = net.predict(x.astype("float32") / 255, batch_size=250, verbose=0).argmax(1) == y
    assert right.mean() == pytest.approx(0.735, abs=0.04)
