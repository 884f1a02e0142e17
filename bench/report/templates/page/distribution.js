// One cell's samples: their density, drawn from the percentiles, over the medians of its trials.
function density(quantiles, at) {
  const middle = quantiles[20];
  const spread = Math.max((quantiles[30] - quantiles[10]) / 1.349, middle * 1e-4);
  const width = 0.6 * spread;
  const points = [];
  for (let place = 0; place < quantiles.length - 1; place += 1) {
    for (let part = 0; part < 4; part += 1) points.push(quantiles[place] + ((quantiles[place + 1] - quantiles[place]) * (part + 0.5)) / 4);
  }
  return at.map((value) => points.reduce((sum, point) => sum + Math.exp(-0.5 * ((value - point) / width) ** 2), 0));
}

function distribution(cell) {
  const quantiles = cell.quantiles;
  if (quantiles.length < 41) return el("p", { class: "quiet" }, "No samples were kept of this cell.");
  const [width, left, bottom, row] = [640, 14, 130, 13];
  const rows = Math.min(cell.medians.length, 24);
  const height = bottom + rows * row + 48;
  const end = quantiles[20] + 8 * Math.max(quantiles[30] - quantiles[20], 0.001 * quantiles[20]);
  const reach = span([quantiles[0], Math.min(quantiles[40], end), ...cell.medians], 0.04);
  const beyond = quantiles.filter((value) => value > reach[1]).length * 2.5;
  const x = scale(reach, left, width - left);
  const at = Array.from({ length: 161 }, (_, place) => reach[0] + ((reach[1] - reach[0]) * place) / 160);
  const tall = density(quantiles, at);
  const y = scale([0, Math.max(...tall)], bottom, 12);
  const curve = at.map((value, place) => [x(value), y(tall[place])]);
  return el("figure", {}, el("figcaption", {}, el("b", {}, "Distribution of all samples. "),
    "The band is the 95 % interval of p50, each dot a trial's median, the first trial on top.",
    beyond ? ` Up to ${beyond} % of the samples lie beyond the axis, the slowest at ${digits(quantiles[40])} ms.` : ""),
  chart(width, height, `${counted(cell.samples, "sample")} from ${digits(quantiles[0])} to ${digits(quantiles[40])} ms; p50 ${digits(cell.p50)} ms`,
    known(cell.low) && svg("rect", { class: "band", x: x(Math.max(cell.low, reach[0])), width: Math.max(1, x(Math.min(cell.high, reach[1])) - x(Math.max(cell.low, reach[0]))), y: 8, height: bottom + rows * row - 4 }),
    axisBelow(x, bottom + rows * row + 8, bottom, "latency, ms"),
    svg("path", { class: "area", d: `${path(curve)}L${x(reach[1])} ${bottom}L${x(reach[0])} ${bottom}Z` }),
    svg("path", { class: "line", d: path(curve) }),
    svg("line", { class: "middle", x1: x(cell.p50), x2: x(cell.p50), y1: 8, y2: bottom + rows * row + 4 }),
    cell.medians.slice(0, rows).map((median, place) => svg("circle", { class: "dot", cx: x(median), cy: bottom + 10 + place * row, r: 3.5 }))),
  el("details", {}, el("summary", {}, "Numbers"),
    el("p", {}, `Medians of the ${counted(cell.medians.length, "trial")}, ms: ${cell.medians.map((value) => String(value)).join(", ")}`),
    el("p", {}, `Percentiles 0 to 100 in steps of 2.5, ms: ${quantiles.join(", ")}`)));
}
