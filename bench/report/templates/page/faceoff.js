// Runtimes side by side on each device, at equal precision and threads.
const MOST_FACES = 4;

function faceRows(group, columns) {
  const keys = new Map();
  for (const cell of group) {
    const key = [cell.model, cell.precision, cell.threads, cell.batch].join("\u0000");
    if (!keys.has(key)) keys.set(key, []);
    keys.get(key).push(cell);
  }
  const rows = [...keys.values()].filter((row) => row.length > 1)
    .sort((a, b) => a[0].model.localeCompare(b[0].model) || precisions.indexOf(a[0].precision) - precisions.indexOf(b[0].precision));
  return rows.map((row) => {
    const most = Math.max(...row.map((cell) => cell.p50 || 0), 1e-9);
    const one = row[0];
    return el("tr", {}, el("th", { scope: "row", class: "name" }, one.model, " ", one.precision, one.threads > 1 ? ` ×${one.threads}` : ""),
      columns.map((name) => face(row.filter((cell) => `${cell.runtime}/${cell.delegate}` === name), most)));
  });
}

function face(found, most) {
  const cell = found[0];
  if (!cell) return el("td", { class: "n none" }, "");
  if (cell.status !== "ok") return el("td", { class: "n none" }, opens(cell, cell.status));
  return el("td", { class: `n p50${cell.lowestHere ? " lowest" : ""}` }, !cell.rankable && !cell.emulated && el("small", {}, "not ranked "),
    opens(cell, digits(cell.p50)), bar(cell.p50 / most, cell.lowestHere ? "good" : ""));
}

function drawFaceoff() {
  const shown = shownCells(["runtime"]);
  const devices = [...new Set(shown.map((cell) => cell.device))];
  const parts = [];
  for (const device of devices) {
    const group = shown.filter((cell) => cell.device === device);
    const columns = runtimes.flatMap((runtime) => inOrder(group.filter((cell) => cell.runtime === runtime)
      .map((cell) => `${runtime}/${cell.delegate}`), []));
    const rows = columns.length > 1 ? faceRows(group, columns) : [];
    if (rows.length) parts.push([device, group[0].emulated, columns, rows]);
    if (parts.length >= MOST_FACES) break;
  }
  find("faceoff-tables").replaceChildren(...parts.flatMap(([device, emulated, columns, rows]) => [
    el("h3", {}, `${device} `, emulated ? el("span", { class: "chip warn" }, "emulated, not ranked") : ""),
    table(`Runtimes on ${device}, p50 in ms`, ["", ...columns.map((name) => el("th", { scope: "col", class: "n" }, name, el("small", {}, "ms")))], rows.slice(0, 40), "faces"),
    rows.length > 40 ? el("p", { class: "quiet" }, `${rows.length - 40} more rows: filter to see them.`) : ""]),
  parts.length ? "" : el("p", { class: "quiet" }, "No model of the cells shown was measured by two runtimes at one precision."),
  devices.length > MOST_FACES && parts.length >= MOST_FACES ? el("p", { class: "quiet" }, "Filter by device to see the others.") : "");
}
