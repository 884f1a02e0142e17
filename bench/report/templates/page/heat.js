// Devices against models: the best cell of each by a metric, as it is, against its fp32, or against the baseline.
const bestFirst = (metric, group) => [...group].sort((a, b) => (METRICS[metric].better === "lower" ? 1 : -1)
  * (METRICS[metric].of(a) - METRICS[metric].of(b)))[0];

// The cell to show, its number, its text, and how good that is: -1 (bad) to 1 (good), null for neither.
function heatOf(group, metric, basis) {
  const { of, text, better, before, unit } = METRICS[metric];
  const measured = group.filter((cell) => cell.status === "ok" && known(of(cell)));
  const best = bestFirst(metric, measured.filter((cell) => cell.rankable)) || bestFirst(metric, measured);
  if (!best) return null;
  const told = { cell: best, value: of(best), text: `${text(of(best))} ${unit}`, tone: null };
  if (!basis) return told;
  const moved = basis === "baseline" ? measured.filter((cell) => cell.before && known(cell.before[before]) && cell.before[before])
    : measured.filter((cell) => cell === best && known(cell.base) && known(of(cells[cell.base])));
  const ratio = (cell) => of(cell) / (basis === "baseline" ? cell.before[before] : of(cells[cell.base]));
  if (!moved.length) return { ...told, text: best.change === "not comparable" && basis === "baseline" ? "not comparable" : UNKNOWN, none: true };
  const cell = moved.reduce((a, b) => (Math.abs(Math.log(ratio(b))) > Math.abs(Math.log(ratio(a))) ? b : a));
  const by = Math.log(ratio(cell)) * (better === "lower" ? -1 : 1);
  const call = basis === "baseline" && metric === "p50" ? cell.verdict.call : null;
  const counts = call ? call === "better" || call === "worse" : Math.abs(by) > Math.log(1 + (basis === "baseline" ? raw.margin : 0.005));
  const tone = counts && !cell.emulated ? Math.max(-1, Math.min(1, by / Math.log(basis === "baseline" ? 1.25 : 3))) : 0;
  const shown = metric === "accuracy" ? `${of(cell) >= of(cell) / ratio(cell) ? "+" : "−"}${Math.abs(100 * (of(cell) - of(cell) / ratio(cell))).toFixed(1)} pp`
    : basis === "baseline" ? change(ratio(cell)) : times(ratio(cell));
  return { cell, value: ratio(cell), text: shown + (call === "cannot tell" ? " ?" : ""), tone };
}

function heatCell(told, device, model, shade) {
  if (!told) return el("td", { class: "heat none" }, "not measured");
  const tone = told.none || told.cell.emulated ? "" : known(told.tone) ? (told.tone > 0 ? "good" : told.tone < 0 ? "bad" : "") : "shade";
  const box = el("td", { class: `heat ${tone}` }, el("a", { ...leads({ device, model }), "data-to": "cells" }, el("b", {}, told.text)),
    el("small", {}, told.cell.runtime, " ", told.cell.precision, told.cell.threads > 1 ? ` ×${told.cell.threads}` : "",
      told.cell.emulated ? " · emulated" : told.cell.rankable ? "" : " · not ranked"));
  box.style.setProperty("--strength", `${Math.round(tone === "shade" ? shade : 12 + 50 * Math.abs(told.tone || 0))}%`);
  return box;
}

function drawHeat() {
  const shown = shownCells();
  const devices = [...new Set(shown.map((cell) => cell.device))];
  const models = [...new Set(shown.map((cell) => cell.model))];
  const groups = new Map();
  for (const cell of shown) {
    const key = `${cell.device}\u0000${cell.model}`;
    if (!groups.has(key)) groups.set(key, []);
    groups.get(key).push(cell);
  }
  const wide = models.length > devices.length;
  const [down, across] = wide ? [models, devices] : [devices, models];
  const pick = (one, other) => (wide ? [other, one] : [one, other]);
  const all = new Map([...groups].map(([key, group]) => [key, heatOf(group, state.metric, state.basis)]));
  const rows = down.map((one) => el("tr", {}, el("th", { scope: "row", class: "name" }, one), across.map((other) => {
    const [device, model] = pick(one, other);
    const told = all.get(`${device}\u0000${model}`);
    const same = devices.map((name) => all.get(`${name}\u0000${model}`)).filter((each) => each && !each.cell.emulated).map((each) => each.value);
    const [least, most] = [Math.min(...same), Math.max(...same)];
    const share = told && most > least ? Math.log(told.value / least) / Math.log(most / least) : 0;
    return heatCell(told, device, model, 6 + 34 * share);
  })));
  const against = { "": "", fp32: ", against fp32 of the same runtime", baseline: `, the largest change against ${raw.baseline}` }[state.basis];
  const caption = `${METRICS[state.metric].name}${against}`;
  find("heat-table").replaceChildren(table(caption, ["", ...across].map((name) => el("th", { scope: "col" }, name)), rows, "heats"));
  find("heat-says").textContent = state.basis === "baseline"
    ? "Each field shows the cell that moved most. Coloured where the change is certain (p50), or above the margin."
    : `Each field shows the ${METRICS[state.metric].better === "lower" ? "lowest" : "highest"} of the cells that may be ranked, and which one it is.`;
}

function startHeat() {
  const bases = [["", "as measured"], ["fp32", "against fp32"], ...(raw.baseline ? [["baseline", "against the baseline"]] : [])];
  const draw = () => {
    find("heat-choices").replaceChildren(
      chooser("Metric", Object.entries(METRICS).map(([key, { name }]) => [key, name]), state.metric, (metric) => go({ metric })),
      chooser("Shown", bases, state.basis, (basis) => go({ basis })));
    drawHeat();
  };
  return draw;
}
