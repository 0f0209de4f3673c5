"""fit, evaluate and predict on iterators of pictures and on data sets of folders."""

import numpy as np
import pytest

import minidl
from minidl import layers
from minidl.preprocessing.image import ImageDataGenerator

DARK_AND_BRIGHT = np.concatenate([np.full((12, 6, 6, 3), 40.0), np.full((12, 6, 6, 3), 200.0)]).astype("float32")
DARK_AND_BRIGHT += np.random.default_rng(0).uniform(-20, 20, DARK_AND_BRIGHT.shape).astype("float32")
LABELS = np.repeat([0, 1], 12)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("pictures")
    for name, rows in (("bright", DARK_AND_BRIGHT[12:]), ("dark", DARK_AND_BRIGHT[:12])):
        (root / name).mkdir()
        for i, picture in enumerate(rows):
            minidl.utils.save_img(root / name / f"{i:02}.png", picture, scale=False)
    return root


def classifier(*first):
    minidl.utils.set_random_seed(1)
    model = minidl.Sequential(
        [layers.Input((6, 6, 3)), *first, layers.GlobalAveragePooling2D(), layers.Dense(2, activation="softmax")]
    )
    model.compile(minidl.optimizers.Adam(0.1), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def augmenting(**settings):
    return ImageDataGenerator(
        rescale=1 / 255, rotation_range=20, width_shift_range=0.1, horizontal_flip=True, **settings
    )


def test_fit_on_an_array_iterator():
    model, seen = classifier(), []
    batches = augmenting(preprocessing_function=lambda x: seen.append(1) or x).flow(
        DARK_AND_BRIGHT, LABELS, batch_size=7
    )
    history = model.fit(batches, epochs=8, verbose=0, validation_data=augmenting().flow(DARK_AND_BRIGHT, LABELS))
    assert history.history["val_accuracy"][-1] == 1.0 and history.history["loss"][-1] < history.history["loss"][0] / 2
    assert len(seen) == 8 * 24 and len(batches) == 4


def test_more_steps_in_all_than_there_are_batches():
    model, seen = classifier(), []
    batches = ImageDataGenerator(preprocessing_function=lambda x: seen.append(1) or x).flow(
        DARK_AND_BRIGHT, LABELS, batch_size=6
    )
    model.fit(batches, steps_per_epoch=2, epochs=6, verbose=0)  # three times all of the data
    assert len(seen) == 2 * 6 * 6


def test_predictions_keep_the_order_of_the_files(folder):
    batches = ImageDataGenerator(rescale=1 / 255).flow_from_directory(
        folder, target_size=(6, 6), batch_size=5, class_mode="sparse", shuffle=False
    )
    next(batches)  # what was looked at before does not shift the numbers
    model = classifier()
    model.fit(DARK_AND_BRIGHT / 255, 1 - LABELS, epochs=20, verbose=0)
    assert model.evaluate(batches, verbose=0)[1] == 1.0
    assert model.predict(batches, verbose=0).argmax(axis=1).tolist() == batches.classes.tolist()


def test_fit_on_a_folder_with_augmentation_in_the_model(folder):
    train, validation = minidl.utils.image_dataset_from_directory(
        folder, image_size=(6, 6), batch_size=5, seed=1, validation_split=0.25, subset="both", verbose=False
    )
    model = classifier(
        layers.Rescaling(1 / 255), layers.RandomFlip("horizontal"), layers.RandomRotation(0.1), layers.RandomZoom(0.1)
    )
    history = model.fit(train.cache().prefetch(2), validation_data=validation, epochs=12, verbose=0).history
    assert history["val_accuracy"][-1] == 1.0 and history["loss"][-1] < history["loss"][0] / 2
    assert model.predict(validation, verbose=0).shape == (6, 2)


def test_the_pipeline_of_an_autoencoder(folder):
    pictures = minidl.utils.image_dataset_from_directory(
        folder, labels=None, image_size=(6, 6), batch_size=None, seed=1, verbose=False
    )
    train = pictures.map(lambda x: x / 255).map(lambda x: (x, x)).repeat().batch(8)
    model = minidl.Sequential([layers.Input((6, 6, 3)), layers.Conv2D(3, 1)])
    model.compile(minidl.optimizers.Adam(0.1), "mse")
    history = model.fit(train, steps_per_epoch=5, epochs=8, verbose=0).history["loss"]
    assert history[-1] < history[0] / 10
    adapted = layers.Normalization()
    adapted.adapt(pictures.batch(5))
    np.testing.assert_allclose(adapted.mean.numpy().ravel(), DARK_AND_BRIGHT.mean(axis=(0, 1, 2)), atol=1.0)


def test_names_that_books_import():
    assert minidl.preprocessing.image.ImageDataGenerator is ImageDataGenerator
    assert minidl.preprocessing.image.load_img is minidl.utils.load_img
    assert minidl.preprocessing.image_dataset_from_directory is minidl.utils.image_dataset_from_directory
    assert minidl.datasets.mnist.load_data and minidl.datasets.cifar10.load_data
    assert minidl.layers.Resizing and minidl.utils.to_categorical([1], 2).tolist() == [[0.0, 1.0]]
