// Ops that work element by element: the function, and for each input its local derivative, of (inputs..., y).
"use strict";
const OPS = {}; // name -> {forward(a), back: {input: (g, a, y)}, first, local, terms}

function pointwise(name, inputs, f, derivatives) {
  const arrays = a => inputs.map(key => asArray(a[key]));
  const local = (input, a, y) => elementwise(derivatives[input], ...arrays(a), y);
  const back = {};
  for (const input of Object.keys(derivatives || {})) {
    back[input] = (g, a, y) => elementwise((one, d) => one * d, g, local(input, a, y));
  }
  OPS[name] = { inputs, forward: a => elementwise(f, ...arrays(a)), back, local: derivatives ? local : null };
}

const sigmoidOf = x => (x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x)));
const share = (wins, ties) => (wins ? 1 : ties ? 0.5 : 0);

pointwise("relu", ["x"], x => Math.max(x, 0), { x: (x, y) => (y > 0 ? 1 : 0) });
pointwise("leaky_relu", ["x", "negative_slope"], (x, slope) => (x >= 0 ? x : slope * x), { x: (x, slope) => (x >= 0 ? 1 : slope) });
pointwise("sigmoid", ["x"], sigmoidOf, { x: (x, y) => y * (1 - y) });
pointwise("tanh", ["x"], Math.tanh, { x: (x, y) => 1 - y * y });
// 2/√π · exp(−x²) · Σ 2ⁿ x²ⁿ⁺¹ / (1·3·…·(2n+1)): all terms of one sign, so nothing cancels.
function erfOf(x) {
  if (Math.abs(x) > 6) return Math.sign(x);
  let term = x, total = x;
  for (let n = 1; n < 200 && Math.abs(term) > 1e-18 * Math.abs(total); n++) total += term *= (2 * x * x) / (2 * n + 1);
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * total;
}
pointwise("erf", ["x"], erfOf, { x: x => (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) });
pointwise("softplus", ["x"], x => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))), { x: x => sigmoidOf(x) });
pointwise("exp", ["x"], Math.exp, { x: (x, y) => y });
pointwise("expm1", ["x"], Math.expm1, { x: (x, y) => y + 1 });
pointwise("log", ["x"], Math.log, { x: x => 1 / x });
pointwise("log1p", ["x"], Math.log1p, { x: x => 1 / (1 + x) });
pointwise("sqrt", ["x"], Math.sqrt, { x: (x, y) => 0.5 / y });
pointwise("square", ["x"], x => x * x, { x: x => 2 * x });
pointwise("abs", ["x"], Math.abs, { x: x => Math.sign(x) });
pointwise("negative", ["x"], x => -x, { x: () => -1 });
pointwise("add", ["x1", "x2"], (a, b) => a + b, { x1: () => 1, x2: () => 1 });
pointwise("subtract", ["x1", "x2"], (a, b) => a - b, { x1: () => 1, x2: () => -1 });
pointwise("multiply", ["x1", "x2"], (a, b) => a * b, { x1: (a, b) => b, x2: a => a });
pointwise("divide", ["x1", "x2"], (a, b) => a / b, { x1: (a, b) => 1 / b, x2: (a, b) => -a / (b * b) });
pointwise("power", ["x1", "x2"], Math.pow, {
  x1: (a, b) => b * Math.pow(a, b === 0 ? 1 : b - 1), x2: (a, b, y) => y * Math.log(a > 0 ? a : 1),
});
pointwise("maximum", ["x1", "x2"], Math.max, { x1: (a, b) => share(a > b, a === b), x2: (a, b) => share(b > a, a === b) });
pointwise("minimum", ["x1", "x2"], Math.min, { x1: (a, b) => share(a < b, a === b), x2: (a, b) => share(b < a, a === b) });
pointwise("clip", ["x", "x_min", "x_max"], (x, low, high) => Math.min(Math.max(x, low), high), {
  x: (x, low, high) => (x >= low && x <= high ? 1 : 0),
});
pointwise("where", ["condition", "x1", "x2"], (c, a, b) => (c ? a : b), { x1: c => (c ? 1 : 0), x2: c => (c ? 0 : 1) });
pointwise("masked_dropout", ["x", "mask"], (x, m) => x * m, { x: (x, m) => m });
pointwise("scale_shift", ["x", "scale", "shift"], (x, a, b) => x * a + b, { x: (x, a) => a, scale: x => x, shift: () => 1 });
pointwise("bias_relu", ["x", "bias"], (x, b) => Math.max(x + b, 0), { x: (x, b, y) => (y > 0 ? 1 : 0), bias: (x, b, y) => (y > 0 ? 1 : 0) });
pointwise("cast", ["x", "dtype"], x => x, { x: () => 1 });
OPS.cast.forward = a => {
  const whole = /int/.test(String(a.dtype)), x = asArray(a.x);
  return made(x.shape, Float64Array.from(x.data, v => (whole ? Math.trunc(v) : v)));
};
OPS.cast.local = (input, a, y) => made(y.shape, new Float64Array(y.data.length).fill(1));
OPS.cast.back = { x: g => g };
for (const [name, f] of Object.entries({
  greater: (a, b) => +(a > b), greater_equal: (a, b) => +(a >= b), less: (a, b) => +(a < b),
  less_equal: (a, b) => +(a <= b), equal: (a, b) => +(a === b), not_equal: (a, b) => +(a !== b),
})) pointwise(name, ["x1", "x2"], f, null);
// bias_relu has a first rule; what comes after it is the gradient that its own rules hand on.
OPS.bias_relu.first = (g, a, y) => elementwise((one, out) => (out > 0 ? one : 0), g, y);
