// The optimizer's update of one weight, number by number: SGD with momentum, RMSprop, Adam and AdamW, with clipping and decay.
"use strict";
const UPDATES = {
  SGD({ w, g, slots, rate, config }) {
    const mu = config.momentum || 0;
    if (!mu) return { w: w - rate * g, slots: [] };
    const m = mu * slots[0] - rate * g;
    return { w: w + (config.nesterov ? mu * m - rate * g : m), slots: [m] };
  },
  Adam({ w, g, slots: [m, v], rate, config, step }) {
    m += (g - m) * (1 - config.beta_1);
    v += (g * g - v) * (1 - config.beta_2);
    const a = (rate * Math.sqrt(1 - config.beta_2 ** step)) / (1 - config.beta_1 ** step);
    return { w: w - (a * m) / (Math.sqrt(v) + config.epsilon), slots: [m, v], a };
  },
};
UPDATES.RMSprop = ({ w, g, slots: [v], rate, config }) => {
  v = config.rho * v + (1 - config.rho) * g * g;
  return { w: w - (rate * g) / Math.sqrt(v + config.epsilon), slots: [v] };
};
UPDATES.AdamW = UPDATES.Adam;

function updateKnown(update) {
  const c = update.config;
  const plain = update.optimizer !== "RMSprop" || !(c.momentum || c.centered);
  return update.optimizer in UPDATES && plain && !c.amsgrad && !c.use_ema && !c.gradient_accumulation_steps && !c.loss_scale_factor && !update.constraint;
}

// By what factor clipping scales the gradient of an update; clipvalue is no factor.
function clipFactor(update, norms) {
  const { clipnorm, global_clipnorm: whole } = update.config, own = norms.get(update);
  const factor = (most, norm) => (norm > most ? most / norm : 1);
  if (clipnorm) return factor(clipnorm, own);
  return whole ? factor(whole, Math.sqrt([...norms.values()].reduce((s, n) => s + n * n, 0))) : 1;
}

function updateAll(values, gradientOf) {
  const norms = new Map(), gradients = new Map();
  for (const update of PAGE.updates) {
    const g = update.value === null ? null : gradientOf(update.value);
    gradients.set(update, g);
    if (g) norms.set(update, Math.hypot(...g.data));
  }
  const incomplete = PAGE.updates.some(u => u.g !== null && !gradients.get(u));
  for (const update of PAGE.updates) {
    const g = gradients.get(update), known = g && updateKnown(update) && !(incomplete && update.config.global_clipnorm);
    if (!known) {
      if (update.g !== null) for (const number of [update.after, ...update.slots.map(s => s[2])]) put(number, null, true);
      continue;
    }
    const w = values[update.value], after = made(w.shape), slots = update.slots.map(s => float64(original[s[1]])), kept = slots.map(s => made(s.shape));
    const factor = clipFactor(update, norms), { clipvalue, weight_decay: decay } = update.config;
    for (let i = 0; i < after.data.length; i++) {
      let one = g.data[i] * factor;
      if (clipvalue) one = Math.min(Math.max(one, -clipvalue), clipvalue);
      const start = update.decays ? w.data[i] * (1 - decay * update.rate) : w.data[i];
      const moved = UPDATES[update.optimizer]({ w: start, g: one, slots: slots.map(s => s.data[i]), rate: update.rate, config: update.config, step: update.step });
      after.data[i] = moved.w;
      moved.slots.forEach((value, k) => { kept[k].data[i] = value; });
    }
    put(update.after, after);
    update.slots.forEach((slot, k) => put(slot[2], kept[k]));
  }
}
