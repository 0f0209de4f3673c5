// Pooling: the cells of each window, and for each cell the windows that see it.
"use strict";
function poolOf(a) {
  const channels = a.x.shape[3], w = windowOf(a.x.shape, a.pool_size, a.strides, a.padding), { height, width, sh, sw, oh, ow, kh, kw } = w;
  return {
    ...w, channels, shape: [w.n, oh, ow, channels],
    cells(o) {
      const c = o % channels, j = Math.floor(o / channels) % ow, i = Math.floor(o / (channels * ow)) % oh, n = Math.floor(o / (channels * ow * oh)), found = [];
      for (let u = 0; u < kh; u++) for (let v = 0; v < kw; v++) {
        const p = i * sh + u - w.top, q = j * sw + v - w.left;
        if (p >= 0 && q >= 0 && p < height && q < width) found.push(((n * height + p) * width + q) * channels + c);
      }
      return found;
    },
    seenBy(at) {
      const c = at % channels, q = Math.floor(at / channels) % width, p = Math.floor(at / (channels * width)) % height, n = Math.floor(at / (channels * width * height)), found = [];
      for (let u = 0; u < kh; u++) for (let v = 0; v < kw; v++) {
        const i = (p + w.top - u) / sh, j = (q + w.left - v) / sw;
        if (Number.isInteger(i) && Number.isInteger(j) && i >= 0 && j >= 0 && i < oh && j < ow) found.push(((n * oh + i) * ow + j) * channels + c);
      }
      return found;
    },
    winner(o, data) { let best = -1; for (const at of this.cells(o)) if (best < 0 || data[at] > data[best]) best = at; return best; },
  };
}

OPS.max_pool2d = {
  inputs: ["x"],
  forward(a) { const p = poolOf(a), y = made(p.shape); for (let o = 0; o < y.data.length; o++) y.data[o] = a.x.data[p.winner(o, a.x.data)]; return y; },
  back: { x(g, a) { const p = poolOf(a), d = made(a.x.shape); for (let o = 0; o < g.data.length; o++) d.data[p.winner(o, a.x.data)] += g.data[o]; return d; } },
};
OPS.average_pool2d = {
  inputs: ["x"],
  forward(a) {
    const p = poolOf(a), y = made(p.shape);
    for (let o = 0; o < y.data.length; o++) { const cells = p.cells(o); y.data[o] = cells.reduce((s, at) => s + a.x.data[at], 0) / cells.length; }
    return y;
  },
  back: {
    x(g, a) {
      const p = poolOf(a), d = made(a.x.shape);
      for (let o = 0; o < g.data.length; o++) { const cells = p.cells(o); for (const at of cells) d.data[at] += g.data[o] / cells.length; }
      return d;
    },
  },
};
