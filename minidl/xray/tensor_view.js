// A tensor on the page: numbers where they fit, else a heat map with the numbers around the picked cell.
"use strict";
const NUMBERS_WIDE = 10, NUMBERS_HIGH = 14, ZOOM = 7;
const slices = new Map(); // tensor number -> the slice that is shown of its other axes; kept between steps

function node(tag, attributes = {}, ...children) {
  const one = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) one.addEventListener(key.slice(2), value);
    else if (key === "class") one.className = value;
    else if (value !== undefined && value !== null && value !== false) one.setAttribute(key, value === true ? "" : value);
  }
  one.append(...children.flat().filter(c => c !== null && c !== undefined && c !== false));
  return one;
}

const minus = text => text.replace(/-/g, "−");
function short(value) {
  if (value === undefined) return "·";
  if (Number.isInteger(value) && Math.abs(value) < 1e6) return minus(String(value));
  const size = Math.abs(value), digits = 3;
  const text = !Number.isFinite(value) ? String(value) : size >= 1e5 || size < 1e-3 ? value.toExponential(2).replace(/e([+-])(\d)$/, "e$1$2") : value.toPrecision(size < 1 ? digits : digits + 1);
  return minus(text);
}
const full = value => (value === undefined ? "·" : minus(String(value)));

// Which axes are rows and columns of the picture; the others are chosen by number.
function planeOf(one, kernel) {
  const rank = one.shape.length;
  if (rank <= 1) return { rows: null, columns: rank ? 0 : null, others: [] };
  if (rank === 4 && kernel) return { rows: 0, columns: 1, others: [2, 3] };
  const rows = rank >= 4 ? rank - 3 : rank - 2, columns = rows + 1;
  return { rows, columns, others: [...Array(rank).keys()].filter(i => i !== rows && i !== columns) };
}

function largest(one) {
  if (one.part) return one.top;
  let top = 0;
  for (const v of one.data) { const size = Math.abs(v); if (size > top && size < Infinity) top = size; }
  return top;
}

const colourOf = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim().match(/\w\w/g).map(h => parseInt(h, 16));
const shade = (value, top) => (top && Number.isFinite(value) ? Math.sqrt(Math.min(1, Math.abs(value) / top)) : 0);

function paint(canvas, width, height, valueAt, top) {
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d"), image = context.createImageData(width, height);
  const paper = colourOf("--card"), above = colourOf("--plus"), below = colourOf("--minus");
  for (let i = 0; i < width * height; i++) {
    const value = valueAt(i), k = shade(value, top), ink = value < 0 ? below : above;
    for (let c = 0; c < 3; c++) image.data[4 * i + c] = paper[c] + (ink[c] - paper[c]) * k;
    image.data[4 * i + 3] = value === undefined ? 0 : 255;
  }
  context.putImageData(image, 0, 0);
}

// Of an array that is here in part only: the sizes in a coarse grid, without signs.
function paintCoarse(canvas, one) {
  const [high, wide] = one.cells;
  paint(canvas, wide, high, i => one.coarse[i] ** 2, 255 ** 2); // paint takes the root
}

class TensorView {
  // options: label, kernel (a layer's weights), value (number of a value whose numbers may be edited), pick(flat), compact
  constructor(number, options = {}) {
    Object.assign(this, { number, options, picked: null, marks: new Map() });
    this.one = typeof number === "object" ? number : tensor(number);
    this.plane = planeOf(this.one, options.kernel);
    this.slice = slices.get(this.key()) || this.plane.others.map(() => 0);
    this.root = node("figure", { class: "tensor", "data-tensor": typeof number === "number" ? number : undefined });
    this.draw();
  }
  key() { return `${this.one.shape}:${Boolean(this.options.kernel)}`; }
  rows() { return this.plane.rows === null ? 1 : this.one.shape[this.plane.rows]; }
  columns() { return this.plane.columns === null ? 1 : this.one.shape[this.plane.columns]; }
  flat(row, column) {
    const index = new Array(this.one.shape.length).fill(0);
    if (this.plane.rows !== null) index[this.plane.rows] = row;
    if (this.plane.columns !== null) index[this.plane.columns] = column;
    this.plane.others.forEach((axis, i) => { index[axis] = this.slice[i]; });
    return flatOf(index, this.one.shape);
  }
  place(flat) { // [row, column] in the slice shown, or null where it lies in another slice
    const index = unflat(flat, this.one.shape);
    if (this.plane.others.some((axis, i) => index[axis] !== this.slice[i])) return null;
    return [this.plane.rows === null ? 0 : index[this.plane.rows], this.plane.columns === null ? 0 : index[this.plane.columns]];
  }
  show(flat) { // turn to the slice of a place
    const index = unflat(flat, this.one.shape);
    this.slice = this.plane.others.map(axis => index[axis]);
    slices.set(this.key(), this.slice);
  }
  setMarks(marks) {
    this.marks = marks;
    this.slice = slices.get(this.key()) || this.slice;
    if (marks.size && ![...marks.keys()].some(f => this.place(f))) { // turn to the first of them, in this view alone
      const index = unflat([...marks.keys()][0], this.one.shape);
      this.slice = this.plane.others.map(axis => index[axis]);
    }
    this.draw();
  }
  pickAt(flat, quiet) { this.picked = flat; this.show(flat); this.draw(); if (!quiet && this.options.pick) this.options.pick(flat, this); }

  draw() {
    const one = this.one, rows = this.rows(), columns = this.columns(), top = largest(one);
    const stale = typeof this.number === "number" && outdated.has(this.number);
    this.root.classList.toggle("stale", stale);
    this.root.classList.toggle("now", typeof this.number === "number" && changed.has(this.number));
    const heading = node("figcaption", {}, node("b", {}, this.options.label || ""), node("span", { class: "shape" }, one.shape.length ? one.shape.join(" × ") : ""), stale && node("span", { class: "note" }, say("outdated")));
    const body = one.part ? this.inPart() : rows <= NUMBERS_HIGH && columns <= NUMBERS_WIDE ? this.numbers(0, 0, rows, columns, top) : this.map(top);
    this.root.replaceChildren(...[heading, this.sliders(), body, this.readout()].filter(Boolean));
    if (this.picked !== null) requestAnimationFrame(() => this.reveal());
  }
  reveal() { // the picked number, where the table is wider than its place
    const cell = this.root.querySelector("td.picked"), box = cell && cell.closest(".scroll");
    if (box && cell.offsetLeft + cell.offsetWidth > box.scrollLeft + box.clientWidth) box.scrollLeft = cell.offsetLeft + cell.offsetWidth - box.clientWidth;
  }
  sliders() {
    return node("div", { class: "slices" }, this.plane.others.filter(axis => this.one.shape[axis] > 1).map(axis => {
      const i = this.plane.others.indexOf(axis), input = node("input", { type: "range", min: 0, max: this.one.shape[axis] - 1, "aria-label": this.axisName(axis) });
      input.value = this.slice[i];
      const text = node("output", {}, `${this.slice[i]}`);
      input.addEventListener("input", () => { text.textContent = input.value; });
      input.addEventListener("change", () => {
        this.slice = this.slice.map((at, k) => (k === i ? +input.value : at));
        slices.set(this.key(), this.slice);
        this.draw();
        if (this.options.turned) this.options.turned(this);
      });
      return node("label", {}, node("span", {}, this.axisName(axis)), input, text);
    }));
  }
  axisName(axis) {
    const rank = this.one.shape.length;
    if (rank === 4 && this.options.kernel) return say(axis === 2 ? "channelIn" : "channelOut");
    return axis === 0 ? say("sample") : axis === rank - 1 ? say("channel") : `[${axis}]`;
  }
  numbers(top0, left0, rows, columns, top) {
    const table = node("table", { class: "cells" });
    for (let r = top0; r < top0 + rows; r++) {
      const line = node("tr");
      for (let c = left0; c < left0 + columns; c++) {
        const flat = this.flat(r, c), value = numberAt(this.one, flat), mark = this.marks.get(flat);
        const cell = node("td", { "data-i": flat, "data-v": value, title: `[${unflat(flat, this.one.shape).join(", ")}] = ${full(value)}`, class: [flat === this.picked && "picked", mark].filter(Boolean).join(" ") }, short(value));
        cell.style.setProperty("--k", `${Math.round(60 * shade(value, top))}%`);
        cell.style.setProperty("--ink-of", value < 0 ? "var(--minus)" : "var(--plus)");
        cell.addEventListener("click", () => this.pickAt(flat));
        line.append(cell);
      }
      table.append(line);
    }
    return node("div", { class: "scroll" }, table);
  }
  map(top) {
    const rows = this.rows(), columns = this.columns(), wide = rows === 1 ? Math.ceil(Math.sqrt(columns * 3)) : columns, high = rows === 1 ? Math.ceil(columns / wide) : rows;
    const at = i => (rows === 1 ? (i < columns ? this.flat(0, i) : undefined) : this.flat(Math.floor(i / wide), i % wide));
    const canvas = node("canvas", { role: "img", "aria-label": `${this.options.label || ""} ${this.one.shape.join(" × ")}` });
    paint(canvas, wide, high, i => { const f = at(i); return f === undefined ? undefined : numberAt(this.one, f); }, top);
    const fits = extent => Math.max(1, Math.min(14, Math.floor(270 / extent))), square = Math.min(fits(wide), fits(high));
    const [cellWide, cellHigh] = wide < 6 * high && high < 6 * wide ? [square, square] : [fits(wide), fits(high)]; // a long matrix is squeezed
    canvas.style.width = `${Math.min(wide * cellWide, 420)}px`;
    canvas.style.height = `${Math.min(high * cellHigh, 300)}px`;
    const layer = node("div", { class: "map" }, canvas);
    const outline = (flat, kind) => {
      const place = this.place(flat);
      if (!place) return;
      const [r, c] = rows === 1 ? [Math.floor(place[1] / wide), place[1] % wide] : place, mark = node("i", { class: kind });
      Object.assign(mark.style, { left: `${(100 * c) / wide}%`, top: `${(100 * r) / high}%`, width: `${100 / wide}%`, height: `${100 / high}%` });
      layer.append(mark);
    };
    let drawn = 0;
    for (const [flat, kind] of this.marks) if (drawn++ < 600) outline(flat, kind);
    if (this.picked !== null) outline(this.picked, "picked");
    canvas.addEventListener("click", event => {
      const box = canvas.getBoundingClientRect(), c = Math.floor(((event.clientX - box.left) / box.width) * wide), r = Math.floor(((event.clientY - box.top) / box.height) * high);
      const flat = at(r * wide + c);
      if (flat !== undefined) this.pickAt(flat);
    });
    const centre = this.picked !== null ? this.place(this.picked) : [...this.marks.keys()].map(f => this.place(f)).find(Boolean);
    if (!centre) return layer;
    const near = (place, extent) => Math.max(0, Math.min(place - (ZOOM >> 1), extent - ZOOM)), h = Math.min(ZOOM, rows), w = Math.min(ZOOM, columns);
    return node("div", { class: "zoomed" }, layer, this.numbers(near(centre[0], rows), near(centre[1], columns), h, w, top));
  }
  inPart() {
    const one = this.one, canvas = node("canvas"), [high, wide] = one.cells;
    paintCoarse(canvas, one);
    canvas.style.width = "192px";
    canvas.style.height = `${Math.round(Math.max(48, Math.min(192, (192 * high) / wide)))}px`;
    this.slice = this.plane.others.map(axis => one.corner[axis]);
    const edge = axis => (axis === null ? [0, 1] : [one.corner[axis], one.part[axis]]), [top0, rows] = edge(this.plane.rows), [left0, columns] = edge(this.plane.columns);
    const r = Math.min(rows, 8), c = Math.min(columns, 8);
    return node("div", {}, node("p", { class: "note" }, say("missing")), node("div", { class: "zoomed" }, canvas, this.numbers(top0 + ((rows - r) >> 1), left0 + ((columns - c) >> 1), r, c, one.top)));
  }
  readout() {
    if (this.picked === null) return null;
    const value = numberAt(this.one, this.picked), index = this.one.shape.length ? `[${unflat(this.picked, this.one.shape).join(", ")}] ` : "";
    const line = node("p", { class: "readout" }, node("span", {}, `${index}= `), node("code", {}, full(value)));
    if (this.options.value !== undefined && PAGE.live && !this.one.part) {
      const field = node("input", { type: "number", step: "any", "aria-label": say("editHint"), title: say("editHint") });
      field.value = value;
      field.addEventListener("keydown", event => {
        event.stopPropagation();
        if (event.key === "Enter" && field.value !== "") { edit(this.options.value, this.picked, +field.value); afterEdit(this.number, this.picked); }
      });
      line.append(" ", field);
    }
    return line;
  }
}
