// The steps of the page, and the list of layers beside them.
"use strict";
const expanded = new Set(); // blocks whose ops are steps of their own
const PHASES = ["forward", "backward", "update"];
let steps = [], position = 0;

const blockIndex = call => PAGE.blocks.findIndex(b => b.calls.includes(call));
const titleOf = block => ({ penalty: say("penalty"), total: say("total"), loss: say("lossBlock") })[block.kind] || block.name;
const blockOf = call => { const i = blockIndex(call); return i < 0 ? "" : titleOf(PAGE.blocks[i]); };
const kindOf = block => ({ loss: block.name, penalty: block.name, total: "", own: say("own"), function: say("function") })[block.kind] ?? block.kind;
const begins = () => { for (let i = PAGE.calls.length - 1; i >= 0; i--) if (PAGE.calls[i].passes.length) return PAGE.calls[i].out; return null; };

function makeSteps() {
  steps = [];
  PAGE.blocks.forEach((block, i) => {
    if (expanded.has(i)) for (const call of block.calls) steps.push({ phase: "forward", block: i, calls: [call] });
    else steps.push({ phase: "forward", block: i, calls: block.calls });
  });
  for (let i = PAGE.blocks.length - 1; i >= 0; i--) {
    const calls = PAGE.blocks[i].calls.filter(c => PAGE.calls[c].passes.length).reverse();
    if (expanded.has(i)) for (const call of calls) steps.push({ phase: "backward", block: i, calls: [call] });
    else if (calls.length) steps.push({ phase: "backward", block: i, calls });
  }
  PAGE.updates.forEach((update, i) => steps.push({ phase: "update", update: i, block: null, calls: [] }));
}

// Expand or collapse a block and stay where we were.
function toggle(block) {
  const here = steps[position];
  if (!PAGE.blocks[block] || PAGE.blocks[block].calls.length < 2) return;
  expanded.has(block) ? expanded.delete(block) : expanded.add(block);
  makeSteps();
  const found = steps.findIndex(s => s.phase === here.phase && s.block === here.block && s.update === here.update && (!here.calls.length || s.calls.includes(here.calls[0])));
  go(Math.max(0, found));
}

function go(to) {
  position = Math.max(0, Math.min(steps.length - 1, to));
  render();
}

// The value that stands for a block in the list: what it gives, or on the way back the gradient that reaches it.
function thumbOf(block, phase) {
  const calls = block.calls.filter(c => phase !== "backward" || PAGE.calls[c].passes.length);
  if (!calls.length) return null;
  const call = PAGE.calls[calls[calls.length - 1]];
  return phase === "backward" ? call.passes[0].g : PAGE.values[call.out].t;
}

function thumbnail(number) {
  const one = tensor(number), canvas = node("canvas", { class: "thumb", "aria-hidden": "true" });
  const plane = planeOf(one, false);
  let rows = plane.rows === null ? 1 : one.shape[plane.rows], columns = plane.columns === null ? 1 : one.shape[plane.columns];
  if (one.part) paintCoarse(canvas, one);
  if (one.part || !one.size) return canvas;
  let wide = columns;
  if (rows === 1 && columns > 16) { wide = Math.ceil(Math.sqrt(columns * 1.5)); rows = Math.ceil(columns / wide); }
  paint(canvas, wide, rows, i => {
    const index = new Array(one.shape.length).fill(0);
    if (wide !== columns) { if (i >= columns) return undefined; index[plane.columns] = i; } else {
      if (plane.rows !== null) index[plane.rows] = Math.floor(i / wide);
      if (plane.columns !== null) index[plane.columns] = i % wide;
    }
    return numberAt(one, flatOf(index, one.shape));
  }, largest(one));
  canvas.style.aspectRatio = `${Math.min(wide, 3 * rows)} / ${rows}`;
  return canvas;
}

// What a block is computed from, where that needs to be said: it joins branches, or begins another.
function sourcesOf(block, i) {
  const found = new Set(), above = PAGE.blocks.findLastIndex((other, j) => j < i && other.calls.length);
  for (const [, given] of block.calls.flatMap(call => PAGE.calls[call].in)) for (const { v } of given.vs || [given]) {
    const { maker, kind, name } = PAGE.values[v] || {};
    if (maker === null && kind === "input") found.add(name);
    else if (maker >= 0 && maker !== null && !block.calls.includes(maker)) found.add(blockOf(maker));
  }
  return above < 0 || block.kind === "total" || found.size === 1 && found.has(titleOf(PAGE.blocks[above])) ? "" : [...found].join(", ");
}

function graph() {
  const here = steps[position], list = node("ol", { class: "graph" });
  PAGE.blocks.forEach((block, i) => {
    const on = here.block === i, reached = here.phase === "update" || (here.phase === "backward" ? here.block === null || i >= here.block : i <= here.block);
    const phase = here.phase === "backward" && reached ? "backward" : "forward", thumb = thumbOf(block, phase), many = block.calls.length > 1;
    const shape = thumb === null ? "" : tensor(thumb).shape.join(" × "), from = sourcesOf(block, i);
    const head = node("button", { class: "block", type: "button", "aria-current": on ? "step" : null, onclick: () => go(Math.max(0, steps.findIndex(s => s.phase === here.phase && s.block === i) >= 0 ? steps.findIndex(s => s.phase === here.phase && s.block === i) : steps.findIndex(s => s.block === i))) },
      thumb === null ? node("span", { class: "thumb none" }) : thumbnail(thumb),
      node("span", { class: "names", title: titleOf(block) }, node("b", {}, titleOf(block)), node("span", {}, [kindOf(block), shape].filter(Boolean).join(" · "), block.frozen ? " ❄" : ""), from ? node("span", { class: "from" }, `← ${from}`) : null));
    const item = node("li", { class: [on && "on", reached && "reached", here.phase === "backward" && reached && "back"].filter(Boolean).join(" ") }, head);
    if (many) item.append(node("button", { class: "fold", type: "button", "aria-expanded": expanded.has(i) ? "true" : "false", title: say(expanded.has(i) ? "collapse" : "expand"), onclick: () => { if (!on) go(steps.findIndex(s => s.block === i)); toggle(i); } }, expanded.has(i) ? "−" : "+"));
    if (expanded.has(i)) item.append(node("ol", {}, block.calls.map(call => {
      const target = steps.findIndex(s => s.phase === here.phase && s.calls.length === 1 && s.calls[0] === call && s.block === i), current = on && here.calls[0] === call;
      return node("li", {}, node("button", { type: "button", class: "call", "aria-current": current ? "step" : null, onclick: () => { if (target >= 0) go(target); } }, PAGE.calls[call].op));
    })));
    list.append(item);
  });
  return list;
}
