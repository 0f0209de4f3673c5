"""The reader of HDF5 against h5py: everything that h5py writes and Keras may want, and what must be refused by name."""

import io
import os
import struct

import h5py
import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from minidl.saving import FormatError
from minidl.saving.hdf5_reader import Dataset, Group, open_hdf5
from minidl.saving.hdf5_reader.checksum import lookup3

DIALECTS = [
    {}, {"track_order": True}, {"libver": ("earliest", "v108")}, {"libver": "v108"},
    {"userblock_size": 1024},
]  # fmt: skip


def written(write, **settings):
    """The bytes of a file, as an open file."""
    image = io.BytesIO()
    with h5py.File(image, "w", **settings) as file:
        write(file)
    return image


def compare(ours, theirs):
    """All that is in a group or dataset is the same for both readers."""
    assert set(ours.attrs) == set(theirs.attrs)
    for name, value in theirs.attrs.items():
        if isinstance(value, h5py.Empty):
            assert ours.attrs[name] is None
            continue
        assert type(ours.attrs[name]) is type(value)
        np.testing.assert_array_equal(ours.attrs[name], value)
    if isinstance(theirs, h5py.Dataset):
        assert isinstance(ours, Dataset) and ours.name == theirs.name and ours.shape == theirs.shape
        values = theirs.asstr()[()] if theirs.dtype.kind == "O" else theirs[()]
        read = ours.read()
        assert read.dtype == ours.dtype == (object if theirs.dtype.kind == "O" else theirs.dtype.newbyteorder("="))
        assert read.flags.writeable
        np.testing.assert_array_equal(read, values)
        return
    assert isinstance(ours, Group) and list(ours) == sorted(theirs) and len(ours) == len(theirs)
    for name in theirs:
        assert name in ours
        compare(ours[name], theirs[name])


def same(write, **settings):
    image = written(write, **settings)
    before = image.getvalue()
    with h5py.File(image) as file:
        compare(open_hdf5(image, "f.h5"), file)
    assert image.getvalue() == before


PHASES = (Phase.explicit, Phase.reuse, Phase.generate)  # smaller examples take minutes to find, and say no more
NUMBERS = st.one_of(
    arrays.integer_dtypes(), arrays.unsigned_integer_dtypes(), arrays.floating_dtypes(sizes=(16, 32, 64)),
    arrays.boolean_dtypes(), arrays.byte_string_dtypes(max_len=9),
)  # fmt: skip
ARRAYS = NUMBERS.flatmap(
    lambda dtype: arrays.arrays(dtype, arrays.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=9))
)
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=40)
NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\0/"), min_size=1, max_size=20).filter(
    lambda name: name not in (".", "..")
)
ATTRIBUTES = st.dictionaries(NAMES, st.one_of(ARRAYS, TEXTS, st.lists(TEXTS, min_size=1, max_size=5)), max_size=12)


@settings(max_examples=60, deadline=None, phases=PHASES)
@given(
    st.dictionaries(NAMES, ARRAYS, max_size=12), ATTRIBUTES, st.sampled_from([*DIALECTS, {"libver": ("v110", "v110")}])
)
def test_arrays_and_attributes_of_all_kinds(values, attributes, dialect):
    def write(file):
        for name, value in values.items():
            file[name] = value
        group = file.create_group("/".join("abc"[: len(values) % 4] or "d") + "/group")
        for name, value in attributes.items():
            group.attrs[name] = value

    same(write, **dialect)


@settings(max_examples=60, deadline=None, phases=PHASES)
@given(st.data())
def test_chunks_and_filters(data):
    dtype = data.draw(NUMBERS)
    shape = data.draw(arrays.array_shapes(max_dims=3, max_side=20))
    chunks = tuple(data.draw(st.integers(1, n + 2)) for n in shape)
    steps = {
        "compression": data.draw(st.sampled_from([None, "gzip", 1, 9])), "shuffle": data.draw(st.booleans()),
        "fletcher32": data.draw(st.booleans()), "maxshape": (None,) * len(shape),
    }  # fmt: skip
    value = data.draw(arrays.arrays(dtype, shape))
    whole = data.draw(st.booleans())

    def write(file):
        made = file.create_dataset("a", shape, dtype, chunks=chunks, **steps)
        if whole:
            made[...] = value
        else:
            made[: shape[0] // 2] = value[: shape[0] // 2]

    same(write, **data.draw(st.sampled_from([{}, {"track_order": True}, {"libver": "v108"}])))


@pytest.mark.parametrize("dialect", DIALECTS, ids=str)
@pytest.mark.parametrize("count", [0, 1, 8, 9, 33, 500])
def test_groups_of_many_members(count, dialect):
    def write(file):
        group = file.create_group("group")
        for number in range(count):
            group.create_group(f"member {number}")["x"] = np.full(3, number, "float32")
            group.attrs[f"attribute {number}"] = f"text {number}" * (number % 40)

    same(write, **dialect)


@pytest.mark.parametrize("dialect", DIALECTS, ids=str)
def test_values_that_are_rare(dialect):
    def write(file):
        file["scalar"], file["big endian"] = np.float64(1.5), np.arange(5, dtype=">i4")
        file["texts"] = ["x", "länger", ""]
        file.create_dataset("texts in chunks", data=["a", "bc"] * 30, chunks=(7,), compression="gzip")
        file.create_dataset("never written", (3, 4), "float32", fillvalue=2.5)
        file.create_dataset("chunks never written", (30,), "int16", chunks=(7,), fillvalue=-3)
        file.create_dataset("compact", data=np.arange(4), dcpl=_compact())
        file["enumeration"] = np.array([1, 2], h5py.enum_dtype({"A": 1, "B": 2}))
        file.attrs["long"] = "x" * 300_000
        file.attrs["raw"], file.attrs["empty"], file.attrs["bool"] = np.bytes_(b"abc"), h5py.Empty("f"), True
        file.attrs["names"] = np.array([b"a", b"longer"])
        file["deep/er/and/deeper"] = np.ones((2, 0, 3))

    same(write, **dialect)


@pytest.mark.parametrize("dialect", DIALECTS, ids=str)
def test_many_large_attributes(dialect):
    """Beyond 4 KiB they stand outside of the heap of their group, where it has one."""

    def write(file):
        for number in range(30):
            file.attrs[f"numbers {number}"] = np.arange(number * 60, dtype="int32")

    same(write, **dialect)


def _compact():
    properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    properties.set_layout(h5py.h5d.COMPACT)
    return properties


def test_nothing_in_a_dataset():
    root = open_hdf5(written(lambda file: file.create_dataset("null", dtype="f4", data=h5py.Empty("f4"))), "f.h5")
    assert root["null"].shape == (0,) and root["null"].read().tolist() == []


def test_bfloat16_as_keras_writes_it():
    """The upper half of a float32; written as two opaque bytes, and an attribute that says so."""
    values = np.array([1.0, -2.5, 0.15625], np.float32)

    def write(file):
        file["w"] = (values.view(np.uint32) >> 16).astype("<u2").view("V2")
        file["w"].attrs["dtype"] = "bfloat16"

    dataset = open_hdf5(written(write), "f.h5")["w"]
    assert dataset.dtype == np.float32
    np.testing.assert_array_equal(dataset.read(), values)


@pytest.mark.parametrize("source", ["<f4", "<f8", "<i2", ">f4", "<f2", "?"])
@pytest.mark.parametrize("how", [{}, {"chunks": (5, 3)}, {"chunks": (50, 7), "compression": "gzip"}])
def test_reading_into_an_array(source, how, monkeypatch):
    monkeypatch.setattr("minidl.saving.hdf5_reader.tree.PIECE", 100)
    values = np.arange(50 * 7).reshape(50, 7).astype(source)
    dataset = open_hdf5(written(lambda file: file.create_dataset("a", data=values, **how)), "f.h5")["a"]
    target = np.empty((50, 7), np.float32)
    dataset.read_into(target)
    np.testing.assert_array_equal(target, values.astype(np.float32))


def test_a_part_of_a_file():
    image = written(lambda file: file.create_dataset("a", data=np.arange(3.0))).getvalue()
    file = io.BytesIO(b"before" * 100 + image + b"behind")
    assert open_hdf5(file, "f.h5", 600, len(image))["a"].read().tolist() == [0, 1, 2]


def test_the_checksum():
    """The values that Jenkins' source gives in its driver5 for these two texts."""
    assert lookup3(b"") == 0xDEADBEEF
    assert lookup3(b"Four score and seven years ago") == 0x17770551


# ---- what is refused ----


def linked(file):
    file["a"] = h5py.SoftLink("/b")


def linked_outside(file):
    file["a"] = h5py.ExternalLink("/etc/hostname", "b")


def twice(file):
    file["a"] = np.zeros(3)
    file["b"] = file["a"]


def elsewhere(file):
    file.create_dataset("a", (4,), "f4", external=[("outside.raw", 0, 16)])


def virtual(file):
    layout = h5py.VirtualLayout((4,), "f4")
    layout[:] = h5py.VirtualSource("outside.h5", "x", (4,))
    file.create_virtual_dataset("a", layout)


def compound(file):
    file["a"] = np.zeros(3, [("x", "f4"), ("y", "i4")])


def complex_numbers(file):
    file["a"] = np.zeros(3, "complex64")


def references(file):
    file.create_dataset("a", (1,), h5py.ref_dtype)


def other_compression(file):
    file.create_dataset("a", data=np.zeros(100), compression="lzf")


def committed_type(file):
    file["type"] = np.dtype("f4")
    file.create_dataset("a", (3,), dtype=file["type"])


def too_large(file):
    file.create_dataset("a", (1 << 30, 1 << 20), "f4", chunks=(1024, 1024))


@pytest.mark.parametrize(
    ("write", "said"),
    [
        (linked, "a is a link"), (linked_outside, "a is a link"), (twice, "same object as /a"),
        (elsewhere, "not an array in this file"), (virtual, "virtual datasets"), (compound, "compounds"),
        (complex_numbers, "compounds"), (references, "references"), (other_compression, "lzf"),
        (committed_type, "shares"), (too_large, "allowed"),
    ],
)  # fmt: skip
def test_what_is_not_supported_is_named(write, said):
    def read(root):
        for name in root:
            root[name].read()

    with pytest.raises(FormatError, match=rf"f\.h5: .*/.*{said}"):
        read(open_hdf5(written(write), "f.h5"))


def test_newer_chunk_indexes_are_named():
    image = written(lambda file: file.create_dataset("a", data=np.zeros(100), chunks=(7,)), libver="latest")
    with pytest.raises(FormatError, match=r"f\.h5: .*/a: chunks with a newer index"):
        open_hdf5(image, "f.h5")["a"]


def test_no_hdf5():
    for content in (b"", b"PK\3\4", b"\x89HDF\r\n\x1a\n", b"x" * 5000):
        with pytest.raises(FormatError, match=r"f\.h5: cannot be read as HDF5"):
            open_hdf5(io.BytesIO(content), "f.h5")


def test_links_are_passed_over_by_a_walk():
    def write(file):
        file["group/a"] = np.zeros(2)
        file["group/link"] = h5py.SoftLink("/group/a")

    assert [one.name for one in open_hdf5(written(write), "f.h5").datasets()] == ["/group/a"]


# ---- what a hostile file asks for ----


def test_a_group_inside_itself():
    def write(file):
        file.create_group("a")["round"] = file["/"]

    root = open_hdf5(written(write), "f.h5")
    with pytest.raises(FormatError, match="same object as /"):
        list(root.datasets())


def test_members_that_point_to_one_place_do_not_multiply():
    """A thousand arrays that all are the same bytes of the file are refused before the memory is full."""
    image = written(lambda file: [file.create_dataset(f"a{i}", data=np.full(100_000, i, "f4")) for i in range(3)])
    raw = bytearray(image.getvalue())
    with h5py.File(image) as file:
        places = [file[f"a{i}"].id.get_offset() for i in range(3)]
    for place in places[1:]:
        at = raw.find(struct.pack("<QQ", place, 400_000))
        raw[at : at + 8] = struct.pack("<Q", places[0])
    root = open_hdf5(io.BytesIO(bytes(raw)), "f.h5")
    assert root["a2"].read()[0] == 0  # it was led to the first one; in sum that is still little
    root._tree.storage._data_left = 400_000
    with pytest.raises(FormatError, match="allowed"):
        root["a0"].read()
        root["a1"].read()


def test_a_shape_that_is_not_in_the_file_allocates_nothing():
    image = written(lambda file: file.create_dataset("a", data=np.zeros((3, 5), "f4")))
    raw = image.getvalue().replace(struct.pack("<QQ", 3, 5), struct.pack("<QQ", 1 << 20, 5))
    dataset = open_hdf5(io.BytesIO(raw), "f.h5")["a"]
    assert dataset.shape == (1 << 20, 5)
    with pytest.raises(FormatError, match=r"f\.h5: .*/a: .*byte \d+"):
        dataset.check()


def test_a_chunk_that_grows_without_end():
    value = np.zeros(1 << 20, "f4")
    image = written(lambda file: file.create_dataset("a", data=value, chunks=(1 << 20,), compression="gzip"))
    dataset = open_hdf5(image, "f.h5")["a"]
    assert dataset.read().shape == (1 << 20,)
    many = written(
        lambda file: file.create_dataset("a", data=np.zeros(16 << 20, "f4"), chunks=(1 << 20,), compression="gzip")
    )
    with pytest.raises(FormatError, match="allowed"):
        open_hdf5(many, "f.h5")["a"].read()


@pytest.mark.parametrize("dialect", DIALECTS[:4], ids=str)
def test_every_byte_changed(dialect):
    """Whatever a byte becomes, what comes out is an array or a FormatError that names the file."""

    def write(file):
        file.attrs["config"], file.attrs["names"] = "some text", np.array([b"a", b"b"])
        file["group/a"] = np.arange(6, dtype="f4").reshape(2, 3)
        file.create_dataset("group/b", data=np.arange(40), chunks=(7,), compression="gzip")

    whole = written(write, **dialect).getvalue()
    rng = np.random.default_rng(0)
    refused = 0
    for place in rng.choice(len(whole), 700, replace=False):
        raw = bytearray(whole)
        raw[place] ^= 1 << rng.integers(8)
        try:
            root = open_hdf5(io.BytesIO(raw), "f.h5")
            [root.attrs[name] for name in root.attrs]
            [dataset.read() for dataset in root.datasets()]
        except FormatError as error:
            assert str(error).startswith("f.h5: ")
            refused += 1
    assert refused > 50


def test_real_files_are_not_touched(tmp_path):
    path = tmp_path / "f.h5"
    path.write_bytes(written(lambda file: file.create_dataset("a", data=np.zeros(3))).getvalue())
    os.chmod(path, 0o400)
    with open(path, "rb") as file:
        assert open_hdf5(file, path)["a"].read().tolist() == [0, 0, 0]
