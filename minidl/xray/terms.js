// Every term of one number: of an output from the inputs, or of a gradient that is handed on from the one above.
"use strict";
const MOST_LINES = 400;

function operands(call) { // by name: {t, shape} for values, the setting itself otherwise
  const a = {};
  const value = number => ({ ...tensor(PAGE.values[number].t), t: PAGE.values[number].t });
  for (const [name, given] of call.in) a[name] = "v" in given ? value(given.v) : "vs" in given ? given.vs.map(one => value(one.v)) : given.c;
  if (call.mask !== undefined) a.mask = { ...tensor(call.mask), t: call.mask };
  return a;
}

const at = (name, one, flat) => ({ label: one.shape.length ? `${name}[${unflat(flat, one.shape).join(", ")}]` : name, value: numberAt(one, flat), t: one.t, flat });
const plain = (label, value) => ({ label, value });
// Of an array that the page has in part only, numbers are unknown: undefined, and so is what would need them.
const timesOf = factors => (factors.some(f => f.value === undefined) ? undefined : factors.reduce((p, f) => p * f.value, 1));
const sumOf = lines => (lines.some(l => l.value === undefined) ? undefined : lines.reduce((s, l) => s + l.value, 0));
const inPart = (...several) => several.flat().some(one => one && one.part);
const BY_NUMBER = new Set([...Object.keys(PRODUCTS), "max_pool2d", "average_pool2d", "sum", "mean"]); // terms that need no whole array

function listed(lines) { // lines of factors -> what is shown, with the sum of all
  const all = lines.map(factors => ({ factors, value: timesOf(factors) }));
  return { lines: all.slice(0, MOST_LINES), count: all.length, sum: sumOf(all), rest: sumOf(all.slice(MOST_LINES)) };
}

// Of output `flat` of a call: {lines, sum, then: [[label, value]], result}.
function forwardTerms(call, flat) {
  const a = operands(call), y = tensor(PAGE.values[call.out].t), result = numberAt(y, flat), name = call.op;
  if (!BY_NUMBER.has(name) && !(OPS[name] && OPS[name].local) && inPart(...Object.values(a))) return null;
  if (PRODUCTS[name]) {
    const p = PRODUCTS[name](a);
    if (!p) return null;
    const lines = [], then = [];
    p.y(flat, (i, j) => lines.push([at(p.a, a[p.a], i), at(p.b, a[p.b], j)]));
    if (CUT_OFF[name]) {
      lines.push([at("bias", a.bias, flat % product(a.bias.shape))]);
      if (CUT_OFF[name](a)) then.push(["max(Σ, 0)", result]);
    }
    return { ...listed(lines), then, result };
  }
  if (name === "max_pool2d" || name === "average_pool2d") {
    const p = poolOf(a), cells = p.cells(flat), mean = name[0] === "a", lines = cells.map(i => [at("x", a.x, i), ...(mean ? [plain("1/n", 1 / cells.length)] : [])]);
    const win = mean ? -1 : cells.findIndex(i => numberAt(a.x, i) === result);
    return { ...listed(lines), then: [], result, sign: mean ? "Σ" : "max", winner: win };
  }
  if (name === "softmax_last") {
    const n = a.x.shape[a.x.shape.length - 1], start = flat - (flat % n), lines = [];
    for (let i = start; i < start + n; i++) lines.push([{ ...at("x", a.x, i), label: `exp(${at("x", a.x, i).label})`, value: Math.exp(numberAt(a.x, i)) }]);
    const all = listed(lines);
    return { ...all, then: [[`exp(x[${unflat(flat, a.x.shape)}]) / Σ`, Math.exp(numberAt(a.x, flat)) / all.sum]], result };
  }
  if (name === "probability_cross_entropy") {
    const n = a.output.shape[1], label = a.labels.data[flat], lines = [];
    for (let i = 0; i < n; i++) lines.push([at("output", a.output, flat * n + i)]);
    const all = listed(lines), p = numberAt(a.output, flat * n + label) / all.sum;
    return { ...all, then: [[`p = output[${flat}, ${label}] / Σ`, p], ["−log p", -Math.log(Math.min(Math.max(p, a.epsilon), 1 - a.epsilon))]], result };
  }
  if (name === "softmax_cross_entropy") {
    const n = a.logits.shape[1], label = a.labels.data[flat], lines = [];
    for (let i = 0; i < n; i++) { const one = at("logits", a.logits, flat * n + i); lines.push([{ ...one, label: `exp(${one.label})`, value: Math.exp(one.value) }]); }
    const all = listed(lines), right = numberAt(a.logits, flat * n + label);
    return { ...all, then: [[`log Σ − logits[${flat}, ${label}]`, Math.log(all.sum) - right]], result };
  }
  if (name === "concatenate") {
    const piece = piecesOf(a).pieces.find(p => unflat(flat, y.shape)[p.axis] < p.begin + p.x.shape[p.axis]);
    return { ...listed([[at(piece.label, piece.x, piece.from(flat))]]), then: [], result, sign: "=" };
  }
  if (name === "sum" || name === "mean") return { ...listed(reducedFrom(call, a, flat).map(i => [at("x", a.x, i), ...(name === "mean" ? [plain("1/n", 1 / OPS.mean.count(a))] : [])])), then: [], result };
  if (name === "batch_norm") return normTerms(a, flat, result);
  const op = OPS[name];
  if (op && op.source) return { ...listed([[at("x", a.x, op.source(a, y.shape)(flat))]]), then: [], result, sign: "=" };
  if (op && op.inputs) {
    const used = op.inputs.filter(key => a[key] && a[key].shape), lines = used.map(key => [at(key, a[key], narrowed(flat, y.shape, a[key].shape))]);
    return { ...listed(lines), then: [[both(PAGE.ops[name].formula) || name, result]], result, sign: "" };
  }
  return null;
}

function reducedFrom(call, a, flat) { // the places of x that are reduced into `flat`
  const kept = keptShape(a.x.shape, a.axis), found = [];
  for (let i = 0; i < a.x.size; i++) if (narrowed(i, a.x.shape, kept) === flat) found.push(i);
  return found;
}

function normTerms(a, flat, result) {
  const n = a.gamma.shape[0], c = flat % n, size = a.x.size, rows = size / n, lines = [];
  for (let i = c; i < size; i += n) lines.push([at("x", a.x, i), plain("1/m", 1 / rows)]);
  const all = listed(lines), mean = all.sum;
  let variance = 0;
  for (let i = c; i < size; i += n) variance += (numberAt(a.x, i) - mean) ** 2 / rows;
  const normal = (numberAt(a.x, flat) - mean) / Math.sqrt(variance + a.epsilon), gamma = numberAt(a.gamma, c), beta = numberAt(a.beta, c);
  return { ...all, then: [["μ = Σ", mean], ["σ²", variance], ["x̂ = (x − μ) / √(σ² + ε)", normal], [`γ[${c}] · x̂ + β[${c}]`, gamma * normal + beta]], result };
}

// Of gradient `flat` that pass `pass` of a call hands to `input`; `number` is that part's tensor.
function backwardTerms(call, pass, input, number, flat) {
  const a = operands(call), y = { ...tensor(PAGE.values[call.out].t), t: PAGE.values[call.out].t }, result = numberAt(tensor(number), flat), name = call.op;
  const g = { ...tensor(pass.after === null ? pass.g : pass.after), t: pass.after === null ? pass.g : pass.after }, op = OPS[name], lines = [];
  const own = pass.parts.find(p => p[2] === number), value = own && own[1];
  let copy = pass.parts.filter(p => p[1] === value).indexOf(own); // the same value may go in twice
  const wrap = more => ({ ...listed(lines), then: [], result, ...more });
  if (!BY_NUMBER.has(name) && inPart(...Object.values(a), y, g)) return null;
  if (PRODUCTS[name] && input !== "bias") {
    const p = PRODUCTS[name](a);
    if (!p) return null;
    const other = input === p.a ? p.b : p.a;
    (input === p.a ? p.da : p.db)(flat, (o, i) => lines.push([at("g", g, o), at(other, a[other], i)]));
    return wrap();
  }
  if (input === "bias" || ((input === "shift" || input === "beta") && a[input].shape.length === 1)) {
    const n = product(a[input].shape);
    for (let i = flat; i < g.size; i += n) lines.push([at("g", g, i)]);
    return wrap();
  }
  if (name === "bias_relu") return lines.push([at("g", g, flat)]), wrap({ sign: "=" });
  if (name === "max_pool2d") {
    const p = poolOf(a), seen = p.seenBy(flat);
    for (const o of seen) lines.push([at("g", g, o), plain(a.x.part ? "?" : `[${say("winner")}]`, a.x.part ? undefined : +(p.winner(o, a.x.data) === flat))]);
    return wrap();
  }
  if (name === "average_pool2d") {
    const p = poolOf(a);
    for (const o of p.seenBy(flat)) lines.push([at("g", g, o), plain("1/n", 1 / p.cells(o).length)]);
    return wrap();
  }
  if (name === "softmax_last") {
    const n = y.shape[y.shape.length - 1], start = flat - (flat % n);
    for (let j = start; j < start + n; j++) lines.push([at("g", g, j), plain(`J[${j - start}, ${flat - start}]`, numberAt(y, j) * (+(j === flat) - numberAt(y, flat)))]);
    return wrap();
  }
  if (name === "log_softmax_last") {
    const n = y.shape[y.shape.length - 1], start = flat - (flat % n);
    lines.push([at("g", g, flat)]);
    for (let j = start; j < start + n; j++) lines.push([at("g", g, j), plain(`−exp(${at("y", y, flat).label})`, -Math.exp(numberAt(y, flat)))]);
    return wrap();
  }
  if (name === "softmax_cross_entropy") {
    const n = a.logits.shape[1], r = Math.floor(flat / n), p = softmaxOf(a.logits).data[flat];
    lines.push([at("g", g, r), plain("softmax", p)]);
    if (flat % n === a.labels.data[r]) lines.push([at("g", g, r), plain("−1", -1)]);
    return wrap();
  }
  if (name === "concatenate") {
    const piece = piecesOf(a).pieces.find((p, i) => call.in[0][1].vs[i].v === value && (copy-- === 0));
    return lines.push([at("g", g, piece.to(flat))]), wrap({ sign: "=" });
  }
  if (name === "probability_cross_entropy") {
    const n = a.output.shape[1], r = Math.floor(flat / n), label = a.labels.data[r];
    let total = 0;
    for (let i = 0; i < n; i++) total += numberAt(a.output, r * n + i);
    lines.push([at("g", g, r), plain("1/Σ output", 1 / total)]);
    if (flat % n === label) lines.push([at("g", g, r), plain(`−1/output[${r}, ${label}]`, -1 / numberAt(a.output, flat))]);
    return wrap();
  }
  if (name === "batch_norm" && input === "x") {
    const n = a.gamma.shape[0], c = flat % n, b = batchGradients(g, a), k = a.gamma.data[c] * b.scale[c];
    lines.push([plain("γ/√(σ²+ε)", k), at("g", g, flat)], [plain("−γ/√(σ²+ε)", -k), plain(say("meanOf")("g"), b.beta.data[c] / b.rows)], [plain("−γ/√(σ²+ε)", -k), plain("x̂", b.normal[flat]), plain(say("meanOf")("g·x̂"), b.gamma.data[c] / b.rows)]);
    return wrap();
  }
  if (name === "batch_norm" && input === "gamma") {
    const n = a.gamma.shape[0], b = batchOf(a);
    for (let i = flat; i < g.size; i += n) lines.push([at("g", g, i), plain(`x̂[${unflat(i, g.shape).join(", ")}]`, b.normal[i])]);
    return wrap();
  }
  if (op && op.local && a[input] !== undefined) {
    const d = op.local(input, a, y), shape = a[input].shape;
    for (let o = 0; o < g.size && lines.length < MOST_LINES * 10; o++) {
      if (narrowed(o, y.shape, shape) === flat) lines.push([at("g", g, o), plain(`∂y/∂${input}`, d.data[narrowed(o, y.shape, d.shape)])]);
    }
    return wrap();
  }
  if (name === "sum" || name === "mean") return lines.push([at("g", g, narrowed(flat, a.x.shape, keptShape(a.x.shape, a.axis))), ...(name === "mean" ? [plain("1/n", 1 / OPS.mean.count(a))] : [])]), wrap();
  if (op && op.source) {
    const from = op.source(a, y.shape);
    for (let o = 0; o < g.size; o++) if (from(o) === flat) lines.push([at("g", g, o)]);
    return wrap({ sign: "=" });
  }
  const jacobian = call.jacobians && call.jacobians[input];
  if (jacobian !== undefined && jacobian !== null) {
    const J = original[jacobian], up = { ...tensor(pass.g), t: pass.g };
    for (let o = 0; o < up.size; o++) lines.push([at("g", up, o), plain(`J[${o}, ${flat}]`, numberAt(J, o * J.shape[1] + flat))]);
    return wrap();
  }
  return null;
}
