// The recorded step, its arrays decoded, and what stands for them after an edit.
"use strict";
const PAGE = JSON.parse(document.getElementById("data").textContent);
const KINDS = { f4: Float32Array, f8: Float64Array, i4: Int32Array, u4: Uint32Array };
const original = [];        // tensors as the engine made them: {shape, dtype, data} or, of the largest, a part
const changed = new Map();  // tensor number -> Float64Array, computed by this page after an edit
const outdated = new Set(); // numbers of tensors that an edit would change, but that this page cannot compute

const bytesOf = text => Uint8Array.from(atob(text), c => c.charCodeAt(0));

async function inflated(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

async function decoded(one) {
  const bytes = one.z !== undefined ? await inflated(bytesOf(one.z)) : bytesOf(one.b64);
  const data = new KINDS[one.dtype](bytes.buffer);
  const tensor = { shape: one.shape, dtype: one.dtype, data, size: one.shape.reduce((a, b) => a * b, 1) };
  if (one.part) {
    Object.assign(tensor, { part: one.part, corner: one.corner, cells: one.cells, top: one.top });
    tensor.coarse = bytesOf(one.coarse);
  }
  return tensor;
}

// The tensor as it is now: the engine's numbers, or after an edit those of this page.
function tensor(number) {
  const one = original[number], data = changed.get(number);
  return data ? { shape: one.shape, dtype: "f8", data, size: one.size } : one;
}

// One number of a tensor by its place in row-major order; undefined where the page holds only a part without it.
function numberAt(one, flat) {
  if (!one.part) return one.data[flat];
  const index = unflat(flat, one.shape);
  let place = 0;
  for (let axis = 0; axis < index.length; axis++) {
    const at = index[axis] - one.corner[axis];
    if (at < 0 || at >= one.part[axis]) return undefined;
    place = place * one.part[axis] + at;
  }
  return one.data[place];
}
