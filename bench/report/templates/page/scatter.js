// Latency against accuracy, a panel for each device; the line joins cells that no other beats in both.
const MOST_PANELS = 6;
let panels = MOST_PANELS;

function legend() {
  const swatch = (...children) => svg("svg", { viewBox: "0 0 14 14", width: 14, height: 14, "aria-hidden": "true" }, ...children);
  return el("p", { class: "legend" },
    runtimes.map((runtime) => el("span", {}, swatch(svg("circle", { cx: 7, cy: 7, r: 4.5, fill: colourOf(runtime) })), runtime)),
    precisions.map((precision) => {
      const mark = marks[markOf(precision)](7, 7, 4);
      mark.classList.add("plain");
      return el("span", {}, swatch(mark), precision);
    }));
}

function markFor(cell, x, y) {
  const mark = marks[markOf(cell.precision)](x(Math.min(cell.p50, x.high)), y(Math.max(cell.accuracy, y.low)), 4.5);
  mark.setAttribute(mark.classList.contains("stroke") ? "stroke" : "fill", colourOf(cell.runtime));
  const link = svg("a", { ...leads({ cell: cell.id }), tabindex: -1, class: cell.rankable ? "point" : "point unranked" },
    svg("title", {}, `${cell.name}: ${digits(cell.p50)} ms, ${percent(cell.accuracy)} %${cell.rankable ? "" : ", not ranked"}`),
    known(cell.low) && cell.high <= x.high && cell.accuracy >= y.low && svg("line", { class: "whisker", x1: x(cell.low), x2: x(cell.high), y1: y(cell.accuracy), y2: y(cell.accuracy) }), mark);
  return link;
}

function scatterPanel(device, group, onFront) {
  const [width, height, left, right, top, bottom] = [460, 270, 44, 12, 12, 228];
  const inView = group.filter((cell) => cell.outputs !== "differs").length ? group.filter((cell) => cell.outputs !== "differs") : group;
  const times = inView.flatMap((cell) => [cell.p50, cell.low ?? cell.p50, cell.high ?? cell.p50]);
  const wide = Math.max(...times) / Math.min(...times) > 8;
  const [low, high] = wide ? [Math.min(...times) / 1.15, Math.max(...times) * 1.15] : span(times);
  const x = scale([low, high], left, width - right, wide);
  const y = scale(span([...inView.map((cell) => cell.accuracy), inView[0].accuracy + 0.005, inView[0].accuracy - 0.005], 0.12), bottom, top);
  const front = group.filter(onFront).sort((a, b) => a.p50 - b.p50);
  const steps = front.flatMap((cell, place) => (place ? [[x(cell.p50), y(front[place - 1].accuracy)], [x(cell.p50), y(cell.accuracy)]]
    : [[x(cell.p50), y(cell.accuracy)]]));
  const rows = [...group].sort((a, b) => a.p50 - b.p50).slice(0, 60).map((cell) => el("tr", {}, el("th", { scope: "row", class: "name" },
    opens(cell, `${cell.model} ${cell.precision} ${cell.engineName}`)), number(digits(cell.p50)), number(percent(cell.accuracy)),
  el("td", {}, front.includes(cell) ? "on the line" : cell.rankable ? "" : "not ranked")));
  return el("figure", { class: "panel" }, el("figcaption", {}, el("b", {}, device), group[0].emulated ? " (emulated, not ranked)" : "",
    inView.length < group.length ? `; ${counted(group.length - inView.length, "cell")} with wrong outputs may stand at the edge` : ""),
    chart(width, height, `p50 in ms against accuracy in %, ${counted(group.length, "cell")}, ${front.length} on the line`,
      axisLeft(y, left, width - right, (value) => percent(value)), axisBelow(x, bottom, top, "p50, ms"),
      front.length > 1 && svg("path", { class: "front", d: path(steps) }), group.map((cell) => markFor(cell, x, y)),
      svg("text", { class: "name axis", x: left - 38, y: top - 2 }, "accuracy, %")),
    el("details", {}, el("summary", {}, "As a table"), table(`Latency and accuracy on ${device}`, ["cell",
      el("th", { scope: "col", class: "n" }, "p50 ms"), el("th", { scope: "col", class: "n" }, "accuracy %"), "line"], rows)));
}

function drawScatter() {
  const shown = shownCells().filter((cell) => known(cell.accuracy) && known(cell.p50));
  const oneModel = new Set(shown.map((cell) => cell.model)).size === 1;
  const devices = [...new Set(shown.map((cell) => cell.device))];
  const groups = devices.slice(0, panels).map((device) => scatterPanel(device, shown.filter((cell) => cell.device === device),
    oneModel ? (cell) => cell.frontOfModel : (cell) => cell.front));
  find("scatter-panels").replaceChildren(...(groups.length ? [legend(), el("div", { class: "panels" }, groups)]
    : [el("p", { class: "quiet" }, "None of the cells shown has an accuracy: their models have no labelled data.")]),
  devices.length > panels ? el("button", { type: "button", onclick: () => { panels = devices.length; drawScatter(); } },
    `Show all ${devices.length} devices`) : "");
}
