// The page: head, list, detail; keys; and `xray`, by which a program reads and drives it.
"use strict";
let lastEdit = null;

function lossNow() {
  const value = PAGE.loss === null ? null : begins();
  return value === null ? null : numberAt(tensor(PAGE.values[value].t), 0);
}

function headOf() {
  const here = steps[position], loss = lossNow();
  const button = (text, title, to, off) => node("button", { type: "button", title, "aria-label": title, disabled: off, onclick: () => go(to) }, text);
  const phases = PHASES.filter(p => steps.some(s => s.phase === p)).map(phase => {
    const own = steps.map((s, i) => i).filter(i => steps[i].phase === phase), dots = own.map(i => node("i", { class: i < position ? "done" : i === position ? "here" : "" }));
    return node("button", { type: "button", class: `phase ${phase}`, "aria-current": here.phase === phase ? "true" : null, style: `flex-grow: ${Math.max(3, own.length)}`, onclick: event => { const which = event.target.tagName === "I" ? dots.indexOf(event.target) : 0; go(own[which]); } }, node("span", {}, say(phase)), node("span", { class: "dots" }, dots));
  });
  return [
    node("div", { class: "titles" }, node("h1", {}, PAGE.title), node("p", { class: "facts" }, loss === null ? "" : `${say("loss")} `, loss === null ? null : node("b", { id: "loss", "data-v": loss }, short(loss)), loss === null ? "" : " · ", say("parameters")(PAGE.parameters.toLocaleString("en"))),
      node("button", { type: "button", id: "language", onclick: switchLanguage }, say("language"))),
    node("div", { class: "bar" }, button("|←", say("first"), 0, position === 0), button("←", say("previous"), position - 1, position === 0),
      node("div", { class: "phases" }, phases), button("→", say("next"), position + 1, position === steps.length - 1), button("→|", say("last"), steps.length - 1, position === steps.length - 1)),
    edits.size ? node("p", { class: "edited", role: "status" }, say("edited"), " ", node("button", { type: "button", onclick: () => { reset(); lastEdit = null; render(); } }, say("reset"))) : null,
  ].filter(Boolean);
}

function detailOf() {
  const here = steps[position], parts = [];
  if (here.phase === "update") {
    const update = PAGE.updates[here.update];
    parts.push(node("h2", {}, `${say("update")}: ${update.name}`), updateSection(here.update));
    return parts;
  }
  const block = PAGE.blocks[here.block];
  const settings = Object.entries(block.settings || {}).map(([k, v]) => `${k} = ${v}`).join(", ");
  parts.push(node("h2", {}, node("span", { class: `tag ${here.phase}` }, say(here.phase)), " ", titleOf(block), " ", node("small", {}, kindOf(block))));
  if (settings) parts.push(node("p", { class: "settings" }, settings));
  if (block.frozen) parts.push(node("p", { class: "note" }, `❄ ${say("frozen")}`));
  if (!block.calls.length) parts.push(node("p", { class: "note" }, say("nothing")));
  parts.push(...here.calls.map(call => (here.phase === "forward" ? forwardSection(call) : backwardSection(call))));
  if (!PAGE.live && here.phase === "forward" && here.block === 0) parts.push(node("p", { class: "note" }, say("tooLarge")));
  return parts;
}

// Only the list moves: scrollIntoView would also move what is around the page, where it stands in a frame.
function reveal(item, list) {
  const inner = item.getBoundingClientRect(), outer = list.getBoundingClientRect();
  if (inner.top < outer.top) list.scrollTop -= outer.top - inner.top;
  else if (inner.bottom > outer.bottom) list.scrollTop += inner.bottom - outer.bottom;
}

function render() {
  document.documentElement.lang = language;
  document.getElementById("head").replaceChildren(...headOf());
  const side = document.getElementById("side"), scroll = side.scrollTop;
  side.replaceChildren(node("h2", {}, say("graph")), graph(), node("p", { class: "keys" }, say("keys")), node("p", { class: "keys" }, say(PAGE.live ? "pick" : "pickOnly")));
  side.scrollTop = scroll;
  const on = side.querySelector("li.on");
  if (on) reveal(on, side);
  const detail = document.getElementById("detail");
  detail.replaceChildren(...detailOf());
  detail.dataset.step = position;
}

function afterEdit(number, flat) {
  lastEdit = { number, flat };
  const scroll = document.getElementById("detail").scrollTop;
  render();
  document.getElementById("detail").scrollTop = scroll;
}

function switchLanguage() { language = language === "en" ? "ko" : "en"; render(); }

addEventListener("keydown", event => {
  if (event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) return;
  const phase = { f: "forward", b: "backward", u: "update" }[event.key.toLowerCase()], here = steps[position];
  if (event.key === "ArrowRight" || event.key === "ArrowDown") go(position + 1);
  else if (event.key === "ArrowLeft" || event.key === "ArrowUp") go(position - 1);
  else if (event.key === "Home") go(0);
  else if (event.key === "End") go(steps.length - 1);
  else if (event.key === "Enter" && event.target.tagName !== "BUTTON" && event.target.tagName !== "SUMMARY") { if (here.block !== null) toggle(here.block); }
  else if (event.key === "Escape") { expanded.clear(); makeSteps(); go(Math.min(position, steps.length - 1)); }
  else if (event.key.toLowerCase() === "l") switchLanguage();
  else if (phase && steps.some(s => s.phase === phase)) go(steps.findIndex(s => s.phase === phase));
  else return;
  event.preventDefault();
});

// xray.ready resolves when the numbers are there. xray.tensor(n): a tensor as the engine made it; xray.now(n): as it is
// after edits; xray.edit(value, place, number), xray.reset(); xray.outdated(n): whether an edit left it behind.
window.xray = {
  page: PAGE,
  tensor: number => original[number],
  now: number => tensor(number),
  outdated: number => outdated.has(number),
  edit(value, place, number) { edit(value, place, number); afterEdit(PAGE.values[value].t, place); },
  reset() { reset(); render(); },
  steps: () => steps,
  position: () => position,
  go,
  toggle,
  language: () => language,
  forwardTerms,
  backwardTerms,
  ready: decodedAll(PAGE.tensors).then(all => {
    original.push(...all);
    PAGE.tensors = null;
    makeSteps();
    render();
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", render);
  }),
};
