// Ops on rows and axes: softmax, cross-entropies, batch norm, sums and means, and those that only move numbers.
"use strict";
function eachRow(x, f) {
  const n = x.shape[x.shape.length - 1], y = made(x.shape);
  for (let start = 0; start < x.data.length; start += n) f(start, n, y.data);
  return y;
}

function logSum(x, start, n) {
  let top = -Infinity, total = 0;
  for (let i = 0; i < n; i++) top = Math.max(top, x[start + i]);
  for (let i = 0; i < n; i++) total += Math.exp(x[start + i] - top);
  return [top, Math.log(total)];
}

const softmaxOf = x => eachRow(x, (start, n, y) => {
  let top = -Infinity, total = 0;
  for (let i = 0; i < n; i++) top = Math.max(top, x.data[start + i]);
  for (let i = 0; i < n; i++) total += y[start + i] = Math.exp(x.data[start + i] - top);
  for (let i = 0; i < n; i++) y[start + i] /= total;
});

OPS.softmax_last = {
  inputs: ["x"], forward: a => softmaxOf(a.x),
  back: {
    x: (g, a, y) => eachRow(y, (start, n, d) => {
      let total = 0;
      for (let i = 0; i < n; i++) total += g.data[start + i] * y.data[start + i];
      for (let i = 0; i < n; i++) d[start + i] = y.data[start + i] * (g.data[start + i] - total);
    }),
  },
};
OPS.log_softmax_last = {
  inputs: ["x"],
  forward: a => eachRow(a.x, (start, n, y) => { const [top, log] = logSum(a.x.data, start, n); for (let i = 0; i < n; i++) y[start + i] = a.x.data[start + i] - top - log; }),
  back: {
    x: (g, a, y) => eachRow(y, (start, n, d) => {
      let total = 0;
      for (let i = 0; i < n; i++) total += g.data[start + i];
      for (let i = 0; i < n; i++) d[start + i] = g.data[start + i] - Math.exp(y.data[start + i]) * total;
    }),
  },
};
OPS.softmax_cross_entropy = {
  inputs: ["logits", "labels"],
  forward(a) {
    const [rows, n] = a.logits.shape, y = made([rows]);
    for (let r = 0; r < rows; r++) { const [top, log] = logSum(a.logits.data, r * n, n); y.data[r] = log - (a.logits.data[r * n + a.labels.data[r]] - top); }
    return { y, others: { probabilities: softmaxOf(a.logits) } };
  },
  back: { logits(g, a) { const p = softmaxOf(a.logits), n = p.shape[1]; return made(p.shape, p.data.map((v, i) => (v - (i % n === a.labels.data[Math.floor(i / n)] ? 1 : 0)) * g.data[Math.floor(i / n)])); } },
};

function probabilityOf(a, r) {
  const n = a.output.shape[1];
  let total = 0;
  for (let i = 0; i < n; i++) total += a.output.data[r * n + i];
  const right = a.output.data[r * n + a.labels.data[r]], p = right / total;
  return { total, right, p, inside: p >= a.epsilon && p <= 1 - a.epsilon };
}
OPS.probability_cross_entropy = {
  inputs: ["output", "labels"],
  forward(a) {
    const rows = a.output.shape[0], y = made([rows]), probability = made([rows]);
    for (let r = 0; r < rows; r++) { const { p } = probabilityOf(a, r); probability.data[r] = p; y.data[r] = -Math.log(Math.min(Math.max(p, a.epsilon), 1 - a.epsilon)); }
    return { y, others: { probability } };
  },
  back: {
    output(g, a) {
      const [rows, n] = a.output.shape, d = made([rows, n]);
      for (let r = 0; r < rows; r++) {
        const { total, right, inside } = probabilityOf(a, r);
        if (inside) for (let i = 0; i < n; i++) d.data[r * n + i] = g.data[r] * (1 / total - (i === a.labels.data[r] ? 1 / right : 0));
      }
      return d;
    },
  },
};

function batchOf(a) {
  const n = a.gamma.data.length, rows = a.x.data.length / n, mean = made([n]), variance = made([n]);
  for (let i = 0; i < a.x.data.length; i++) mean.data[i % n] += a.x.data[i] / rows;
  for (let i = 0; i < a.x.data.length; i++) variance.data[i % n] += (a.x.data[i] - mean.data[i % n]) ** 2 / rows;
  const scale = variance.data.map(v => 1 / Math.sqrt(v + a.epsilon));
  const normal = Float64Array.from(a.x.data, (v, i) => (v - mean.data[i % n]) * scale[i % n]);
  return { n, rows, mean, variance, scale, normal };
}

function batchGradients(g, a) {
  const b = batchOf(a), gamma = made([b.n]), beta = made([b.n]);
  for (let i = 0; i < g.data.length; i++) { beta.data[i % b.n] += g.data[i]; gamma.data[i % b.n] += g.data[i] * b.normal[i]; }
  const x = made(a.x.shape);
  for (let i = 0; i < g.data.length; i++) {
    const c = i % b.n;
    x.data[i] = a.gamma.data[c] * b.scale[c] * (g.data[i] - beta.data[c] / b.rows - b.normal[i] * (gamma.data[c] / b.rows));
  }
  return { ...b, x, gamma, beta };
}
OPS.batch_norm = {
  inputs: ["x", "gamma", "beta"],
  forward(a) { const b = batchOf(a); return { y: made(a.x.shape, b.normal.map((v, i) => v * a.gamma.data[i % b.n] + a.beta.data[i % b.n])), others: { mean: b.mean, variance: b.variance } }; },
  back: { x: (g, a) => batchGradients(g, a).x, gamma: (g, a) => batchGradients(g, a).gamma, beta: (g, a) => batchGradients(g, a).beta },
};

function reduction(name, factor) {
  const shapeOf = (x, a) => (a.keepdims ? keptShape(x.shape, a.axis) : x.shape.filter((n, i) => !axesOf(a.axis, x.shape.length).includes(i)));
  const count = a => axesOf(a.axis, a.x.shape.length).reduce((n, axis) => n * a.x.shape[axis], 1);
  OPS[name] = {
    inputs: ["x"], count,
    forward(a) { const y = summedTo(made(a.x.shape, Float64Array.from(a.x.data)), keptShape(a.x.shape, a.axis)), k = factor(count(a)); return made(shapeOf(a.x, a), y.data.map(v => v * k)); },
    back: { x(g, a) { const k = factor(count(a)), kept = keptShape(a.x.shape, a.axis), d = made(a.x.shape); for (let i = 0; i < d.data.length; i++) d.data[i] = g.data[narrowed(i, a.x.shape, kept)] * k; return d; } },
  };
}
reduction("sum", () => 1);
reduction("mean", n => 1 / n);

// Ops that only move numbers: source(o) is the place in x that the output place o shows.
function moving(name, shapeOf, sourceOf) {
  OPS[name] = {
    inputs: ["x"], source: (a, shape) => sourceOf(a, shape),
    forward(a, shape) { const to = shapeOf(a, shape), from = sourceOf(a, to), y = made(to); for (let o = 0; o < y.data.length; o++) y.data[o] = a.x.data[from(o)]; return y; },
    back: { x(g, a) { const from = sourceOf(a, g.shape), d = made(a.x.shape); for (let o = 0; o < g.data.length; o++) d.data[from(o)] += g.data[o]; return d; } },
  };
}
for (const name of ["reshape", "expand_dims", "squeeze"]) moving(name, (a, shape) => shape, () => o => o);
moving("broadcast_to", (a, shape) => shape, (a, shape) => o => narrowed(o, shape, a.x.shape));
const axesTo = a => a.axes || [...a.x.shape.keys()].reverse();
moving("transpose", a => axesTo(a).map(axis => a.x.shape[axis]), (a, shape) => o => {
  const to = unflat(o, shape), from = [];
  axesTo(a).forEach((axis, i) => { from[axis < 0 ? axis + a.x.shape.length : axis] = to[i]; });
  return flatOf(from, a.x.shape);
});

// Each array of a list in a row along an axis; parts(a) are [array, where it begins] and the axis.
function piecesOf(a) {
  const axis = axesOf(a.axis || 0, a.xs[0].shape.length)[0], shape = [...a.xs[0].shape];
  let begin = 0;
  const pieces = a.xs.map((x, k) => { const one = { x, begin, axis, label: `xs[${k}]`, from: f => { const i = unflat(f, shape); i[axis] -= one.begin; return flatOf(i, x.shape); }, to: f => { const i = unflat(f, x.shape); i[axis] += one.begin; return flatOf(i, shape); } }; begin += x.shape[axis]; return one; });
  shape[axis] = begin;
  return { pieces, shape };
}
OPS.concatenate = {
  forward(a) { const { pieces, shape } = piecesOf(a), y = made(shape); for (const p of pieces) for (let i = 0; i < p.x.data.length; i++) y.data[p.to(i)] = p.x.data[i]; return y; },
  back: { xs: (g, a) => piecesOf(a).pieces.map(p => made(p.x.shape, Float64Array.from(p.x.data, (_, i) => g.data[p.to(i)]))) },
};
