"""A net that learned from photographs is shown drawings: what it calls them, where it looks, what it looks for.

    python examples/06_drawn_pictures.py [--out DIR]                              # with the weights beside this file
    python examples/06_drawn_pictures.py --data cifar10 [--epochs 7] [--out DIR]  # trains them anew, and writes them

--data takes a folder with train/CLASS/ and test/CLASS/ pictures, or cifar10, which is then fetched (170 MB).
"""

import argparse
from pathlib import Path

import numpy as np
from drawings import DRAWINGS, draw

import minidl as keras
from minidl import layers, visualize

NAMES = keras.datasets.cifar10.CLASS_NAMES
WEIGHTS = Path(__file__).with_name("drawn_pictures.npz")


def network():
    """Four convolutions, 75,000 weights; it ends in a mean over places, so that a score is a sum of maps."""
    net = keras.Sequential([keras.Input((32, 32, 3))], name="drawn")
    for name, filters, pools in (("conv1", 24, True), ("conv2", 48, False), ("conv3", 48, True), ("conv4", 96, False)):
        net.add(layers.Conv2D(filters, 3, padding="same", use_bias=False, name=name))
        net.add(layers.BatchNormalization(name=f"{name}_norm"))
        net.add(layers.ReLU(name=f"{name}_relu"))
        if pools:
            net.add(layers.MaxPooling2D(name=f"{name}_pool"))
    net.add(layers.GlobalAveragePooling2D(name="mean"))
    net.add(layers.Dense(10, activation="softmax", name="answer"))
    return net


class Shifted(keras.utils.PyDataset):
    """Batches of pictures, shifted by up to four pixels and half of them mirrored; another order in every epoch."""

    def __init__(self, x, y, batch_size=128):
        super().__init__()
        self.x, self.y, self.batch_size = np.pad(x, ((0, 0), (4, 4), (4, 4), (0, 0)), "reflect"), y, batch_size
        self.chance = np.random.default_rng(0)
        self.on_epoch_end()

    def __len__(self):
        return len(self.y) // self.batch_size

    def __getitem__(self, index):
        chosen = self.order[index * self.batch_size : (index + 1) * self.batch_size]
        top, left, mirrored = (self.chance.integers(0, most, len(chosen)) for most in (9, 9, 2))
        windows = [self.x[i, a : a + 32, b : b + 32] for i, a, b in zip(chosen, top, left, strict=True)]
        batch = [one[:, ::-1] if turn else one for one, turn in zip(windows, mirrored, strict=True)]
        return np.stack(batch).astype("float32") / 255, self.y[chosen]

    def on_epoch_end(self):
        self.order = self.chance.permutation(len(self.y))


def photographs(data):
    """(x, y), (x_test, y_test) as whole numbers."""
    if data == "cifar10":
        return [(x, y.ravel()) for x, y in keras.datasets.cifar10.load_data()]
    return [folder(Path(data) / part) for part in ("train", "test")]


def folder(path):
    """The pictures of a folder of classes."""
    batches = keras.utils.image_dataset_from_directory(
        path, class_names=list(NAMES), image_size=(32, 32), batch_size=500, shuffle=False, verbose=False
    )
    x, y = (np.concatenate([np.asarray(part) for part in parts]) for parts in zip(*batches, strict=True))
    return x.astype("uint8"), y.astype("int64")


def trained(data, epochs):
    """The net after training; its weights are written, rounded to half precision, after every epoch."""
    (x, y), (x_test, y_test) = photographs(data)
    keras.utils.set_random_seed(0)
    net = network()
    rate = keras.optimizers.schedules.CosineDecay(0.004, epochs * (len(x) // 128))
    net.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
    keep = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: write(net))
    net.fit(Shifted(x, y), epochs=epochs, callbacks=[keep], verbose=2)
    read(net)
    print(f"test accuracy: {net.evaluate(x_test.astype('float32') / 255, y_test, batch_size=500, verbose=0)[1]:.4f}")
    return net


def write(net):
    """Half the bytes; what it costs is in the test accuracy that is printed, which is of the weights as written."""
    np.savez_compressed(WEIGHTS, *[w.astype("float16") for w in net.get_weights()])


def read(net):
    """The weights as they were written."""
    with np.load(WEIGHTS) as file:
        net.set_weights([file[f"arr_{i}"].astype("float32") for i in range(len(file.files))])
    return net


PARTS = {"whole": {}, "background": {"thing": False}, "thing": {"background": False}}
ELSEWHERE = {f"before {name}": {"background": name} for name in DRAWINGS}


def answers(net, name, part="whole", count=20):
    """The probabilities of the classes for drawings (count, 10): whole, a part alone, or elsewhere."""
    shown = {**PARTS, **ELSEWHERE}[part]
    return net.predict(np.stack([draw(name, seed, **shown)[0] for seed in range(count)]), verbose=0)


def recognised(net, name, part="whole", count=20):
    """The share of drawings that are called by their name."""
    return float(np.mean(answers(net, name, part, count).argmax(1) == NAMES.index(name)))


def share_on(mask, heat, part=0.1):
    """How much of the thing is in the tenth of the pixels where a map is largest."""
    most = heat >= np.quantile(heat, 1 - part)
    return float(mask[most].mean())


def where(net, name, seed=0, background=True):
    """Grad-CAM and occlusion of a drawing, in pixels of the drawing."""
    one, _ = draw(name, seed, background=background)
    cam = visualize.grad_cam(net, one, "conv4_relu")
    return visualize.enlarge(cam, one.shape[:2]), visualize.occlusion(net, one, patch=6, stride=2)


def sheet_where(net):
    """Drawings, their maps, and their parts alone, each with what the net answers."""
    rows = []
    for part, title in (("whole", "Drawings, and what the net answers"), ("background", "The background alone"),
                        ("thing", "The thing alone, on grey")):  # fmt: skip
        tiles = []
        for name in DRAWINGS:
            p = answers(net, name, part, 1)[0]
            shown = visualize.picture(draw(name, 0, **PARTS[part])[0], alt=f"{name}, {part}")
            tiles.append((shown, f"{NAMES[p.argmax()]} {p.max():.0%}"))
        rows.append((title, tiles))
    maps = {name: where(net, name) for name in DRAWINGS}
    for k, title in enumerate(("Grad-CAM of conv4", "Occlusion by squares of 6 x 6")):
        tiles = [visualize.overlay(draw(name)[0], maps[name][k], alt=f"{name}, {title}") for name in DRAWINGS]
        rows.insert(1 + k, (title, tiles))
    return visualize.Sheet(rows, side=84, columns=7, title="Where the net looks")


def shares(net, name, background=True, count=6):
    """How much of the tenth of the pixels where Grad-CAM, and where occlusion, is largest lies on the thing."""
    found = []
    for seed in range(count):
        mask = draw(name, seed)[1]
        found.append([share_on(mask, heat) for heat in where(net, name, seed, background)])
    return np.mean(found, axis=0)


def sheet_elsewhere(net, name="ship"):
    """A thing before the backgrounds of the others, with what the net answers, and where it looks."""
    drawn = [draw(name, background=other)[0] for other in DRAWINGS]
    chances = [answers(net, name, part, 1)[0] for part in ELSEWHERE]
    titled = [f"{NAMES[p.argmax()]} {p.max():.0%}" for p in chances]
    pictures = [visualize.picture(one, alt=f"{name} {part}") for one, part in zip(drawn, ELSEWHERE, strict=True)]
    rows = [
        (
            f"The {name} before the background of each, and what the net answers",
            list(zip(pictures, titled, strict=True)),
        )
    ]
    maps = [where(net, name, background=other) for other in DRAWINGS]
    for k, title in enumerate(("Grad-CAM of conv4", "Occlusion by squares of 6 x 6")):
        rows.append((title, [visualize.overlay(one, m[k], alt=title) for one, m in zip(drawn, maps, strict=True)]))
    return visualize.Sheet(rows, side=84, columns=7, title=f"Where the net looks for the {name}")


def sheet_maps(net):
    """The kernels of the first layer, and what the four layers make of the drawn ship."""
    rows = [("Kernels of conv1, as colours", visualize.kernel_tiles(visualize.kernels(net.get_layer("conv1"))))]
    for name in ("conv1", "conv2", "conv3", "conv4"):
        tiles = visualize.map_tiles(visualize.feature_maps(net, draw("ship")[0], f"{name}_relu"), limit=12)
        rows.append((f"The ship's first feature maps in {name}", tiles))
    return visualize.Sheet(rows, side=48, columns=12, title="Kernels and feature maps")


def sheet_best(net):
    """The pictures that channels of a layer, and the scores of the classes, answer to most."""
    climb = {"steps": 80, "smoothness": 0.3, "jitter": 2}
    units = [visualize.maximal_activation(net, "conv3_norm", c, **climb) for c in range(10)]
    classes = [visualize.maximal_activation(net, "answer", c, **climb) for c in range(10)]
    named = [(visualize.picture(one, alt=n), n) for one, n in zip(classes, NAMES, strict=True)]
    rows = [("What ten channels of conv3 answer to most", [visualize.picture(u, alt="a channel") for u in units])]
    rows.append(("What raises the score of each class most", named))
    return visualize.Sheet(rows, side=64, columns=10, title="Maximal activations")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", metavar="DIR", help="train anew on these photographs; cifar10: fetch them")
    parser.add_argument("--epochs", type=int, default=7)
    parser.add_argument("--out", type=Path, default=Path())
    options = parser.parse_args()
    net = trained(options.data, options.epochs) if options.data else read(network())
    print("called by their name, of 20 drawings     whole   background alone   thing alone")
    for name in DRAWINGS:
        whole, behind, alone = (recognised(net, name, part) for part in PARTS)
        print(f"{name:40} {whole:5.0%} {behind:18.0%} {alone:13.0%}")
    print("of the tenth of the pixels where a map is largest, this much lies on the thing (mean of 6 drawings)")
    for name in DRAWINGS:
        cam, hidden = shares(net, name)
        fills = np.mean([draw(name, seed)[1] for seed in range(6)])
        print(f"{name:12} Grad-CAM {cam:4.0%}, occlusion {hidden:4.0%}; it fills {fills:.0%} of the picture")
    print("the ship before the backgrounds of the others")
    for part, elsewhere in ELSEWHERE.items():
        cam, hidden = shares(net, "ship", **elsewhere)
        called = recognised(net, "ship", part)
        print(f"{part:17} called a ship {called:4.0%}; Grad-CAM {cam:4.0%}, occlusion {hidden:4.0%} on it")
    sheet_where(net).save(options.out / "drawn_where.png")
    sheet_elsewhere(net).save(options.out / "drawn_elsewhere.png")
    sheet_maps(net).save(options.out / "drawn_maps.png")
    sheet_best(net).save(options.out / "drawn_best.png")


if __name__ == "__main__":
    main()
