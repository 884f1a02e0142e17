// Everything of one cell, in a dialog of its own.
const pairsOf = (pairs) => el("dl", { class: "pairs" }, pairs.filter(([, value]) => known(value) && value !== "")
  .map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value))));
const unit = (value, sign, text = digits) => (known(value) ? `${text(value)} ${sign}` : null);
const part = (title, ...children) => el("section", {}, el("h3", {}, title), ...children);

function measuredPart(cell) {
  return part("Measured", pairsOf([
    ["p50", `${digits(cell.p50)} ms${known(cell.low) ? ` (95 % interval ${digits(cell.low)} to ${digits(cell.high)})` : ""}`],
    ["p90", unit(cell.p90, "ms") || `${cell.samples} samples are too few for it`], ["p99", unit(cell.p99, "ms")],
    ["trials, samples", `${cell.trials}, ${cell.samples.toLocaleString("en")}`],
    ["variation within, between trials", known(cell.within) ? `${percent(cell.within)} %, ${percent(cell.between)} %` : null],
    ["throughput", unit(cell.throughput, "per s")], ["load", unit(cell.load, "ms")], ["first inference", unit(cell.first, "ms")],
    ["peak memory", unit(cell.peak, "MiB")], ["of the model", unit(cell.modelMemory, "MiB")], ["PSS", unit(cell.pss, "MiB")],
    ["size", unit(cell.size, "MiB", mebibytes)],
    ["accuracy", known(cell.accuracy) ? `${percent(cell.accuracy)} % ${cell.metric} of ${cell.images}${known(cell.drop) ? `, ${percent(cell.drop)} pp below fp32` : ""}` : "not known"],
    ["outputs", `${cell.outputsWord}${known(cell.maxAbs) ? `: max-abs ${cell.maxAbs}, cosine ${cell.cosine}, SQNR ${cell.maxAbs === 0 ? "∞" : cell.sqnr ?? UNKNOWN} dB, agreement ${percent(cell.agreement)} %` : ""}`],
    ["furthest part of an output", cell.part || null],
    ["speed against fp32", known(cell.speedup) ? `${cell.clear || cell.precision === "fp32" ? "" : "≈ "}${times(cell.speedup)}` : null]]));
}

function comparedPart(cell) {
  const told = cell.verdict;
  const listed = (differences) => el("ul", {}, differences.map(([name, before, after]) => el("li", {}, `${name}: ${before} → ${after}`)));
  const differ = cell.differences.length > 0 && listed(cell.differences);
  if (!told) return part("Against the baseline", el("p", {}, changeChip(cell.change)), differ);
  const more = known(told.moreTrials) ? `${told.moreTrials} more trials of each side would settle it${known(told.moreSeconds) ? `, in ${duration(told.moreSeconds)}` : ""}` : null;
  return part("Against the baseline", el("p", {}, changeChip(cell.change), " ", told.reason), pairsOf([
    ["p50 before", unit(cell.before[0], "ms")], ["change", change(told.ratio)],
    ["95 % interval", known(told.low) ? `${change(told.low)} to ${change(told.high)}` : null],
    ["p, adjusted for all cells", known(told.p) ? String(told.p) : null], ["effect, in standard deviations", known(told.effect) ? String(told.effect) : null],
    ["to settle it", more], ["peak memory", cell.memory ? `${cell.memory.call}, ${change(cell.memory.ratio)}` : null],
    ["size", known(cell.sizeRatio) ? change(cell.sizeRatio) : null],
    ["accuracy", known(cell.accuracyChange) ? `${cell.accuracyChange >= 0 ? "+" : "−"}${Math.abs(100 * cell.accuracyChange).toFixed(1)} pp` : null]]),
  cell.retried ? el("p", {}, "Judged from trials in turn with the baseline's artifact, in this run.") : "",
  differ && el("p", {}, "Compared although these differ:"), differ,
  cell.noted.length > 0 && [el("p", {}, "What may be why:"), listed(cell.noted)]);
}

function checksPart(cell) {
  if (!cell.checks.length) return part("Trust", el("p", {}, badge(cell), " no checks were made of this cell"));
  const signs = { passed: "✓", failed: "✗", unknown: "○" };
  return part("Trust", el("p", {}, badge(cell)), table("Checks", ["check", "state", "reason"], cell.checks.map(([name, state, reason]) => el("tr",
    { class: `check ${state}` }, el("th", { scope: "row" }, name), el("td", {}, el("span", { "aria-hidden": "true" }, signs[state] || "", " "),
      state === "unknown" ? "not known" : state), el("td", { class: "reason" }, reason)))));
}

function detailOf(cell) {
  const measured = cell.status === "ok";
  return [el("header", {}, el("h2", { id: "detail-title" }, `${cell.model} ${cell.precision}`), el("button", { type: "button", onclick: closeDetail, "aria-label": "Close" }, "Close"),
    el("p", { class: "sub" }, `${cell.engineName} on ${cell.device}`, cell.emulated ? " · emulated" : "", " · ", el("code", {}, cell.id))),
  cell.emulated && el("p", { class: "banner" }, "An emulated device: its timings say nothing of a real one's speed."),
  measured ? distribution(cell) : el("p", { class: "banner" }, el("b", {}, `${[cell.status, cell.fault].filter(Boolean).join(", ")}: `), cell.reason),
  cell.warnings.length > 0 && el("ul", { class: "banner" }, cell.warnings.map((text) => el("li", {}, text))),
  measured && cell.series && cell.series.points.length > 1 && historyChart(cell.series),
  el("div", { class: "columns" }, measured && measuredPart(cell), (cell.change || cell.verdict) && comparedPart(cell),
    cell.circumstances.length > 0 && part("Measured under", pairsOf(cell.circumstances))),
  measured && checksPart(cell)].filter(Boolean);
}

const closeDetail = () => go({ cell: "" });

function startDetail() {
  const dialog = find("detail");
  let from = null;
  const show = () => {
    const cell = byId.get(state.cell);
    if (!cell) {
      if (dialog.open) dialog.close();
      if (from && from.isConnected) from.focus();
      return;
    }
    if (!dialog.open) from = document.activeElement;
    dialog.replaceChildren(...detailOf(cell));
    if (!dialog.open) dialog.showModal();
    dialog.scrollTop = 0;
  };
  dialog.addEventListener("cancel", (event) => { event.preventDefault(); closeDetail(); });
  dialog.addEventListener("click", (event) => { if (event.target === dialog) closeDetail(); });
  watch((changed) => { if (changed.includes("cell")) show(); });
  show();
}
