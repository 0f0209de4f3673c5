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

// All tensors; those that follow from others bit for bit are made of them.
async function decodedAll(all) {
  const found = [];
  for (const one of all) found.push(await decoded(one));
  const resolve = number => {
    const one = all[number], tensor = found[number];
    if (!one.from || tensor.done) return tensor;
    const [a, b] = one.of.map(i => resolve(i).data);
    if (one.from === "same") return Object.assign(tensor, { data: a, done: true });
    const data = new Float32Array(tensor.size), round = Math.fround;
    if (one.from === "xor") {
      const bits = new Uint32Array(data.buffer), before = new Uint32Array(a.buffer, a.byteOffset, a.length);
      for (let i = 0; i < bits.length; i++) bits[i] = before[i] ^ tensor.data[i];
    } else if (one.from === "outer") for (let i = 0; i < a.length; i++) for (let j = 0; j < b.length; j++) data[i * b.length + j] = a[i] * b[j] + 0;
    else if (one.from === "bias_relu") for (let i = 0; i < a.length; i++) data[i] = Math.max(0, round(a[i] + b[i % b.length]));
    else if (one.from === "gate") for (let i = 0; i < a.length; i++) data[i] = b[i] > 0 ? a[i] : 0;
    else for (let i = 0; i < a.length; i++) data[i] = round(one.from === "square" ? round(a[i] * a[i]) : a[i]) * one.factor;
    return Object.assign(tensor, { data, done: true });
  };
  all.forEach((one, number) => resolve(number));
  return found;
}

async function decoded(one) {
  if (one.from && one.z === undefined) return { shape: one.shape, dtype: one.dtype, size: one.shape.reduce((a, b) => a * b, 1) };
  const bytes = one.z !== undefined ? await inflated(bytesOf(one.z)) : bytesOf(one.b64);
  const data = new KINDS[one.from ? "u4" : one.dtype](bytes.buffer);
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
