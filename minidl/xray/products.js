// Ops that are sums of products: for each output the pairs that meet in it, and for each input the way back.
// y(o, f) calls f(place in a, place in b); da(i, f) calls f(place in y, place in b); db(i, f) calls f(place in y, place in a).
"use strict";
function windowOf(shape, kernel, strides, padding) {
  const [n, height, width] = shape, [kh, kw] = kernel, [sh, sw] = strides, same = padding === "same";
  const extent = (size, k, s) => (same ? Math.ceil(size / s) : Math.floor((size - k) / s) + 1);
  const oh = extent(height, kh, sh), ow = extent(width, kw, sw);
  const before = (size, k, s, out) => (same ? Math.floor(Math.max((out - 1) * s + k - size, 0) / 2) : 0);
  return { n, height, width, kh, kw, sh, sw, oh, ow, top: before(height, kh, sh, oh), left: before(width, kw, sw, ow) };
}

const PRODUCTS = {
  dense(a) {
    const [depth, units] = a.kernel.shape, rows = product(a.x.shape) / depth;
    return {
      a: "x", b: "kernel", shape: [...a.x.shape.slice(0, -1), units],
      y(o, f) { const r = Math.floor(o / units), j = o % units; for (let k = 0; k < depth; k++) f(r * depth + k, k * units + j); },
      da(i, f) { const r = Math.floor(i / depth), k = i % depth; for (let j = 0; j < units; j++) f(r * units + j, k * units + j); },
      db(i, f) { const k = Math.floor(i / units), j = i % units; for (let r = 0; r < rows; r++) f(r * units + j, r * depth + k); },
    };
  },
  matrix_product(a) {
    const s1 = a.x1.shape, s2 = a.x2.shape, t1 = a.transpose_1, t2 = a.transpose_2, rank = s1.length;
    if (rank !== s2.length || s1.slice(0, -2).some((n, i) => n !== s2[i])) return null;
    const [p, q] = s1.slice(-2), [r, s] = s2.slice(-2), m = t1 ? q : p, depth = t1 ? p : q, n = t2 ? r : s;
    const at1 = (b, i, k) => b * p * q + (t1 ? k * q + i : i * q + k), at2 = (b, k, j) => b * r * s + (t2 ? j * s + k : k * s + j);
    return {
      a: "x1", b: "x2", shape: [...s1.slice(0, -2), m, n],
      y(o, f) { const b = Math.floor(o / (m * n)), i = Math.floor(o / n) % m, j = o % n; for (let k = 0; k < depth; k++) f(at1(b, i, k), at2(b, k, j)); },
      da(o, f) {
        const b = Math.floor(o / (p * q)), u = Math.floor(o / q) % p, v = o % q, i = t1 ? v : u, k = t1 ? u : v;
        for (let j = 0; j < n; j++) f((b * m + i) * n + j, at2(b, k, j));
      },
      db(o, f) {
        const b = Math.floor(o / (r * s)), u = Math.floor(o / s) % r, v = o % s, j = t2 ? u : v, k = t2 ? v : u;
        for (let i = 0; i < m; i++) f((b * m + i) * n + j, at1(b, i, k));
      },
    };
  },
  conv2d(a) {
    const [kh, kw, cin, cout] = a.kernel.shape, w = windowOf(a.x.shape, [kh, kw], a.strides, a.padding);
    const { n: count, height, width, sh, sw, oh, ow, top, left } = w;
    return {
      a: "x", b: "kernel", shape: [count, oh, ow, cout], window: w,
      y(o, f) {
        const k = o % cout, j = Math.floor(o / cout) % ow, i = Math.floor(o / (cout * ow)) % oh, n = Math.floor(o / (cout * ow * oh));
        for (let u = 0; u < kh; u++) for (let v = 0; v < kw; v++) {
          const p = i * sh + u - top, q = j * sw + v - left;
          if (p < 0 || q < 0 || p >= height || q >= width) continue;
          for (let c = 0; c < cin; c++) f(((n * height + p) * width + q) * cin + c, ((u * kw + v) * cin + c) * cout + k);
        }
      },
      da(at, f) {
        const c = at % cin, q = Math.floor(at / cin) % width, p = Math.floor(at / (cin * width)) % height, n = Math.floor(at / (cin * width * height));
        for (let u = 0; u < kh; u++) for (let v = 0; v < kw; v++) {
          const i = (p + top - u) / sh, j = (q + left - v) / sw;
          if (!Number.isInteger(i) || !Number.isInteger(j) || i < 0 || j < 0 || i >= oh || j >= ow) continue;
          for (let k = 0; k < cout; k++) f(((n * oh + i) * ow + j) * cout + k, ((u * kw + v) * cin + c) * cout + k);
        }
      },
      db(at, f) {
        const k = at % cout, c = Math.floor(at / cout) % cin, v = Math.floor(at / (cout * cin)) % kw, u = Math.floor(at / (cout * cin * kw));
        for (let n = 0; n < count; n++) for (let i = 0; i < oh; i++) for (let j = 0; j < ow; j++) {
          const p = i * sh + u - top, q = j * sw + v - left;
          if (p < 0 || q < 0 || p >= height || q >= width) continue;
          f(((n * oh + i) * ow + j) * cout + k, ((n * height + p) * width + q) * cin + c);
        }
      },
    };
  },
};

PRODUCTS.conv2d_bias = PRODUCTS.conv2d_bias_relu = PRODUCTS.conv2d;
// Products that add a bias: whether they cut off what is negative, too.
const CUT_OFF = { dense: a => a.activation === "relu", conv2d_bias: () => false, conv2d_bias_relu: () => true };

function summed(pairs, size, shape, left, right) {
  const y = made(shape);
  let total;
  const add = (i, j) => { total += left[i] * right[j]; };
  for (let o = 0; o < size; o++) { total = 0; pairs(o, add); y.data[o] = total; }
  return y;
}

for (const name of Object.keys(PRODUCTS)) {
  const two = name === "matrix_product" ? ["x1", "x2"] : ["x", "kernel"];
  OPS[name] = {
    inputs: CUT_OFF[name] ? [...two, "bias"] : two,
    forward(a) {
      const p = PRODUCTS[name](a);
      if (!p) return null;
      const y = summed(p.y, product(p.shape), p.shape, a[p.a].data, a[p.b].data);
      if (CUT_OFF[name]) {
        const n = p.shape[p.shape.length - 1], relu = CUT_OFF[name](a);
        for (let o = 0; o < y.data.length; o++) { const v = y.data[o] + a.bias.data[o % n]; y.data[o] = relu ? Math.max(v, 0) : v; }
      }
      return y;
    },
    back: {
      [two[0]]: (g, a) => summed(PRODUCTS[name](a).da, a[two[0]].data.length, a[two[0]].shape, g.data, a[two[1]].data),
      [two[1]]: (g, a) => summed(PRODUCTS[name](a).db, a[two[1]].data.length, a[two[1]].shape, g.data, a[two[0]].data),
    },
  };
}
for (const [name, relu] of Object.entries(CUT_OFF)) {
  OPS[name].back.bias = (g, a) => summedTo(made([g.data.length / a.bias.data.length, a.bias.data.length], g.data), a.bias.shape);
  OPS[name].first = (g, a, y) => (relu(a) ? elementwise((one, out) => (out > 0 ? one : 0), g, y) : g);
}
