// After an edit: forward, backward and update once more, in float64, by this page's own arithmetic.
"use strict";
const edits = new Map(); // value number -> Map(place -> number)
const float64 = one => ({ shape: one.shape, data: Float64Array.from(one.data) });

// The arguments of a call by name, from `values` (arrays by value number); null where one is missing.
function argumentsOf(call, values) {
  const a = {};
  for (const [name, given] of call.in) {
    if ("c" in given) a[name] = given.c;
    else if ("v" in given) { if (!(a[name] = values[given.v])) return null; }
    else if ((a[name] = given.vs.map(one => values[one.v])).some(one => !one)) return null;
  }
  if (call.mask !== undefined) a.mask = float64(original[call.mask]);
  return a;
}

function put(number, array, missing) {
  if (number === null || number === undefined) return;
  if (missing) { outdated.add(number); changed.delete(number); } else changed.set(number, array.data);
}

function recompute() {
  changed.clear();
  outdated.clear();
  if (!edits.size) return;
  const values = PAGE.values.map((value, number) => {
    if (value.maker !== null) return null;
    const one = float64(original[value.t]);
    for (const [place, to] of edits.get(number) || []) one.data[place] = to;
    if (edits.has(number)) put(value.t, one);
    return one;
  });
  forward(values);
  const gradients = backward(values);
  updateAll(values, gradients);
}

function forward(values) {
  for (const call of PAGE.calls) {
    const op = OPS[call.op], a = op && argumentsOf(call, values), result = a && op.forward(a, original[PAGE.values[call.out].t].shape);
    const y = result && (result.y || result);
    values[call.out] = y || null;
    put(PAGE.values[call.out].t, y, !y);
    for (const [name, number] of Object.entries(call.others)) {
      const other = result && result.others && result.others[name];
      values[number] = other || null;
      put(PAGE.values[number].t, other, !other);
    }
  }
}

function backward(values) {
  const arrived = new Map(), broken = new Set(); // gradients by value number; those that cannot be known
  const add = (number, part) => arrived.set(number, arrived.has(number) ? plus(arrived.get(number), part) : part);
  for (let i = PAGE.calls.length - 1; i >= 0; i--) {
    const call = PAGE.calls[i], pass = call.passes[0], op = OPS[call.op];
    if (!pass) continue;
    const a = op && argumentsOf(call, values), y = values[call.out];
    const came = broken.has(call.out) ? null : arrived.get(call.out) || float64(original[pass.g]); // else: where the walk began
    put(pass.g, came, !came);
    const g = call.passes.length === 1 && a && y ? came : null;
    const after = g && op.first ? op.first(g, a, y) : g;
    if (pass.after !== null) put(pass.after, after, !after);
    for (const jacobian of Object.values(call.jacobians || {})) put(jacobian, null, true);
    const given = Object.fromEntries(call.in.map(([name, one]) => [name, one.vs && one.vs.map(v => v.v)]));
    for (const [name, number, part] of pass.parts) {
      const rule = g && op.back[name], result = rule ? rule(after, a, y) : null;
      const one = Array.isArray(result) ? result[given[name].indexOf(number)] : result;
      if (Array.isArray(result)) given[name][given[name].indexOf(number)] = null; // the same value may be there twice
      const found = one ? summedTo(one, original[part].shape) : null;
      put(part, found, !found);
      if (found) add(number, found); else broken.add(number);
    }
  }
  PAGE.values.forEach((value, number) => {
    if (value.g === undefined || value.maker !== null) return;
    put(value.g, arrived.get(number), broken.has(number) || !arrived.has(number));
  });
  return number => (broken.has(number) ? null : arrived.get(number));
}

// Change one number of an input or a weight; everything that depends on it follows.
function edit(number, place, to) {
  const value = PAGE.values[number];
  if (!PAGE.live || !value || value.maker !== null || value.kind === "constant" || original[value.t].part) throw new Error("this number cannot be edited");
  if (!Number.isFinite(to)) throw new Error("a finite number is expected");
  if (!edits.has(number)) edits.set(number, new Map());
  edits.get(number).set(place, to);
  recompute();
}

function reset() { edits.clear(); recompute(); }
