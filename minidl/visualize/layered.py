"""Layered drawing of a graph: every node below those it follows from, few crossings, lines around the boxes.

The method is Sugiyama's: ranks by the longest way, stand-ins where an edge passes a rank,
an order by the mean place of the neighbours (K. Sugiyama et al., "Methods for visual understanding of hierarchical
system structures", 1981).
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field

__all__ = ["Placed", "place"]

Point = tuple[float, float]


@dataclass
class Placed:
    """Where everything goes.

    Attributes:
        corners: of each node, its left upper corner.
        edges: of each edge, its points from the lower side of one node to the upper side of another.
        size: width and height of it all.
    """

    corners: dict[Hashable, Point]
    edges: list[list[Point]]
    size: Point


@dataclass
class _Slot:
    """A place within a rank: a node, or a stand-in for an edge that passes (as high as its rank in the end)."""

    width: float
    height: float
    above: list["_Slot"] = field(default_factory=list)
    below: list["_Slot"] = field(default_factory=list)
    middle: float = 0.0


def place(
    sizes: dict[Hashable, Point], edges: Sequence[tuple[Hashable, Hashable]], gap: float = 24, drop: float = 28
) -> Placed:
    """Lay out an acyclic graph from top to bottom.

    Args:
        sizes: width and height of each node.
        edges: (from, to).
        gap: the least distance between neighbours of a rank.
        drop: the height between ranks.
    """
    rank_of = _ranks(sizes, edges)
    slots = {node: _Slot(*size) for node, size in sizes.items()}
    ranks: list[list[_Slot]] = [[] for _ in range(max(rank_of.values(), default=-1) + 1)]
    for node, level in rank_of.items():
        ranks[level].append(slots[node])
    ways = []
    for start, end in edges:
        way = [slots[start], *(_Slot(1, 0) for _ in range(rank_of[start] + 1, rank_of[end])), slots[end]]
        for level, slot in enumerate(way[1:-1], rank_of[start] + 1):
            ranks[level].append(slot)
        for one, next_one in zip(way[:-1], way[1:], strict=True):
            one.below.append(next_one)
            next_one.above.append(one)
        ways.append(way)
    _order(ranks)
    _straighten(ranks, gap)

    left = min((s.middle - s.width / 2 for rank in ranks for s in rank), default=0.0)
    tops: list[float] = []
    y = 0.0
    for rank in ranks:
        tops.append(y)
        height = max(s.height for s in rank)
        for slot in rank:
            slot.height = slot.height or height
        y += height + drop
    top_of = {id(slot): top for rank, top in zip(ranks, tops, strict=True) for slot in rank}
    for rank in ranks:
        for slot in rank:
            slot.middle -= left
    corners = {node: (s.middle - s.width / 2, top_of[id(s)]) for node, s in slots.items()}
    lines = [_line(way, top_of) for way in ways]
    right = max((s.middle + s.width / 2 for rank in ranks for s in rank), default=0.0)
    return Placed(corners, lines, (right, max(y - drop, 0.0)))


def _ranks(sizes: dict[Hashable, Point], edges: Sequence[tuple[Hashable, Hashable]]) -> dict[Hashable, int]:
    rank = dict.fromkeys(sizes, 0)
    for _ in sizes:  # as often as the longest way has steps, at most
        before = dict(rank)
        for start, end in edges:
            rank[end] = max(rank[end], rank[start] + 1)
        if rank == before:
            return rank
    raise ValueError("the graph has a cycle")


def _order(ranks: list[list[_Slot]]) -> None:
    """Sort each rank by the mean place of the neighbours above, then below, some times over."""

    def mean_of(neighbours: list[_Slot], places: dict[int, int], own: int) -> float:
        return sum(places[id(n)] for n in neighbours) / len(neighbours) if neighbours else own

    for sweep in range(6):
        down = sweep % 2 == 0
        for one, other in (
            zip(ranks[:-1], ranks[1:], strict=True) if down else zip(ranks[:0:-1], ranks[-2::-1], strict=True)
        ):
            places = {id(slot): i for i, slot in enumerate(one)}
            key = {id(s): mean_of(s.above if down else s.below, places, i) for i, s in enumerate(other)}
            other.sort(key=lambda s: key[id(s)])


def _straighten(ranks: list[list[_Slot]], gap: float) -> None:
    """Middles of the slots: near the middles of their neighbours, in order, no nearer than ``gap``."""
    for rank in ranks:
        x = 0.0
        for slot in rank:
            slot.middle = x + slot.width / 2
            x += slot.width + gap
    for sweep in range(12):
        for rank in ranks if sweep % 2 == 0 else ranks[::-1]:
            neighbours = [s.above + s.below for s in rank]
            wanted = [
                sum(n.middle for n in ns) / len(ns) if ns else s.middle for s, ns in zip(rank, neighbours, strict=True)
            ]
            _spread(rank, wanted, gap)


def _spread(rank: list[_Slot], wanted: list[float], gap: float) -> None:
    """The middles with the least sum of squared distances from the wanted ones that keep order and gap."""
    offsets, x = [], 0.0
    for i, slot in enumerate(rank):
        x += 0 if i == 0 else rank[i - 1].width / 2 + gap + slot.width / 2
        offsets.append(x)
    # Less the distances that are needed, the middles must only not fall: those that would are pooled at their mean.
    blocks: list[tuple[float, int]] = []
    for want, offset in zip(wanted, offsets, strict=True):
        value, count = want - offset, 1
        while blocks and blocks[-1][0] > value:
            mean, number = blocks.pop()
            value, count = (mean * number + value * count) / (number + count), number + count
        blocks.append((value, count))
    found = [value for value, count in blocks for _ in range(count)]
    for slot, value, offset in zip(rank, found, offsets, strict=True):
        slot.middle = value + offset


def _line(way: list[_Slot], top_of: dict[int, float]) -> list[Point]:
    start, *passed, end = way
    points = [(start.middle, top_of[id(start)] + start.height)]
    for slot in passed:  # straight down beside the boxes of this rank
        points += [(slot.middle, top_of[id(slot)]), (slot.middle, top_of[id(slot)] + slot.height)]
    return [*points, (end.middle, top_of[id(end)])]
