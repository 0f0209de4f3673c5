// What is shown of one step: an op forward, an op backward, an update. Each section holds views that mark each other.
"use strict";
const nameOf = value => (value.name ? value.name : value.kind);
const editable = number => { const v = PAGE.values[number]; return PAGE.live && v.maker === null && (v.kind === "input" || v.kind === "weight" || v.kind === "target" && original[v.t].dtype[0] === "f") ? number : undefined; };
let kept = { tensor: null, flat: 0 }; // the number that is traced; stays picked when the section is drawn again

class Section {
  constructor(title, formula) {
    this.views = []; // a tensor may be shown twice
    this.root = node("section", { class: "op" }, node("h3", {}, node("span", { class: "opname" }, title), formula ? node("span", { class: "formula" }, formula) : null));
    this.trace = node("div", { class: "trace" });
  }
  add(...nodes) { this.root.append(...nodes.flat().filter(Boolean)); return this; }
  view(number, label, options = {}) {
    const view = new TensorView(number, { ...options, label, pick: (flat, which) => this.picked(flat, which, options.terms), turned: which => this.turned(which) });
    this.views.push(view);
    if (options.terms) this.traced = this.traced || view;
    return view.root;
  }
  picked(flat, view, terms) {
    const others = this.views.filter(other => other !== view);
    for (const other of others) other.picked = null;
    if (!terms) { this.trace.replaceChildren(); for (const other of others) other.setMarks(new Map()); return; }
    kept = { tensor: view.number, flat };
    const found = terms(flat), marks = new Map();
    if (found) for (const { factors } of found.lines) for (const f of factors) if (f.t !== undefined && f.t !== view.number) { if (!marks.has(f.t)) marks.set(f.t, new Map()); marks.get(f.t).set(f.flat, "seen"); }
    for (const [tensor, several] of marks) if (several.size >= MOST_LINES) marks.delete(tensor); // as good as all of it
    if (found && found.winner >= 0) { const f = found.lines[found.winner].factors[0]; if (marks.has(f.t)) marks.get(f.t).set(f.flat, "won"); }
    for (const other of others) other.setMarks(marks.get(other.number) || new Map());
    this.trace.replaceChildren(...(found ? traceOf(found, view, flat) : []));
  }
  turned(view) { // views of one shape show the same slice
    for (const other of this.views) if (other !== view && other.key() === view.key()) other.setMarks(other.marks);
  }
  finished() { // with the largest number picked, so that its terms are there at once
    this.add(this.trace);
    const view = this.traced;
    if (view && !view.one.part) {
      let best = kept.tensor === view.number && kept.flat < view.one.size ? kept.flat : 0;
      if (kept.tensor !== view.number) for (let i = 0; i < view.one.data.length; i++) if (Math.abs(view.one.data[i]) > Math.abs(view.one.data[best])) best = i;
      const before = kept;
      view.pickAt(best);
      kept = before.tensor === view.number ? before : kept;
    }
    return this.root;
  }
}

function traceOf(found, view, flat) {
  const rows = found.lines.map((line, i) => node("tr", { class: i === found.winner ? "won" : "" },
    node("td", { class: "label" }, line.factors.map(f => f.label).join(" · ")),
    node("td", {}, line.factors.map(f => short(f.value)).join(" × ")),
    node("td", { class: "value", title: full(line.value) }, short(line.value))));
  const foot = [], sign = found.sign === undefined ? "Σ" : found.sign;
  if (found.count > found.lines.length) foot.push([`${found.count - found.lines.length} ${say("more")}`, found.rest]);
  if (sign === "Σ") foot.push([`Σ (${found.count})`, found.sum]);
  foot.push(...found.then, [say(changed.has(view.number) ? "computed" : "shown"), found.result]);
  const index = view.one.shape.length ? `[${unflat(flat, view.one.shape).join(", ")}]` : "";
  return [node("h4", {}, `${say("trace")}: ${view.options.label} ${index}`),
    node("div", { class: "scroll lines" }, node("table", { class: "terms" }, node("tbody", {}, rows))),
    node("table", { class: "terms totals" }, node("tbody", {}, foot.map(([label, value]) => node("tr", {}, node("td", { class: "label" }, label), node("td", { class: "value", title: full(value), "data-v": value }, short(value))))))];
}

function code(source, summary) {
  if (!source || !source.text) return null;
  return node("details", { class: "code" }, node("summary", {}, summary, " ", node("span", { class: "where" }, source.where)), node("pre", {}, source.text),
    Object.entries(source.calls || {}).map(([name, text]) => node("p", { class: "note" }, node("code", {}, name), ` — ${text}`)));
}

function kernelsOf(list) {
  if (!list.length) return null;
  const one = k => [node("b", {}, k.name), ` ${say("ran")}: ${k.ran}`, ...Object.entries(k.refused).map(([name, why]) => node("span", { class: "refused" }, `; ${name} ${say("refused")}: ${why}`))];
  return node("p", { class: "kernels" }, `${say("kernels")}: `, list.flatMap((k, i) => [i ? " · " : "", ...one(k)]));
}

const settingsOf = call => call.in.filter(([, given]) => "c" in given && given.c !== null).map(([name, given]) => `${name} = ${JSON.stringify(given.c)}`).join(", ");

function inputViews(section, call) {
  return call.in.flatMap(([name, given]) => ("v" in given ? [[name, given.v]] : "vs" in given ? given.vs.filter(g => "v" in g).map((g, i) => [`${name}[${i}]`, g.v]) : [])).map(([name, number]) => {
    const value = PAGE.values[number];
    return section.view(value.t, value.name && value.name !== name ? `${name} — ${nameOf(value)}` : name, { kernel: value.kind === "weight", value: editable(number) });
  });
}

function forwardSection(index) {
  const call = PAGE.calls[index], about = PAGE.ops[call.op], section = new Section(call.op, both(about.formula));
  section.add(node("p", { class: "what" }, both(about)), settingsOf(call) ? node("p", { class: "settings" }, `${say("settings")}: ${settingsOf(call)}`) : null);
  if (!OPS[call.op] && PAGE.live) section.add(node("p", { class: "note" }, say("readOnly")));
  const ins = inputViews(section, call);
  if (call.mask !== undefined) ins.push(section.view(call.mask, say("mask")));
  const out = [section.view(PAGE.values[call.out].t, "y", { terms: flat => forwardTerms(call, flat) })];
  for (const [name, number] of Object.entries(call.others)) out.push(section.view(PAGE.values[number].t, name));
  section.add(node("div", { class: "flow" }, node("div", { class: "side" }, ins), node("div", { class: "arrow", "aria-hidden": "true" }, "→"), node("div", { class: "side" }, out)));
  const root = section.finished();
  root.append(...[kernelsOf(call.kernels), code(about.forward, say("forwardSource"))].filter(Boolean));
  return root;
}

function softmaxJacobian(section, call) {
  const y = tensor(PAGE.values[call.out].t), n = y.shape[y.shape.length - 1];
  if (call.op !== "softmax_last" || n > 12 || y.part) return null;
  const rows = y.size / n, holder = node("div", {}), draw = r => {
    const J = made([n, n]);
    for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) J.data[i * n + j] = y.data[r * n + i] * ((i === j) - y.data[r * n + j]);
    holder.replaceChildren(section.view({ ...J, size: n * n }, `${say("jacobian")} ${r}`));
  };
  draw(0);
  const choose = node("input", { type: "range", min: 0, max: rows - 1, value: 0, "aria-label": say("jacobian"), oninput: event => draw(+event.target.value) });
  return node("div", { class: "extra" }, rows > 1 ? node("label", { class: "slices" }, say("row"), choose) : null, holder);
}

function backwardSection(index) {
  const call = PAGE.calls[index], about = PAGE.ops[call.op], section = new Section(call.op, ""), pass = call.passes[0];
  if (!pass) return section.add(node("p", { class: "note" }, say("noGradient"))).root;
  const a = argumentsShown(call), up = [section.view(pass.g, say("upstream"))], y = tensor(PAGE.values[call.out].t);
  if (call.out === begins()) up.push(node("p", { class: "note" }, say("begins")));
  if (pass.after !== null && pass.after !== pass.g) up.push(section.view(pass.after, say("fused")));
  if (call.mask !== undefined) up.push(section.view(call.mask, say("mask")));
  up.push(softmaxJacobian(section, call));
  const names = new Set(pass.parts.map(p => p[0]));
  for (const [name, given] of call.in) if ("v" in given && PRODUCTS[call.op] && name !== "bias") up.push(section.view(PAGE.values[given.v].t, name, { kernel: PAGE.values[given.v].kind === "weight" }));
  const parts = pass.parts.map(([name, number, part]) => {
    const value = PAGE.values[number], op = OPS[call.op], blocks = [node("h4", { class: "formula" }, about.rules[name] ? both(about.rules[name]) : `∂L/∂${name}`)];
    if (op && op.local && a && a[name] && !a[name].part && !y.part && call.op !== "bias_relu") {
      const d = op.local(name, a, y);
      blocks.push(section.view({ ...d, size: d.data.length }, `${say("local")} ∂y/∂${name}`));
    }
    const jacobian = call.jacobians && call.jacobians[name];
    if (jacobian !== undefined && jacobian !== null) blocks.push(section.view(jacobian, `${say("local")} ∂y/∂${name}`));
    blocks.push(section.view(part, `${say("product")} → ${value.maker !== null && blockIndex(value.maker) === blockIndex(index) ? PAGE.calls[value.maker].op : nameOf(value)}`, { kernel: value.kind === "weight", terms: flat => backwardTerms(call, pass, name, part, flat) }));
    const sums = value.parts || [];
    if (sums.length > 1) blocks.push(addedUp(section, value, part));
    return node("div", { class: "part" }, blocks);
  });
  const frozen = call.in.filter(([name, given]) => "v" in given && PAGE.values[given.v].frozen && !names.has(name)).map(([, given]) => node("p", { class: "note" }, `${nameOf(PAGE.values[given.v])} — ${say("frozen")}`));
  section.add(node("div", { class: "flow" }, node("div", { class: "side" }, up), node("div", { class: "arrow", "aria-hidden": "true" }, "→"), node("div", { class: "side" }, parts, frozen)));
  const root = section.finished();
  const sources = about.sources.filter(s => !s.inputs.length || s.inputs.some(i => names.has(i))), open = node("div", { class: "rules" }, sources.map(s => code(s, say("rule"))).filter(Boolean));
  open.querySelectorAll("details").forEach(d => { d.open = true; });
  root.append(...[open, kernelsOf(pass.kernels)].filter(Boolean));
  return root;
}

// Where several ops hand a gradient to one value: the parts, their shares, and the total.
function addedUp(section, value, own) {
  const norm = number => { const one = tensor(number); return one.part ? NaN : Math.sqrt(one.data.reduce((s, v) => s + v * v, 0)); };
  const whole = value.parts.reduce((s, [, , t]) => s + norm(t), 0);
  const rows = value.parts.map(([call, name, t]) => node("tr", { class: t === own ? "own" : "" }, node("td", { class: "label" }, `${blockOf(call)} · ${PAGE.calls[call].op}.${name}`), node("td", { class: "value" }, `‖·‖ = ${short(norm(t))}`), node("td", { class: "value" }, whole ? `${((100 * norm(t)) / whole).toFixed(1)} %` : "")));
  return node("div", { class: "added" }, node("h4", {}, `${say("added")}: ∂L/∂${nameOf(value)}`), node("table", { class: "terms" }, node("tbody", {}, rows)), section.view(value.g, `∂L/∂${nameOf(value)} = Σ`, { kernel: value.kind === "weight" }));
}

function argumentsShown(call) {
  const a = operands(call);
  return Object.values(a).some(v => v && v.part) ? null : a;
}

function updateSection(index) {
  const update = PAGE.updates[index], section = new Section(update.optimizer, updateFormula(update)), value = update.value === null ? null : PAGE.values[update.value];
  const kernel = { kernel: true };
  const notes = [update.config.clipnorm || update.config.clipvalue || update.config.global_clipnorm ? "clipped" : null, update.decays ? "decays" : null, update.constraint ? "constraint" : null].filter(Boolean);
  section.add(node("p", { class: "settings" }, `${say("step")} t = ${update.step}, ${say("learningRate")} = ${+update.rate.toPrecision(7)}` + ["momentum", "nesterov", "rho", "beta_1", "beta_2", "epsilon", "weight_decay", "clipnorm", "clipvalue", "global_clipnorm"].filter(k => update.config[k]).map(k => `, ${k} = ${update.config[k]}`).join("")), notes.map(k => node("p", { class: "note" }, say(k))));
  if (update.g === null) section.add(node("p", { class: "note" }, say("noGradient")));
  const left = [section.view(update.before, `w ${say("before")}`, { ...kernel, value: update.value === null ? undefined : editable(update.value) }), update.g === null ? null : section.view(update.g, `g = ∂L/∂w`, kernel), ...update.slots.map(([name, b]) => section.view(b, `${name} ${say("before")}`, kernel))];
  const right = [section.view(update.after, `w ${say("after")}`, { ...kernel, terms: flat => updateTerms(update, flat) }), ...update.slots.map(([name, , t]) => section.view(t, `${name} ${say("after")}`, kernel))];
  if (value && value.parts && value.parts.length > 1) left.push(addedUp(section, value, null));
  section.add(node("div", { class: "flow" }, node("div", { class: "side" }, left), node("div", { class: "arrow", "aria-hidden": "true" }, "→"), node("div", { class: "side" }, right)));
  return section.finished();
}

const FORMULAS = {
  SGD: u => (!u.config.momentum ? "w ← w − η·g" : u.config.nesterov ? "m ← μ·m − η·g,  w ← w + μ·m − η·g" : "m ← μ·m − η·g,  w ← w + m"),
  Adam: () => "m ← m + (g − m)(1 − β₁),  v ← v + (g² − v)(1 − β₂),  w ← w − α·m / (√v + ε),  α = η·√(1 − β₂ᵗ) / (1 − β₁ᵗ)",
};
FORMULAS.RMSprop = u => (u.config.momentum || u.config.centered ? "" : "v ← ρ·v + (1 − ρ)·g²,  w ← w − η·g / √(v + ε)");
FORMULAS.AdamW = FORMULAS.Adam;
const updateFormula = update => (FORMULAS[update.optimizer] ? FORMULAS[update.optimizer](update) : "");

function updateTerms(update, flat) {
  const read = number => (number === null ? undefined : numberAt(tensor(number), flat)), w = read(update.before), result = read(update.after), g = read(update.g), then = [];
  const lines = [[{ label: "w", value: w, t: update.before, flat }]];
  const shownAs = found => ({ lines: lines.map(factors => ({ factors, value: factors[0].value })), count: lines.length, sum: undefined, rest: 0, then: found, result, sign: "" });
  if (update.g !== null) lines.push([{ label: "g", value: g, t: update.g, flat }]);
  update.slots.forEach(([name, b, t]) => { lines.push([{ label: `${name} ${say("before")}`, value: read(b), t: b, flat }]); then.push([`${name} ${say("after")}`, read(t)]); });
  const c = update.config;
  if (lines.concat(then.map(one => [{ value: one[1] }])).some(line => line[0].value === undefined)) return shownAs([]);
  if (updateKnown(update) && c.beta_1) {
    const a = (update.rate * Math.sqrt(1 - c.beta_2 ** update.step)) / (1 - c.beta_1 ** update.step), [m, v] = update.slots.map(s => read(s[2]));
    then.push(["α", a], ["√v + ε", Math.sqrt(v) + c.epsilon], ["α·m / (√v + ε)", (a * m) / (Math.sqrt(v) + c.epsilon)]);
  } else if (update.g !== null && update.optimizer === "SGD") then.push(["η·g", update.rate * g]);
  return shownAs([...then, [say("change"), result - w]]);
}
