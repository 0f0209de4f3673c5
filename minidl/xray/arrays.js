// Shapes, indices, and arithmetic with broadcasting on {shape, data} in float64.
"use strict";
const product = shape => shape.reduce((a, b) => a * b, 1);
const made = (shape, data) => ({ shape, data: data || new Float64Array(product(shape)) });

function unflat(flat, shape) {
  const index = new Array(shape.length);
  for (let axis = shape.length - 1; axis >= 0; axis--) { index[axis] = flat % shape[axis]; flat = Math.floor(flat / shape[axis]); }
  return index;
}

function flatOf(index, shape) {
  let flat = 0;
  for (let axis = 0; axis < shape.length; axis++) flat = flat * shape[axis] + index[axis];
  return flat;
}

const asArray = value => typeof value === "object" && value !== null && value.data ? value : made([], Float64Array.of(Number(value)));

function commonShape(...shapes) {
  const rank = Math.max(0, ...shapes.map(s => s.length)), common = new Array(rank).fill(1);
  for (const shape of shapes) shape.forEach((n, axis) => { const i = axis + rank - shape.length; if (n !== 1) common[i] = n; });
  return common;
}

// The place in an array of `shape` that broadcasts to the place `flat` of an array of shape `large`.
function narrowed(flat, large, shape) {
  if (large.length === shape.length && product(large) === product(shape)) return flat;
  const index = unflat(flat, large).slice(large.length - shape.length);
  return flatOf(index.map((at, axis) => (shape[axis] === 1 ? 0 : at)), shape);
}

function elementwise(f, ...arrays) {
  const shape = commonShape(...arrays.map(a => a.shape)), y = made(shape), values = new Array(arrays.length);
  for (let i = 0; i < y.data.length; i++) {
    for (let k = 0; k < arrays.length; k++) values[k] = arrays[k].data[narrowed(i, shape, arrays[k].shape)];
    y.data[i] = f(...values);
  }
  return y;
}

// Undo broadcasting: sum a gradient back to the shape of its input.
function summedTo(g, shape) {
  if (g.shape.length === shape.length && g.shape.every((n, i) => n === shape[i])) return g;
  if (g.data.length === product(shape)) return made(shape, g.data);
  const total = made(shape);
  for (let i = 0; i < g.data.length; i++) total.data[narrowed(i, g.shape, shape)] += g.data[i];
  return total;
}

function axesOf(axis, rank) {
  if (axis === null || axis === undefined) return [...Array(rank).keys()];
  return (Array.isArray(axis) ? axis : [axis]).map(a => (a < 0 ? a + rank : a));
}

const keptShape = (shape, axis) => { const axes = axesOf(axis, shape.length); return shape.map((n, i) => (axes.includes(i) ? 1 : n)); };
const plus = (a, b) => made(a.shape, a.data.map((v, i) => v + b.data[i]));
