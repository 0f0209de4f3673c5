"""Assigned attributes are noticed, and by what was recorded of the objects."""

import threading

import pytest

from minidl import layers, losses, optimizers
from minidl.models.recordable import Parts
from minidl.noticed import Noticed

OBJECTS = [lambda: layers.Dense(2), lambda: optimizers.SGD(0.1), lambda: losses.Huber()]


@pytest.mark.parametrize("make", OBJECTS)
def test_assigning_and_deleting_leave_another_number(make):
    one, seen = make(), {Noticed.latest}
    for change in (lambda: setattr(one, "extra", 1), lambda: setattr(one, "extra", 1), lambda: delattr(one, "extra")):
        change()
        assert Noticed.latest not in seen
        seen.add(Noticed.latest)
    with pytest.raises(AttributeError):
        del one.extra
    assert Noticed.latest in seen and not hasattr(one, "extra")


def test_assignments_of_several_threads_are_all_noticed():
    found = []

    class One(Noticed):
        pass

    def assign(one):
        for i in range(500):
            before = Noticed.latest
            one.x = i
            found.append(Noticed.latest != before)

    threads = [threading.Thread(target=assign, args=(One(),)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [True] * 2000


class Other:
    rate = 1


@pytest.mark.parametrize("how", ["ours", "another class", "inside a dictionary", "elsewhere", "deleted"])
def test_parts_see_what_was_changed(how):
    layer, loss, other = layers.Dropout(0.5), losses.Huber(), Other()
    other.rate = 2
    parts = Parts([layer, loss, other])
    parts.settle()
    assert not parts.changed()
    if how == "ours":
        layer.rate = 0.25
    elif how == "another class":
        other.rate = 3
    elif how == "inside a dictionary":
        loss.settings["delta"] = 0.1
    elif how == "deleted":
        del layer.rate
    else:
        layers.Dropout(0.1).rate = 0.2
    assert parts.changed() == (how != "elsewhere")
    assert parts.changed() == (how != "elsewhere")  # also when asked again
