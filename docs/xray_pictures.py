"""Takes the pictures of docs/xray.md: trains a small net, explains a step of it, and photographs the page in Chromium.

    python docs/xray_pictures.py [--out docs/pictures]

Printed are the numbers that were picked in it.
"""

import argparse
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "kernels")]

import minidl as keras  # noqa: E402
from minidl import layers  # noqa: E402
from minidl.xray import record, render  # noqa: E402
from minidl.xray.story import story  # noqa: E402
from tests.browser import visit  # noqa: E402
from tests.xray.driving import READ, WAIT, drive_page, driven_page  # noqa: E402

SNEAKER = 7


def step_of_a_trained_net() -> Any:
    """The step of one test picture, after an epoch of 250 steps on the pictures that minidl carries."""
    keras.utils.set_random_seed(0)
    (x, y), (x_test, y_test) = keras.datasets.fashion_mnist.load_subset()
    x, x_test = (part[..., None].astype("float32") / 255 for part in (x, x_test))
    net = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(6, 3, activation="relu", name="conv"),
            layers.MaxPooling2D(name="pool"),
            layers.Conv2D(8, 3, activation="relu", name="conv_2"),
            layers.MaxPooling2D(name="pool_2"),
            layers.Flatten(name="flatten"),
            layers.Dropout(0.2, name="dropout"),
            layers.Dense(6, activation="relu", kernel_regularizer=keras.regularizers.L2(1e-3), name="hidden"),
            layers.Dense(10, activation="softmax", name="answer"),
        ],
        name="clothes",
    )
    net.compile("adam", "sparse_categorical_crossentropy")
    net.fit(x, y, batch_size=32, verbose=0)
    chances = net.predict(x_test, verbose=0)[:, SNEAKER]
    of_class = np.flatnonzero(y_test == SNEAKER)
    one = of_class[np.abs(chances[of_class] - 0.5).argmin()]  # undecided, so that the gradients are no zeros
    return record(net, (x_test[one : one + 1], y_test[one : one + 1]))


def pictures_of(data: dict[str, Any]) -> dict[str, tuple[str, str, tuple[int, int], bool]]:
    """name: the language, what to do in the page, the size in pixels, and whether the screen is dark."""
    convolution = next(one for one in data["calls"] if one["op"].startswith("conv2d"))
    softmax = next(one for one in data["calls"] if one["op"].startswith("softmax"))
    bias = next(one for one in data["updates"] if one["name"].endswith("answer/bias"))
    x = next(place for place, one in enumerate(data["values"]) if one["name"] == "x")
    made, passed = data["values"][convolution["out"]]["t"], softmax["passes"][0]["parts"][0][2]
    pixel = int(np.ravel_multi_index((0, 8, 13, 1), (1, 26, 26, 6)))  # at the edge of the shoe

    def picked(section: str, tensor: int, place: int) -> str:
        return f"pick(section({section}), {tensor}, {place}); return xray.now({tensor}).data[{place}];"

    forward = picked(f'"forward", c => c.op === "{convolution["op"]}"', made, pixel)
    backward = picked(f'"backward", c => c.op === "{softmax["op"]}"', passed, SNEAKER)
    update = f"xray.edit({x}, {14 * 28 + 14}, 0.1);" + picked(
        f'"update", u => u.name === "{bias["name"]}"', bias["after"], 5
    )
    return {
        "xray_convolution": ("en", forward, (1180, 1240), False),
        "xray_softmax": ("ko", backward, (1180, 900), True),
        "xray_update": ("en", update, (1180, 780), False),
    }


def main() -> None:
    """Take them all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "pictures", help="folder (default: docs/pictures)")
    out = parser.parse_args().out
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None:
        raise SystemExit("no chromium on the PATH")
    step = step_of_a_trained_net()
    for name, (language, script, size, dark) in pictures_of(story(step)[0]).items():
        with tempfile.TemporaryDirectory() as folder:
            page, shot = Path(folder, "page.html"), Path(folder, "shot.png")
            page.write_text(render(step, language), encoding="utf-8")
            seen = drive_page(chromium, Path(folder), page, READ + script)
            if seen.console or not isinstance(seen.answer, float):
                raise SystemExit(f"{name}: {seen}")
            driven = driven_page(page, READ + script, Path(folder))
            visit(chromium, driven, Path(folder), WAIT, f"--screenshot={shot}", size=size, dark=dark)
            with Image.open(shot) as taken:
                taken.convert("RGB").quantize(256).save(out / f"{name}.png", optimize=True)
        print(f"{name}.png: {seen.answer!r}")


if __name__ == "__main__":
    main()
