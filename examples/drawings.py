"""Pictures drawn by a program: 32 by 32 pixels, each with a mask that says which of them are the thing itself.

    from drawings import draw
    picture, mask = draw("ship", seed=0)

Drawn at eight times the size and then reduced, so that edges are as soft as in a photograph.
"""

import numpy as np
from PIL import Image, ImageDraw

__all__ = ["DRAWINGS", "draw"]

SIZE, TIMES = 32, 8
GLASS, TYRE, HUB, WHITE = (58, 72, 88), (22, 22, 25), (150, 150, 155), (236, 238, 240)
GREY = (128, 128, 128)


class Canvas:
    """A background, and on a layer of its own the thing; places are in pixels of the small picture."""

    def __init__(self, chance):
        self.chance = chance
        self.back = Image.new("RGB", (SIZE * TIMES, SIZE * TIMES))
        self.thing = Image.new("RGBA", self.back.size, (0, 0, 0, 0))
        self.on_back, self.on_thing = ImageDraw.Draw(self.back), ImageDraw.Draw(self.thing)
        self.dx, self.dy = chance.uniform(-1.5, 1.5, 2)
        self.scale = chance.uniform(0.92, 1.08)

    def between(self, *colours):
        """A colour somewhere between two."""
        a, b = np.array(colours, float)
        return tuple(int(v) for v in a + (b - a) * self.chance.random())

    def shades(self, top, bottom, first=0.0, last=SIZE):
        """A background that goes from one colour to another, from row ``first`` to row ``last``."""
        start, end = round(first * TIMES), round(last * TIMES)
        for row in range(start, end):
            k = (row - start) / max(end - start - 1, 1)
            colour = tuple(int(a + (b - a) * k) for a, b in zip(top, bottom, strict=True))
            self.on_back.line([(0, row), (SIZE * TIMES, row)], fill=colour)

    def spots(self, count, colours, top=0, bottom=SIZE, wide=(0.4, 1.6), high=(0.15, 0.5)):
        """Blades, waves, leaves, pebbles of the background."""
        for _ in range(count):
            x, y = self.chance.uniform(0, SIZE), self.chance.uniform(top, bottom)
            w, h = self.chance.uniform(*wide), self.chance.uniform(*high)
            box = [v * TIMES for v in (x - w, y - h, x + w, y + h)]
            self.on_back.ellipse(box, fill=self.between(*colours))

    def _placed(self, points):
        middle = SIZE / 2
        return [
            (
                ((x - middle) * self.scale + middle + self.dx) * TIMES,
                ((y - middle) * self.scale + middle + self.dy) * TIMES,
            )
            for x, y in points
        ]

    def shape(self, colour, *points):
        """A part of the thing: a polygon."""
        self.on_thing.polygon(self._placed(points), fill=(*colour, 255))

    def disc(self, colour, left, top, right, bottom):
        """A part of the thing: an ellipse in a box."""
        (a, b), (c, d) = self._placed([(left, top), (right, bottom)])
        self.on_thing.ellipse([a, b, c, d], fill=(*colour, 255))

    def stroke(self, colour, width, *points):
        """A part of the thing: a line."""
        self.on_thing.line(self._placed(points), fill=(*colour, 255), width=round(width * TIMES), joint="curve")

    def done(self, thing, background):
        """(picture, mask): (32, 32, 3) and (32, 32), from 0 to 1; with the grain of a photograph."""
        whole = self.back.copy() if background else Image.new("RGB", self.back.size, GREY)
        if thing:
            whole.paste(self.thing, (0, 0), self.thing)
        small = np.asarray(whole.resize((SIZE, SIZE), Image.Resampling.BOX), "float32") / 255
        mask = np.asarray(self.thing.getchannel("A").resize((SIZE, SIZE), Image.Resampling.BOX), "float32") / 255
        grain = self.chance.normal(0, 0.015, small.shape).astype("float32")
        return np.clip(small + grain, 0, 1), mask


def airplane(c):
    """An airliner from the side, in the sky."""
    c.shades(c.between((70, 130, 205), (120, 170, 225)), c.between((150, 195, 235), (195, 220, 242)))
    c.spots(5, ((205, 222, 240), (240, 245, 250)), wide=(3, 7), high=(0.6, 1.6))
    body = c.between((205, 208, 214), (240, 242, 245))
    c.shape((120, 126, 138), (15, 15), (21, 15), (12, 8), (9, 8))  # the far wing
    c.disc(body, 2, 13.2, 30, 18.4)
    c.shape(c.between((30, 60, 130), (170, 35, 40)), (3.5, 15), (8, 14.2), (4, 6.5), (1, 6.5))  # the fin
    c.shape((150, 156, 166), (2.5, 15), (7.5, 15), (3, 12.4), (0.5, 12.4))
    c.shape((146, 152, 163), (14, 16.6), (21, 16.6), (10, 25), (6.5, 25))  # the near wing
    c.disc((92, 98, 110), 12.5, 18.6, 17, 20.8)
    for x in np.arange(9, 25, 1.5):
        c.disc(GLASS, x, 14.7, x + 0.7, 15.5)
    c.shape(GLASS, (26.4, 14.5), (28.6, 15.2), (26.4, 15.4))


def automobile(c):
    """A car from the side, on a road."""
    c.shades((190, 200, 208), (160, 168, 170), last=19)
    c.spots(8, ((84, 104, 80), (120, 132, 110)), top=13, bottom=18, wide=(2, 5), high=(1, 2))
    c.shades((112, 112, 114), (82, 82, 86), first=19)
    paint = (
        c.between((150, 18, 22), (214, 40, 34)) if c.chance.random() < 0.6 else c.between((24, 50, 120), (40, 80, 170))
    )
    dark = tuple(v // 2 for v in paint)
    c.disc((40, 40, 44), 2, 23, 30, 26.5)  # the shadow
    c.shape(
        paint,
        (1.5, 22),
        (2, 17.5),
        (6.5, 16),
        (10.5, 11),
        (20.5, 11),
        (25, 16),
        (30, 17.8),
        (30.5, 22),
        (29, 23.6),
        (2.5, 23.6),
    )
    c.shape(GLASS, (8.2, 16), (11.2, 12.2), (15.2, 12.2), (15.2, 16))
    c.shape(GLASS, (16.2, 16), (16.2, 12.2), (20, 12.2), (23.2, 16))
    c.shape(dark, (2, 21.5), (30, 21.5), (29.5, 23.6), (2.5, 23.6))
    c.stroke(dark, 0.3, (15.7, 12), (15.7, 21.5))
    c.disc((250, 240, 200), 28.3, 18.2, 30.3, 19.8)
    for x in (8, 23.6):
        c.disc(TYRE, x - 3, 20, x + 3, 26)
        c.disc(HUB, x - 1.5, 21.5, x + 1.5, 24.5)


def bird(c):
    """A small bird on a branch."""
    c.shades(c.between((110, 150, 90), (150, 180, 130)), c.between((150, 170, 110), (190, 200, 160)))
    c.spots(10, ((96, 130, 80), (180, 196, 150)), wide=(2, 5), high=(2, 4))
    c.on_back.line([(0, 27 * TIMES), (SIZE * TIMES, 24.5 * TIMES)], fill=(92, 70, 50), width=2 * TIMES)
    coat, breast = c.between((90, 70, 54), (120, 96, 72)), c.between((196, 120, 60), (214, 190, 150))
    c.shape(tuple(int(v * 0.7) for v in coat), (10, 18), (13, 21), (3, 27), (1.5, 25))  # the tail
    c.disc(breast, 9, 10, 23, 24)
    c.disc(coat, 8, 11, 19, 21.5)
    c.disc(coat, 15, 5, 25, 14)
    c.shape((60, 52, 44), (24, 8.5), (29, 10), (24, 11))
    c.disc((12, 12, 12), 20.6, 7.6, 22.4, 9.4)
    for x in (14, 17.5):
        c.stroke((80, 60, 46), 0.6, (x, 23), (x + 0.5, 26.5))


def frog(c):
    """A frog on the ground, from the front."""
    c.shades((120, 100, 78), (96, 78, 58))
    c.spots(40, ((82, 66, 48), (150, 128, 100)), wide=(0.6, 2.4), high=(0.4, 1.4))
    skin = c.between((70, 120, 40), (104, 150, 58))
    dark, pale = tuple(int(v * 0.7) for v in skin), (196, 200, 140)
    for left, right in ((1.5, 11), (21, 30.5)):
        c.disc(dark, left, 16, right, 27)
    c.disc(skin, 5, 9, 27, 27)
    c.disc(pale, 9, 18, 23, 27.5)
    for x in (10, 22):
        c.disc(skin, x - 3.6, 5, x + 3.6, 12)
        c.disc((214, 176, 60), x - 2.2, 6, x + 2.2, 10.4)
        c.disc((14, 14, 12), x - 1.4, 7, x + 1.4, 9.6)
    c.stroke(dark, 0.7, (8, 17), (16, 19.4), (24, 17))
    for x in (7.5, 24.5):
        c.stroke(dark, 2.4, (x, 20), (x, 28.5))


def horse(c):
    """A horse in a meadow, from the side."""
    c.shades((168, 192, 214), (198, 212, 214), last=13)
    c.spots(10, ((58, 84, 50), (88, 112, 70)), top=9, bottom=13, wide=(2, 4), high=(1.5, 3))
    c.shades((122, 150, 70), (92, 124, 52), first=13)
    c.spots(60, ((80, 112, 44), (146, 168, 92)), top=14, wide=(0.2, 0.7), high=(0.3, 0.9))
    coat = c.between((104, 58, 30), (140, 84, 46))
    dark = tuple(int(v * 0.55) for v in coat)
    for x, shade in ((9, dark), (21.5, dark), (7, coat), (19.5, coat)):
        c.stroke(shade, 1.9, (x, 18), (x + 0.3, 24), (x - 0.2, 29))
    c.disc(coat, 4.5, 11.5, 24, 20.5)
    c.shape(coat, (18, 13), (23.6, 17.5), (28, 9), (24.5, 4.5))
    c.shape(coat, (24, 4.5), (27, 4.6), (31.4, 10), (29.6, 12), (25.5, 9))
    c.shape(dark, (18, 12.5), (24.2, 3.2), (25.4, 4.6), (20.4, 13))
    c.shape(coat, (24.6, 5), (25.2, 2.4), (26.6, 5))
    c.stroke(dark, 1.5, (5.4, 14), (3, 18), (3, 24))
    c.disc((10, 10, 10), 26.4, 6.4, 27.3, 7.3)


def ship(c):
    """A freighter on the sea."""
    c.shades(c.between((150, 180, 208), (186, 206, 222)), (212, 222, 228), last=20)
    c.shades(c.between((38, 76, 104), (56, 100, 128)), c.between((24, 54, 80), (40, 78, 104)), first=20)
    c.spots(46, ((70, 118, 144), (128, 162, 180)), top=21, wide=(0.6, 2.2), high=(0.1, 0.25))
    hull = c.between((28, 32, 44), (60, 62, 74))
    c.shape(hull, (1, 16.5), (31, 15.6), (28.4, 23.4), (4, 23.4))
    c.shape((142, 36, 32), (3.3, 21.6), (29, 21.6), (28.4, 23.4), (4, 23.4))
    c.shape(WHITE, (4, 16.4), (4, 10.5), (10.5, 10.5), (10.5, 16.2))
    c.shape(WHITE, (5, 10.5), (5, 8), (9.5, 8), (9.5, 10.5))
    c.shape(GLASS, (5.4, 9.6), (5.4, 8.7), (9.1, 8.7), (9.1, 9.6))
    c.shape(c.between((180, 60, 30), (210, 150, 40)), (5.8, 8), (6, 4.6), (8.2, 4.6), (8.4, 8))
    for x in (13, 17.5, 22):
        c.shape(c.between((150, 60, 44), (70, 110, 130)), (x, 15.8), (x, 13), (x + 3.6, 13), (x + 3.6, 15.8))
    for x in (16.9, 27.5):
        c.stroke((90, 92, 96), 0.5, (x, 15.6), (x, 6.5))


def truck(c):
    """A lorry from the side, on a road."""
    c.shades((176, 196, 214), (204, 212, 216), last=22)
    c.spots(8, ((90, 108, 80), (124, 138, 110)), top=18, bottom=22, wide=(2, 5), high=(1, 2))
    c.shades((118, 116, 114), (88, 87, 88), first=22)
    cab = (
        c.between((176, 30, 28), (206, 60, 40)) if c.chance.random() < 0.5 else c.between((30, 60, 130), (60, 100, 170))
    )
    c.disc((44, 44, 46), 1, 25.5, 31, 28.6)
    c.shape((52, 52, 56), (1, 22), (30.5, 22), (30.5, 24.8), (1, 24.8))
    c.shape(c.between((206, 208, 210), (240, 240, 238)), (1, 22), (1, 5.5), (20.4, 5.5), (20.4, 22))
    c.shape((176, 178, 182), (1, 22), (1, 20.6), (20.4, 20.6), (20.4, 22))
    c.shape(cab, (21, 23.6), (21, 9.5), (27, 9.5), (30.4, 16), (31, 18), (31, 23.6))
    c.shape(GLASS, (23.4, 16), (23.4, 11), (26.6, 11), (29.2, 16))
    c.shape((240, 230, 190), (30, 20), (31, 20), (31, 21.6), (30, 21.6))
    for x in (5, 10.4, 26):
        c.disc(TYRE, x - 2.6, 22.4, x + 2.6, 27.6)
        c.disc(HUB, x - 1.2, 23.8, x + 1.2, 26.2)


DRAWINGS = {one.__name__: one for one in (airplane, automobile, bird, frog, horse, ship, truck)}


def draw(name, seed=0, thing=True, background=True):
    """A picture (32, 32, 3) from 0 to 1, and how much of each pixel is the thing, (32, 32).

    Args:
        name: a key of ``DRAWINGS``.
        seed: of the colours, the place and the size.
        thing: False leaves it out, and shows what is behind it.
        background: False puts the thing on plain grey, another key of ``DRAWINGS`` where that thing would be.
    """
    canvas = _drawn(name, seed)
    if isinstance(background, str):
        canvas.back = _drawn(background, seed).back
    return canvas.done(thing, background)


def _drawn(name, seed):
    canvas = Canvas(np.random.default_rng([seed, list(DRAWINGS).index(name)]))
    DRAWINGS[name](canvas)
    return canvas
