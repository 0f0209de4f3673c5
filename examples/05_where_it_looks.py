"""What a convolutional net looks for, and where it looks: kernels, feature maps, Grad-CAM, occlusion, best pictures.

    python examples/05_where_it_looks.py [--data cifar10] [--epochs 3] [--out DIR]

By default on the embedded Fashion-MNIST pictures, one epoch; --data cifar10 loads CIFAR-10 (50,000 pictures in colour).
"""

import argparse
from pathlib import Path

import minidl as keras
from minidl import layers, visualize

parser = argparse.ArgumentParser()
parser.add_argument("--data", choices=("fashion_mnist", "cifar10"), default="fashion_mnist")
parser.add_argument("--epochs", type=int, default=1)
parser.add_argument("--out", default=".")
options = parser.parse_args()

keras.utils.set_random_seed(0)
if options.data == "cifar10":
    (x, y), (x_test, y_test) = keras.datasets.cifar10.load_data()
    names = "airplane automobile bird cat deer dog frog horse ship truck".split()
else:
    (x, y), (x_test, y_test) = keras.datasets.fashion_mnist.load_subset()
    x, x_test, names = x[..., None], x_test[..., None], keras.datasets.fashion_mnist.CLASS_NAMES
x, x_test, y_test = x.astype("float32") / 255, x_test.astype("float32") / 255, y_test.ravel()

model = keras.Sequential(
    [
        keras.Input(x.shape[1:]),
        layers.Conv2D(16, 5, activation="relu", name="conv1"),
        layers.MaxPooling2D(name="pool1"),
        layers.Conv2D(48, 3, activation="relu", padding="same", name="conv2"),
        layers.GlobalAveragePooling2D(),  # the score is then a weighted sum of maps, which is what Grad-CAM draws
        layers.Dense(10, activation="softmax"),
    ]
)
model.compile(optimizer=keras.optimizers.Adam(0.005), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
monitor = visualize.TrainingMonitor(every=10)
model.fit(x, y, epochs=options.epochs, batch_size=64, validation_data=(x_test, y_test), callbacks=[monitor], verbose=2)

folder = Path(options.out)
guesses = model.predict(x_test, verbose=0).argmax(1)
right = [int(i) for c in range(10) for i in ((guesses == c) & (y_test == c)).nonzero()[0][:1]]

# What the first layer looks for, and what the layers make of one picture.
one = x_test[right[0]]
rows = [("Kernels of conv1", visualize.kernel_tiles(visualize.kernels(model.get_layer("conv1"))))]
rows.append((f"A picture: {names[y_test[right[0]]]}", [visualize.picture(one, alt="the picture")]))
for name in ("conv1", "pool1", "conv2"):
    maps = visualize.feature_maps(model, one, name)
    rows.append((f"Feature maps of {name}", visualize.map_tiles(maps, limit=16)))
visualize.Sheet(rows, side=56, title="Kernels and feature maps").save(folder / "feature_maps.png")

# Where it looks: what speaks for the answer is blue, what speaks against it orange.
cams = [visualize.grad_cam(model, x_test[i]) for i in right]
hidden = [visualize.occlusion(model, x_test[i], patch=6, stride=2) for i in right]
shown = [[(visualize.picture(x_test[i], alt=names[y_test[i]]), names[y_test[i]]) for i in right]]
for maps in (cams, hidden):
    shown.append([visualize.overlay(x_test[i], m, alt=names[y_test[i]]) for i, m in zip(right, maps, strict=True)])
titles = ("Pictures that were recognised", "Grad-CAM of conv2", "Occlusion by squares of 6 x 6")
visualize.Sheet(list(zip(titles, shown, strict=True)), side=84, columns=5).save(folder / "where_it_looks.png")
maps = [visualize.signed(visualize.enlarge(m, one.shape[:2]), alt="a map") for m in cams]
visualize.Sheet([("Grad-CAM alone", maps)], side=84, columns=5).save(folder / "maps_alone.png")

# The pictures that channels of conv2 answer to most.
best = [visualize.maximal_activation(model, "conv2", c, steps=60, smoothness=0.4, jitter=2) for c in range(10)]
tiles = [visualize.picture(b, alt=f"channel {c}") for c, b in enumerate(best)]
visualize.Sheet([("What channels of conv2 answer to most", tiles)], side=84, columns=5).save(
    folder / "best_pictures.png"
)

surface = visualize.loss_surface(model, x_test[:100], y_test[:100], points=9)
print(monitor.page(surface=surface).save(folder / "training.html"))

# Of all that Grad-CAM marks, most lies on the picture's own pixels where the background is black.
if options.data == "fashion_mnist":
    marked = [visualize.enlarge(m, (28, 28)) for m in cams]
    share = sum(float((m * (x_test[i][..., 0] > 0)).sum()) for i, m in zip(right, marked, strict=True))
    print(f"share of Grad-CAM that lies on the clothes: {share / sum(float(m.sum()) for m in marked):.2f}")
