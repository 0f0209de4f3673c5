"""Ways to spoil a file: its bytes, the fields of its HDF5 structures, its zip headers, its JSON.

Each takes a whole file and a generator of random numbers, and returns a spoiled one. ``spoiled`` chooses.
"""

import io
import itertools
import json
import random
import re
import struct
import warnings
import zipfile
from typing import Any

__all__ = [
    "spoiled", "spoiled_bytes", "spoiled_hdf5", "spoiled_json", "spoiled_keras", "spoiled_safetensors", "spoiled_yaml",
]  # fmt: skip

WIDTHS = {1: "<B", 2: "<H", 4: "<I", 8: "<Q"}
EDGES = (
    0,
    1,
    2,
    3,
    7,
    8,
    255,
    256,
    0xFFFF,
    0x10000,
    0x7FFFFFFF,
    0x80000000,
    0xFFFFFFFF,
    1 << 40,
    1 << 62,
    (1 << 64) - 1,
)
SIGNATURES = re.compile(rb"TREE|SNOD|HEAP|GCOL|OHDR|OCHK|FRHP|FHDB|FHIB|BTHD|BTLF|BTIN|\x89HDF")
HEADERS = re.compile(rb"\x01\x00[\x01-\x1f]\x00\x01\x00\x00\x00..\x00\x00")  # object headers of version 1
NUMBERS = (None, True, False, -1, 0, 1, 3, 255, 10**6, 10**9, 10**12, 10**30, 10**400, 0.5, -2.5, 1e308, float("nan"))
NAMES = (
    "Dense", "Conv2D", "Lambda", "Sequential", "Functional", "Embedding", "Adam", "AUC", "MeanIoU", "function",
    "__lambda__", "__numpy__", "__tensor__", "__slice__", "eval", "os.system", "builtins", "keras.layers", "../x", "",
)  # fmt: skip


# ---- bytes ----


def spoiled_bytes(content: bytes, random: random.Random) -> bytes:
    """Flipped bits, extreme numbers, parts cut, moved or doubled; anywhere."""
    changed = bytearray(content)
    for _ in range(random.choice((1, 1, 1, 2, 4, 16))):
        if not changed:
            break
        place, size = random.randrange(len(changed)), random.choice((1, 4, 8, 40, 512, 4096))
        kind = random.randrange(7)
        if kind == 0:
            changed[place] ^= 1 << random.randrange(8)
        elif kind == 1:
            width = random.choice(tuple(WIDTHS))
            place -= place % width
            changed[place : place + width] = _extreme(width, len(content), random)
        elif kind == 2:
            changed[place : place + size] = random.randbytes(len(changed[place : place + size]))
        elif kind == 3:
            other = random.randrange(len(changed))
            changed[place : place + size] = changed[other : other + size]
        elif kind == 4:
            changed[place:place] = changed[place : place + size]
        elif kind == 5:
            del changed[place : place + size]
        elif random.random() < 0.3:
            del changed[place:]
    return bytes(changed)


def _extreme(width: int, size: int, random: random.Random) -> bytes:
    values = [*EDGES, size, size - 1, size + 1, random.randrange(max(size, 1))]
    return struct.pack(WIDTHS[width], random.choice(values) & ((1 << 8 * width) - 1))


# ---- HDF5 ----


def spoiled_hdf5(content: bytes, random: random.Random) -> bytes:
    """Fields of structures changed: counts, sizes, versions, and addresses that lead to other structures."""
    changed = bytearray(content)
    places = [match.start() for pattern in (SIGNATURES, HEADERS) for match in pattern.finditer(content)]
    for _ in range(random.choice((1, 1, 2, 3, 6))):
        start = random.choice(places)
        width = random.choice((1, 2, 4, 8, 8))
        place = start + random.randrange(0, random.choice((16, 64, 320)), min(width, 4))
        if place + width > len(changed):
            continue
        target = random.choice(places) if random.random() < 0.5 else None
        value = _extreme(width, len(content), random) if target is None else target.to_bytes(8, "little")[:width]
        changed[place : place + width] = value
    return bytes(changed)


# ---- JSON, YAML ----


def spoiled_json(text: str, random: random.Random) -> str:
    """Values replaced, keys removed, renamed, doubled; members nested deep, or repeated."""
    value = json.loads(text)
    for _ in range(random.choice((1, 1, 1, 2, 5))):
        places = list(itertools.islice(_places(value), 5000))
        if not places:
            break
        holder, key = random.choice(places)
        kind = random.randrange(8)
        if kind < 4:
            holder[key] = _odd_value(random, places)
        elif kind == 4:
            del holder[key]
        elif kind == 5 and isinstance(holder, dict):
            holder[random.choice((*NAMES, "units", "shared_object_id", "batch_shape"))] = holder.pop(key)
        elif kind == 6:
            other, place = random.choice(places)
            holder[key] = json.loads(json.dumps(other.get(place) if isinstance(other, dict) else None))
        else:
            times = random.choice((1, 2, 1000))
            holder[key] = json.loads(json.dumps([holder[key]])) * (times if len(json.dumps(holder[key])) < 5000 else 1)
    changed = json.dumps(value)
    kind = random.randrange(40)
    if kind == 0:
        depth = random.choice((10, 500, 100_000))
        return changed[:-1] + ', "deep": ' + "[" * depth + "]" * depth + "}"
    if kind == 1:
        return changed[:-1] + ', "class_name": "Dense"}'
    return spoiled_bytes(changed.encode(), random).decode("utf-8", "replace") if kind == 2 else changed


def _places(value: Any) -> Any:
    """(holder, key) of all values."""
    stack = [value]
    while stack:
        holder = stack.pop()
        for key, one in list(holder.items()) if isinstance(holder, dict) else list(enumerate(holder)):
            yield holder, key
            if isinstance(one, (dict, list)):
                stack.append(one)


def _odd_value(random: random.Random, places: Any) -> Any:
    kind = random.randrange(8)
    if kind < 4:
        return random.choice(NUMBERS)
    if kind == 4:
        return random.choice(NAMES)
    if kind == 5:
        return random.choice(([], {}, [None] * 3, ["x"] * 100_000, "x" * 1_000_000, [[10**9, 10**9]], [10**6, 10**6]))
    if kind == 6:
        return {"class_name": random.choice(NAMES), "config": random.choice(({}, None, [], "eval", {"value": [1]}))}
    deep: Any = 1
    for _ in range(random.choice((5, 100, 600))):
        deep = [deep] if random.random() < 0.5 else {"config": deep}
    return deep


def spoiled_yaml(text: str, random: random.Random) -> str:
    """The same in YAML, bombs of aliases, and tags that would make objects."""
    kind = random.randrange(20)
    if kind == 0:
        levels = random.choice((3, 9, 30))
        lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
        lines += [f"a{i + 1}: &a{i + 1} [{', '.join([f'*a{i}'] * 9)}]" for i in range(levels)]
        return "\n".join([*lines, text])
    if kind == 1:
        return text.replace(
            "Dense", random.choice(("!!python/object/apply:os.getcwd []", "!!python/name:eval", "&a *a"))
        )
    if kind < 8:
        return spoiled_bytes(text.encode(), random).decode("utf-8", "replace")
    try:
        import yaml

        changed = spoiled_json(json.dumps(yaml.safe_load(text)), random)
        if len(changed) > 100_000:  # which takes long to write; and JSON is YAML, nearly
            return changed
        return str(yaml.safe_dump(json.loads(changed)))
    except (ValueError, RecursionError):
        return text[: len(text) // 2]


# ---- safetensors ----


def spoiled_safetensors(content: bytes, random: random.Random) -> bytes:
    """The header changed as JSON, its length changed or kept; or offsets that overlap, leave gaps, lie outside."""
    size = struct.unpack("<Q", content[:8])[0]
    header, data = content[8 : 8 + size].decode(), content[8 + size :]
    kind = random.randrange(10)
    if kind < 2:
        return _extreme(8, len(content), random) + content[8:]
    if kind < 6:
        tensors = json.loads(header)
        entry = random.choice([one for name, one in tensors.items() if name != "__metadata__"])
        part = random.choice(("data_offsets", "shape", "dtype"))
        if part == "dtype":
            entry[part] = random.choice(("F64", "F16", "BF16", "BOOL", "I8", "U64", "C64", "F4", "", "object"))
        elif entry[part]:
            place = random.randrange(len(entry[part]))
            entry[part][place] = random.choice((-1, 0, 1, entry[part][place] * 2, len(data), 2**31, 2**63, 2**70))
        changed = json.dumps(tensors).encode()
    else:
        changed = spoiled_json(header, random).encode("utf-8", "replace")
    claimed = len(changed) if random.random() < 0.8 else size
    return struct.pack("<Q", claimed) + changed + data


# ---- archives ----


def spoiled_keras(content: bytes, random: random.Random) -> bytes:
    """A member spoiled and put back with the right checksum, or headers of the archive changed."""
    kind = random.randrange(10)
    if kind < 2:
        return _spoiled_headers(content, random)
    archive = zipfile.ZipFile(io.BytesIO(content))
    found = {name: archive.read(name) for name in archive.namelist()}
    if kind < 6:
        found["config.json"] = spoiled_json(found["config.json"].decode(), random).encode("utf-8", "replace")
    elif kind < 9:
        change = random.choice((spoiled_hdf5, spoiled_bytes))
        found["model.weights.h5"] = change(found["model.weights.h5"], random)
    return _archive(found, random, odd=kind == 9)


def _archive(found: dict[str, bytes], random: random.Random, odd: bool) -> bytes:
    target = io.BytesIO()
    method = random.choice((zipfile.ZIP_STORED, zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))
    with warnings.catch_warnings(), zipfile.ZipFile(target, "w", method) as archive:
        warnings.simplefilter("ignore")
        for name, content in found.items():
            archive.writestr(name, content)
        if odd:
            name = random.choice(
                ("../../outside", "/outside", "config.json", "link", "bomb", "C:\\outside", "a" * 60_000)
            )
            info = zipfile.ZipInfo(name)
            info.external_attr = (0o120777 if name == "link" else 0o600) << 16
            archive.writestr(info, bytes(4 << 20) if name == "bomb" else b"/etc/passwd", random.choice((0, 8)))
            if name == "bomb":
                archive.writestr("config.json", b" " * (64 << 20), zipfile.ZIP_DEFLATED)
    return target.getvalue()


def _spoiled_headers(content: bytes, random: random.Random) -> bytes:
    changed = bytearray(content)
    places = [match.start() for match in re.finditer(rb"PK\x01\x02|PK\x03\x04|PK\x05\x06", content)]
    for _ in range(random.choice((1, 2, 4))):
        width = random.choice((2, 2, 4))
        place = random.choice(places) + random.randrange(0, 46, 2)
        if place + width <= len(changed):
            changed[place : place + width] = _extreme(width, len(content), random)
    return bytes(changed)


# ---- the choice ----


def spoiled(content: bytes, kind: str, random: random.Random) -> bytes:
    """A spoiled file.

    Args:
        kind: "keras", "hdf5", "hdf5 model" (with JSON in its attributes), "safetensors", "json",
            "yaml", or "bytes".
    """
    if random.random() < 0.3:
        return spoiled_bytes(content, random)
    if kind == "keras":
        return spoiled_keras(content, random)
    if kind == "json":
        return spoiled_json(content.decode(), random).encode("utf-8", "replace")
    if kind == "yaml":
        return spoiled_yaml(content.decode(), random).encode("utf-8", "replace")
    if kind == "safetensors":
        return spoiled_safetensors(content, random)
    if kind == "hdf5 model" and random.random() < 0.4:
        return _spoiled_attributes(content, random)
    return spoiled_hdf5(content, random) if kind.startswith("hdf5") else spoiled_bytes(content, random)


def _spoiled_attributes(content: bytes, random: random.Random) -> bytes:
    import h5py

    image = io.BytesIO(content)
    with h5py.File(image, "a") as file:
        names = [name for name in ("model_config", "training_config") if name in file.attrs]
        name = random.choice(names)
        text = file.attrs[name]
        text = spoiled_json(text.decode() if isinstance(text, bytes) else text, random)
        file.attrs[name] = text.encode("utf-8", "replace").replace(b"\0", b"?")
    return image.getvalue()
