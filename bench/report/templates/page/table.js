// The table of all cells: sorted by any column, drawn in steps of 200 rows.
const STEP = 200;
const number = (...children) => el("td", { class: "n" }, ...children);
const plain = (cell, key, text = digits) => number(text(cell[key]));
const opener = (cell, text) => opens(cell, text, el("span", { class: "unseen" }, `, details of ${cell.name}`));
const ALL_COLUMNS = [
  { key: "device", name: "Device", value: (cell) => cell.device,
    draw: (cell) => el("td", { class: "name" }, cell.device, cell.emulated ? el("span", { class: "chip warn" }, "emulated") : "") },
  { key: "model", name: "Model", value: (cell) => cell.model,
    draw: (cell) => el("th", { scope: "row", class: "name" }, opener(cell, cell.model)) },
  { key: "runtime", name: "Runtime", value: (cell) => cell.engineName,
    draw: (cell) => el("td", { class: "name" }, cell.runtime, el("small", {}, cell.engine)) },
  { key: "precision", name: "Precision", value: (cell) => cell.precision, order: () => raw.precisions,
    draw: (cell) => el("td", {}, cell.precision) },
  { key: "badge", name: "Trust", value: (cell) => cell.badge, draw: (cell) => el("td", {}, badge(cell)) },
  { key: "p50", name: "p50", unit: "ms", ranks: true, value: (cell) => cell.p50, draw: (cell) => el("td",
    { class: `n p50${cell.lowest ? " lowest" : ""}` }, digits(cell.p50), bar(cell.p50 / slowest.get(tableOf(cell)), cell.lowest ? "good" : "")) },
  { key: "interval", name: "95 % interval", unit: "ms", value: (cell) => (known(cell.high) ? cell.high / cell.low : null),
    draw: (cell) => number(known(cell.low) ? `${digits(cell.low)}–${digits(cell.high)}` : UNKNOWN) },
  { key: "change", name: "Change", value: (cell) => (cell.verdict ? cell.verdict.ratio : null),
    draw: (cell) => el("td", {}, changeChip(cell.change, cell.verdict && cell.change !== "same" ? ` ${change(cell.verdict.ratio)}` : "")) },
  { key: "trend", name: "Trend", value: (cell) => (cell.series ? cell.series.state : null),
    draw: (cell) => el("td", { class: "trend" }, cell.series && cell.series.points.length > 1 ? spark(cell.series) : "") },
  { key: "p90", name: "p90", unit: "ms", ranks: true, value: (cell) => cell.p90, draw: (cell) => plain(cell, "p90") },
  { key: "load", name: "Load", unit: "ms", ranks: true, value: (cell) => cell.load, draw: (cell) => plain(cell, "load") },
  { key: "peak", name: "Peak", unit: "MiB", ranks: true, value: (cell) => cell.peak, draw: (cell) => plain(cell, "peak") },
  { key: "size", name: "Size", unit: "MiB", ranks: true, value: (cell) => cell.size, draw: (cell) => plain(cell, "size", mebibytes) },
  { key: "accuracy", name: "Accuracy", unit: "%", ranks: true, value: (cell) => cell.accuracy, draw: (cell) => plain(cell, "accuracy", percent) },
  { key: "drop", name: "Drop", unit: "pp", value: (cell) => cell.drop, draw: (cell) => plain(cell, "drop", percent) },
  { key: "speedup", name: "vs fp32", unit: "speed", value: (cell) => cell.speedup,
    draw: (cell) => number(known(cell.speedup) && !cell.clear && cell.precision !== "fp32" ? "≈ " : "", times(cell.speedup)) },
  { key: "outputs", name: "Outputs", value: (cell) => cell.outputs, draw: (cell) => el("td", {}, el("span",
    { class: `outputs ${cell.outputs.replace(" ", "-")}` }, cell.outputsWord), cell.throttled && el("small",
    { class: "throttled", title: cell.throttled }, "throttled"), cell.disturbed && el("small",
    { class: "throttled", title: cell.disturbed }, "disturbed")) },
];
const moved = allSeries.some((series) => series.points.length > 1);
const several = new Set(cells.map((cell) => cell.device)).size > 1;
const told = { device: several, change: Boolean(raw.baseline), trend: moved };
const COLUMNS = ALL_COLUMNS.filter(({ key }) => told[key] ?? true);
const NAMES = COLUMNS.findIndex(({ key }) => key === "p50");
// The longest p50 of each model on each device, which the bars are in proportion to.
const tableOf = (cell) => `${cell.device}\u0000${cell.model}`;
const slowest = new Map();
for (const cell of cells) slowest.set(tableOf(cell), Math.max(slowest.get(tableOf(cell)) || 1e-9, cell.p50 || 0));
let limit = STEP;

// "p50" rises, "-p50" falls; without one, the order of the suite.
function sorted(shown) {
  const falls = state.sort.startsWith("-");
  const column = COLUMNS.find(({ key }) => key === state.sort.replace("-", ""));
  if (!column) return shown;
  const rank = (cell) => (cell.status !== "ok" ? 2 : column.ranks && !cell.rankable ? 1 : 0);
  const orderOf = column.order && inOrder(cells.map(column.value), column.order());
  const value = (cell) => (orderOf ? orderOf.indexOf(column.value(cell)) : column.value(cell));
  const compare = (a, b) => {
    const [one, other] = [value(a), value(b)];
    if (!known(one) || !known(other)) return (known(one) ? 0 : 1) - (known(other) ? 0 : 1);
    const by = typeof one === "string" ? one.localeCompare(other) : one - other;
    return falls ? -by : by;
  };
  return [...shown].sort((a, b) => rank(a) - rank(b) || compare(a, b) || a.place - b.place);
}

function head(column) {
  const now = state.sort === column.key ? "ascending" : state.sort === `-${column.key}` ? "descending" : "none";
  const next = { none: column.key, ascending: `-${column.key}`, descending: "" }[now];
  return el("th", { scope: "col", "aria-sort": now, class: column.unit ? "n" : "" }, el("button", { type: "button",
    "data-sort": column.key, onclick: () => { go({ sort: next }); find("all").querySelector(`[data-sort=${column.key}]`).focus(); } },
  column.name, el("span", { class: "way", "aria-hidden": "true" }, { ascending: " ↑", descending: " ↓", none: "" }[now])),
  column.unit && el("small", {}, column.unit));
}

function rowOf(cell) {
  const measured = cell.status === "ok";
  const names = COLUMNS.slice(0, NAMES).map((column) => column.draw(cell));
  return el("tr", { class: `${measured ? "" : "lost"}${cell.badge === "not trusted" ? " doubted" : ""}${cell.emulated ? " emulated" : ""}`,
    "data-cell": cell.place },
  measured ? [names, COLUMNS.slice(NAMES).map((column) => column.draw(cell))]
    : [names, el("td", { colspan: COLUMNS.length - NAMES, class: "reason" }, el("span", { class: `chip ${cell.status === "failed"
      ? "bad" : "warn"}` }, cell.status), " ", changeChip(cell.change), " ", el("b", {}, `${cell.fault}: `), cell.reason)]);
}

function drawTable() {
  const shown = sorted(shownCells());
  const drawn = shown.slice(0, limit);
  const ranked = COLUMNS.find(({ key }) => key === state.sort.replace("-", ""))?.ranks;
  const firstUnranked = ranked ? drawn.findIndex((cell) => cell.status === "ok" && !cell.rankable) : -1;
  const rows = drawn.map((cell) => rowOf(cell));
  if (firstUnranked >= 0) {
    rows.splice(firstUnranked, 0, el("tr", { class: "divider" }, el("td", { colspan: COLUMNS.length },
      "Not ranked: emulated, outputs not verified, or a check failed")));
  }
  find("all").replaceChildren(table("All cells", COLUMNS.map(head), rows, "cells"));
  find("count").textContent = `${shown.length === cells.length ? "All" : `${shown.length.toLocaleString("en")} of`} ${counted(cells.length, "cell")}`;
  const more = find("more");
  more.hidden = shown.length <= limit;
  more.replaceChildren(el("button", { type: "button", onclick: () => { limit = shown.length; drawTable(); } },
    `Show all ${shown.length.toLocaleString("en")} rows`), ` The first ${limit} are shown.`);
}

function startTable() {
  find("all").addEventListener("click", (event) => {
    const row = event.target.closest("tr[data-cell]");
    if (row && !event.target.closest("a, button") && !getSelection().toString()) go({ cell: cells[row.dataset.cell].id });
  });
  watch((changed) => {
    if (!changed.some((name) => FILTERS.includes(name) || name === "sort")) return;
    limit = STEP;
    drawTable();
  });
  drawTable();
}
