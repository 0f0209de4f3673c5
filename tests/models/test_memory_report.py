"""model.memory_report()."""

import numpy as np

import minidl
from minidl.models.memory_report import MemoryReport


def test_bytes_of_weights_slots_and_large_results():
    minidl.utils.set_random_seed(0)
    model = minidl.Sequential([minidl.Input((400,)), minidl.layers.Dense(300, activation="relu"),
                               minidl.layers.BatchNormalization(), minidl.layers.Dense(2)])  # fmt: skip
    model.compile("adam", "mse", jit_compile=False)  # a recorded step keeps its results where they are
    x, y = np.ones((128, 400), "f"), np.ones((128, 2), "f")
    for _ in range(3):
        model.train_on_batch(x, y)
    report = model.memory_report()
    trained = 400 * 300 + 300 + 2 * 300 + 300 * 2 + 2
    assert report.trainable_weights == 4 * trained and report.non_trainable_weights == 4 * 2 * 300
    assert report.optimizer >= 2 * 4 * trained  # two moments of each weight, and a few numbers
    # The gradient of the first kernel (480,000 bytes) is wanted at every step; its buffer is found from the second on.
    before = report.buffers_reused, report.buffers_made
    model.train_on_batch(x, y)
    after = model.memory_report()
    assert after.buffers_reused > before[0] and after.buffers_made == before[1] and after.arena_free >= 480_000
    held = minidl.ops.relu(np.ones((400, 300), "f"))
    assert model.memory_report().arena_in_use >= 480_000 and held.shape == (400, 300)


def test_its_table():
    report = MemoryReport(2_000_000, 1_000, 4_000_000, 0, 3 * 2**30, 1234, 5, 2**20)
    assert str(report).splitlines() == [
        "weights that train                           1.9 MiB",
        "other weights                                1,000 B",
        "optimizer                                    3.8 MiB",
        "large results, in use                            0 B",
        "large results, kept for the next step       3.00 GiB",
        "results of recorded steps                    1.0 MiB",
        "memory asked of the system for         1,234 results",
        "and used again for                         5 results",
    ]
