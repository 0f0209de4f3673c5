"""Drives a page of explain in a browser: scripts that run in it, and answer in JSON."""

import html
import json
import re
from pathlib import Path
from typing import Any, NamedTuple

from tests.browser import visit

POLICY = re.compile(r"<meta http-equiv=\"Content-Security-Policy\"[^>]*>")
DRIVER = """<script>
const b64 = data => btoa([...new Uint8Array(data.buffer)].map(b => String.fromCharCode(b)).join(""));
const press = key => document.body.dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true}));
xray.ready.then(() => { SCRIPT }).then(
  answer => answer, error => ({error: String(error.stack)})).then(answer => {
  const resources = performance.getEntriesByType("resource").map(one => one.name);
  document.documentElement.dataset.answer = JSON.stringify([resources, answer]);
});
</script></body>"""
WAIT = "--virtual-time-budget=20000"  # the page decodes its numbers first

# section(phase, want): steps to the first op (or update) that is wanted; pick(section, tensor, flat, kernel): clicks on
# a number of it, in the table or on the heat map; terms(section): what is then listed.
READ = """
const section = (phase, want) => {
  for (let i = 0; i < xray.steps().length; i++) {
    const here = xray.steps()[i];
    if (here.phase !== phase) continue;
    const at = phase === "update" ? (want(xray.page.updates[here.update]) ? 0 : -1) : here.calls.findIndex(c => want(xray.page.calls[c]));
    if (at < 0) continue;
    xray.go(i);
    return document.querySelectorAll("#detail > section.op")[at];
  }
};
const number = text => +text.replace(/−/g, "-");
const pick = (root, tensor, flat, kernel) => {
  const shape = xray.now(tensor).shape, index = [], figures = root.querySelectorAll(`figure[data-tensor="${tensor}"]`), figure = figures[figures.length - 1];
  for (let axis = shape.length - 1, rest = flat; axis >= 0; rest = Math.floor(rest / shape[axis--])) index[axis] = rest % shape[axis];
  const [row, column] = shape.length < 4 ? [shape.length - 2, shape.length - 1] : kernel ? [0, 1] : [1, 2];
  shape.map((n, axis) => axis).filter(axis => axis !== row && axis !== column && shape[axis] > 1).forEach((axis, i) => {
    const slider = figure.querySelectorAll(".slices input")[i];
    slider.value = index[axis];
    slider.dispatchEvent(new Event("change"));
  });
  const cell = figure.querySelector(`td[data-i="${flat}"]`), canvas = figure.querySelector(".map canvas");
  if (cell) return cell.click();
  const box = canvas.getBoundingClientRect();
  canvas.dispatchEvent(new MouseEvent("click", { clientX: box.left + (box.width * (index[column] + 0.5)) / canvas.width, clientY: box.top + (box.height * (index[row] + 0.5)) / canvas.height }));
};
const terms = root => ({
  title: root.querySelector(".trace h4").textContent,
  lines: [...root.querySelectorAll(".lines tr")].map(row => [row.children[0].textContent, number(row.children[2].title), row.className]),
  totals: Object.fromEntries([...root.querySelectorAll(".totals tr")].map(row => [row.children[0].textContent, +row.children[1].dataset.v])),
  seen: root.querySelectorAll("td.seen, i.seen").length, won: root.querySelectorAll("td.won, i.won").length,
});
const cells = figure => [...figure.querySelectorAll("td[data-i]")].map(c => +c.dataset.v);
const answer = {};
"""  # noqa: E501


class Seen(NamedTuple):
    """The console of the browser, what the page loaded beside itself, and what the script returned."""

    console: list[str]
    resources: list[str]
    answer: Any


def drive_page(chromium: str, folder: Path, page: Path, script: str, width: int = 1366, dark: bool = False) -> Seen:
    """Open a page from file://, run the body of a function in it, and return what it returns."""
    driven = driven_page(page, script, folder)
    console, dom = visit(chromium, driven, folder, WAIT, "--dump-dom", size=(width, 800), dark=dark)
    found = re.search(r'data-answer="([^"]*)"', dom)
    assert found, console
    return Seen(console, *json.loads(html.unescape(found[1])))


def driven_page(page: Path, script: str, folder: Path) -> Path:
    """A copy of a page in which the body of a function runs."""
    text = page.read_text(encoding="utf-8")
    assert len(POLICY.findall(text)) == 1
    driven = folder / f"driven_{page.name}"
    driven.write_text(text.replace("</body>", DRIVER.replace("SCRIPT", script)), encoding="utf-8")
    return driven
