// What each precision costs and gains, from fp32 down, for one model on every device and runtime.
const RUNGS = ["p50", "peak", "size", "accuracy"];
const MOST_LADDERS = 24;

function laddersOf(model) {
  const groups = new Map();
  for (const cell of shownCells(["model", "precision"])) {
    if (cell.model !== model || cell.status !== "ok") continue;
    const key = `${cell.device}\u0000${cell.engineName}`;
    if (!groups.has(key)) groups.set(key, []);
    groups.get(key).push(cell);
  }
  return [...groups.values()].map((group) => [...group].sort((a, b) => precisions.indexOf(a.precision) - precisions.indexOf(b.precision)));
}

function rung(cell, first, metric, most) {
  const { of, text } = METRICS[metric];
  if (!known(of(cell))) return number(UNKNOWN);
  const base = first.precision === "fp32" && first !== cell && known(of(first)) ? of(first) : null;
  const against = base === null || cell.emulated && metric === "p50" ? ""
    : metric === "accuracy" ? `${of(cell) >= base ? "+" : "−"}${Math.abs(100 * (of(cell) - base)).toFixed(1)} pp` : change(of(cell) / base);
  return el("td", { class: "n rung" }, text(of(cell)), el("small", {}, against), bar(of(cell) / most));
}

function drawLadder() {
  const models = [...new Set(shownCells(["model", "precision"]).filter((cell) => cell.status === "ok").map((cell) => cell.model))];
  const model = models.includes(state.ladder) ? state.ladder : models.includes(state.model) ? state.model : models[0];
  find("ladder-choices").replaceChildren(models.length ? chooser("Model", models.map((name) => [name, name]), model, (ladder) => go({ ladder })) : "");
  const ladders = model ? laddersOf(model) : [];
  const drawn = ladders.slice(0, MOST_LADDERS);
  const most = Object.fromEntries(RUNGS.map((metric) => [metric, Math.max(...drawn.flat().map(METRICS[metric].of).filter(known), 1e-9)]));
  const deviceMost = new Map(drawn.map((group) => [group[0].device, Math.max(...drawn.flat().filter((cell) => cell.device === group[0].device).map((cell) => cell.p50))]));
  const bodies = drawn.map((group) => group.map((cell, place) => el("tr", { class: place ? "" : "first" },
    place === 0 && el("th", { scope: "rowgroup", rowspan: group.length, class: "name" }, cell.engineName, el("small", {}, cell.device, cell.emulated ? " (emulated)" : "")),
    el("th", { scope: "row" }, opens(cell, cell.precision)), el("td", {}, badge(cell)),
    RUNGS.map((metric) => rung(cell, group[0], metric, metric === "p50" ? deviceMost.get(cell.device) : most[metric])))));
  const heads = ["runtime", "precision", "trust", ...RUNGS.map((metric) => el("th", { scope: "col", class: "n" }, METRICS[metric].name, el("small", {}, METRICS[metric].unit)))];
  find("ladder-table").replaceChildren(model ? table(`Precisions of ${model}`, heads, bodies, "ladder")
    : el("p", { class: "quiet" }, "None of the cells shown was measured."),
  ladders.length > drawn.length ? el("p", { class: "quiet" }, `${ladders.length - drawn.length} more: filter by device or runtime to see them.`) : "");
}
