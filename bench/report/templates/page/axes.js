// Scales and axes of the charts, in the units of an SVG's view box.
const span = (values, pad = 0.05) => {
  const low = Math.min(...values);
  const high = Math.max(...values);
  const room = (high - low || Math.abs(high) || 1) * pad;
  return [low - room, high + room];
};

// Maps values to places between `from` and `to`, in proportion or by logarithm.
function scale([low, high], from, to, log = false) {
  const by = log ? Math.log : (value) => value;
  const place = (value) => from + ((by(value) - by(low)) / (by(high) - by(low) || 1)) * (to - from);
  place.low = low;
  place.high = high;
  place.log = log;
  return place;
}

function ticks(low, high, count = 5) {
  const step0 = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(step0));
  const step = power * [1, 2, 5, 10].find((factor) => power * factor >= step0);
  const found = [];
  for (let value = Math.ceil(low / step) * step; value <= high + step / 1e6; value += step) found.push(Number(value.toPrecision(12)));
  return found;
}

function logTicks(low, high) {
  const found = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power += 1) {
    for (const factor of [1, 2, 5]) {
      const value = factor * 10 ** power;
      if (value >= low && value <= high) found.push(Number(value.toPrecision(6)));
    }
  }
  return found.length > 2 ? found : ticks(low, high, 4);
}

const tickText = (value) => (Math.abs(value) >= 1000 ? value.toLocaleString("en") : String(Number(value.toPrecision(4))));

function axisBelow(x, y, top, name) {
  const values = x.log ? logTicks(x.low, x.high) : ticks(x.low, x.high);
  return svg("g", { class: "axis" }, values.map((value) => [
    svg("line", { x1: x(value), x2: x(value), y1: top, y2: y, class: "grid" }),
    svg("text", { x: x(value), y: y + 14, "text-anchor": "middle" }, tickText(value))]),
  svg("text", { x: x(x.high), y: y + 28, "text-anchor": "end", class: "name" }, name));
}

function axisLeft(y, x, right, text = tickText, count = 4) {
  return svg("g", { class: "axis" }, ticks(y.low, y.high, count).map((value) => [
    svg("line", { x1: x, x2: right, y1: y(value), y2: y(value), class: "grid" }),
    svg("text", { x: x - 6, y: y(value) + 3.5, "text-anchor": "end" }, text(value))]));
}

const path = (points) => points.map(([x, y], place) => `${place ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");
const chart = (width, height, label, ...children) => svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", class: "chart",
  "aria-label": label }, ...children);
