// Histories: a small line in tables, a chart with its numbers in the detail.
const STATES = { new: ["bad", "slower since this run"], spike: ["warn", "far off in this run alone"], sustained: ["bad", "slower for longer"], recovered: ["good", "recovered"],
  improved: ["good", "faster"], flaky: ["warn", "to and fro"], steady: ["quiet", "steady"], short: ["quiet", "too few runs"] };

function spark(series, width = 76, height = 22) {
  const [tone, words] = STATES[series.state] || ["quiet", series.state];
  const values = series.points.map((point) => point.p50);
  const x = scale([0, Math.max(1, values.length - 1)], 3, width - 4);
  const y = scale(span([...values, values[0] * 1.04, values[0] * 0.96], 0.1), height - 3, 3);
  const placeOf = (night) => series.points.findIndex((point) => point.night === night);
  return svg("svg", { viewBox: `0 0 ${width} ${height}`, width, height, class: `spark ${tone}`, role: "img",
    "aria-label": `${words}; ${counted(values.length, "run")}, ${digits(values[0])} to ${digits(values.at(-1))} ms` },
  svg("title", {}, `${words}. ${series.reason}`),
  series.changes.map((each) => svg("line", { class: `since ${each.call === "worse" ? "bad" : "good"}`, x1: x(placeOf(each.night) - 0.5),
    x2: x(placeOf(each.night) - 0.5), y1: 1, y2: height - 1 })),
  svg("path", { d: path(values.map((value, place) => [x(place), y(value)])) }),
  svg("circle", { cx: x(values.length - 1), cy: y(values.at(-1)), r: 2.4 }));
}

function historyChart(series) {
  const [width, height, left, bottom] = [640, 190, 48, 150];
  const points = series.points;
  const [least, most] = [Math.min(...points.map(({ p50 }) => p50)) * 0.8, Math.max(...points.map(({ p50 }) => p50)) * 1.25];
  const y = scale(span(points.flatMap(({ p50, low, high }) => [p50, Math.max(low ?? p50, least), Math.min(high ?? p50, most)])), bottom, 12);
  const x = scale([0, Math.max(1, points.length - 1)], left + 8, width - 14);
  const placeOf = (night) => points.findIndex((point) => point.night === night);
  const every = Math.max(1, Math.ceil(points.length / 7));
  return el("figure", {}, el("figcaption", {}, el("b", {}, "History of p50, ms. "), (STATES[series.state] || ["", series.state])[1], ". ", series.reason),
    chart(width, height, `p50 of ${counted(points.length, "run")}`, axisLeft(y, left, width - 8),
      points.map((point, place) => place % every === 0 && svg("text", { class: "tick", x: x(place), y: bottom + 16, "text-anchor": "middle" },
        raw.nights[point.night][1].slice(5, 10))),
      points.map(({ low, high }, place) => known(low) && svg("line", { class: "whisker", x1: x(place), x2: x(place), y1: y(Math.max(low, y.low)), y2: y(Math.min(high, y.high)) })),
      series.changes.map((each) => [
        svg("line", { class: `since ${each.call === "worse" ? "bad" : "good"}`, x1: x(placeOf(each.night) - 0.5), x2: x(placeOf(each.night) - 0.5), y1: 8, y2: bottom }),
        svg("text", { class: "label", x: x(placeOf(each.night) - 0.5) - 4, y: 16, "text-anchor": "end" }, change(each.ratio))]),
      svg("path", { class: "line", d: path(points.map(({ p50 }, place) => [x(place), y(p50)])) }),
      points.map(({ p50 }, place) => svg("circle", { class: "dot", cx: x(place), cy: y(p50), r: 3 }))),
    series.changes.length > 0 && el("ul", {}, series.changes.map((each) => el("li", {}, `${raw.nights[each.night][1]}: ${each.call}, ${change(each.ratio)}`,
      each.deviceWide ? ", with most of the device's cells" : "", each.versions.length ? `; changed then: ${each.versions.join(", ")}` : ""))),
    el("details", {}, el("summary", {}, "Numbers"), table("p50 by run", ["run", "started", "p50 ms", "95 % interval"], [...points].reverse().map((point) => el("tr", {},
      el("th", { scope: "row" }, raw.nights[point.night][0]), el("td", {}, raw.nights[point.night][1]), number(digits(point.p50)),
      number(known(point.low) ? `${digits(point.low)}–${digits(point.high)}` : UNKNOWN))))));
}

const URGENCY = ["new", "spike", "sustained", "flaky", "recovered", "improved", "steady", "short"];
const MOST_HISTORIES = 24;

function drawHistories() {
  const shown = new Set(shownCells());
  const found = allSeries.filter((series) => shown.has(series.cell) && series.points.length > 1)
    .sort((a, b) => URGENCY.indexOf(a.state) - URGENCY.indexOf(b.state));
  const moving = found.filter((series) => !["steady", "short"].includes(series.state) || series.changes.length);
  const listed = (moving.length ? moving : found).slice(0, MOST_HISTORIES);
  const rows = listed.map((series) => el("tr", {}, el("th", { scope: "row", class: "name" }, opens(series.cell, series.cell.name)),
    el("td", {}, el("span", { class: `chip ${STATES[series.state][0]}` }, STATES[series.state][1])), el("td", {}, spark(series, 220, 34)),
    number(digits(series.points.at(-1).p50)), el("td", { class: "reason" }, series.changes.slice(-2).map((each) => el("div", {},
      `${raw.nights[each.night][1].slice(0, 10)} ${change(each.ratio)} `, each.versions.join(", ")))) ));
  const left = found.length - listed.length;
  find("history-table").replaceChildren(found.length
    ? table("Histories that moved", ["cell", "state", "p50 over runs", el("th", { scope: "col", class: "n" }, "now, ms"), "changes"], rows)
    : el("p", { class: "quiet" }, "No earlier runs of these cells."),
  left > 0 ? el("p", { class: "quiet" }, `${left.toLocaleString("en")} more cells ${moving.length > listed.length ? "are not shown: filter to see them" : "are steady"}.`) : "");
}
