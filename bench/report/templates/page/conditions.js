// A device over the run: temperature, clock, load and battery, on one axis of time.
const READINGS = [["temperature", "°C", 1], ["highest clock", "MHz", 2], ["load", "processes", 3], ["battery", "%", 4]];

function timeline(name, readings) {
  const told = READINGS.filter(([, , column]) => readings.filter((reading) => known(reading[column])).length > 1);
  if (readings.length < 2 || !told.length) return el("p", { class: "quiet" }, "Too few readings of its conditions for a timeline.");
  const [width, left, each] = [640, 56, 74];
  const start = readings[0][0];
  const minutes = (reading) => (reading[0] - start) / 60;
  const x = scale([0, Math.max(...readings.map(minutes), 1 / 60)], left, width - 12);
  const height = told.length * each + 40;
  const bands = told.map(([label, unit, column], place) => {
    const seen = readings.filter((reading) => known(reading[column]));
    const y = scale(span(seen.map((reading) => reading[column]), 0.15), (place + 1) * each - 4, place * each + 22);
    return svg("g", {}, svg("text", { class: "label", x: left, y: place * each + 13 }, `${label}, ${unit}`),
      axisLeft(y, left, width - 12, tickText, 2), svg("path", { class: "line", d: path(seen.map((reading) => [x(minutes(reading)), y(reading[column])])) }));
  });
  const summary = told.map(([label, unit, column]) => {
    const values = readings.map((reading) => reading[column]).filter(known);
    return `${label} ${tickText(Math.min(...values))} to ${tickText(Math.max(...values))} ${unit}`;
  }).join("; ");
  return el("figure", {}, el("figcaption", {}, el("b", {}, "Conditions over the run. "), summary, "."),
    chart(width, height, `Conditions of ${name}: ${summary}`, bands, axisBelow(x, told.length * each, told.length * each - 4, "minutes since the first reading")));
}

function drawTimelines() {
  raw.devices.forEach(([name, , readings], place) => {
    const holder = find(`timeline-${place + 1}`);
    if (holder) holder.replaceChildren(timeline(textOf(name), readings));
  });
}
