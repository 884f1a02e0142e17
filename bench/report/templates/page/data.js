// The page's data: rows become cells with names, places in the list of texts become texts.
const raw = JSON.parse(document.getElementById("data").textContent);
const textOf = (place) => (place === null ? "" : raw.texts[place]);
const TEXT_COLUMNS = ["id", "device", "model", "precision", "runtime", "delegate", "engine", "status", "fault", "reason",
  "badge", "throttled", "disturbed", "metric", "outputs", "outputsWord", "part", "change"];
const TEXTS_COLUMNS = ["checks", "warnings", "circumstances", "differences", "noted"];

function verdictOf(values) {
  if (!values) return null;
  const [call, ratio, low, high, p, effect, reason, moreTrials, moreSeconds] = values;
  return { call: textOf(call), ratio, low, high, p, effect, reason: textOf(reason), moreTrials, moreSeconds };
}

function cellOf(row, place) {
  const cell = { place };
  raw.columns.forEach((name, column) => { cell[name] = row[column]; });
  for (const name of TEXT_COLUMNS) cell[name] = textOf(cell[name]);
  for (const name of TEXTS_COLUMNS) cell[name] = (cell[name] || []).map(textOf);
  cell.checks = groupsOf(cell.checks, 3);
  cell.differences = groupsOf(cell.differences, 3);
  cell.noted = groupsOf(cell.noted, 3);
  cell.circumstances = groupsOf(cell.circumstances, 2);
  cell.verdict = verdictOf(cell.verdict);
  cell.memory = verdictOf(cell.memory);
  cell.engineName = `${cell.runtime}/${cell.engine}`;
  cell.name = `${cell.model} ${cell.precision} ${cell.engineName} on ${cell.device}`;
  cell.words = [cell.name, cell.status, cell.fault, cell.reason, cell.badge, cell.change, ...cell.warnings].join(" ").toLowerCase();
  cell.series = null;
  return cell;
}

function groupsOf(values, size) {
  const groups = [];
  for (let place = 0; place < values.length; place += size) groups.push(values.slice(place, place + size));
  return groups;
}

function seriesOf([row, state, reason, points, changes]) {
  return {
    cell: cells[row], state, reason: textOf(reason),
    points: points.map(([night, p50, low, high]) => ({ night, p50, low, high })),
    changes: changes.map(([night, ratio, call, versions, deviceWide]) => (
      { night, ratio, call, versions: versions.map(textOf), deviceWide })),
  };
}

const cells = raw.cells.map(cellOf);
const allSeries = raw.series.map(seriesOf);
for (const series of allSeries) series.cell.series = series;
const byId = new Map(cells.map((cell) => [cell.id, cell]));

// Places in a known order, unknown names after them by their letters.
function inOrder(names, known) {
  const place = (name) => (known.includes(name) ? known.indexOf(name) : known.length);
  return [...new Set(names)].sort((a, b) => place(a) - place(b) || a.localeCompare(b));
}
const precisions = inOrder(cells.map((cell) => cell.precision), raw.precisions);
const runtimes = inOrder(cells.map((cell) => cell.runtime), raw.runtimes);
const MARKS = ["circle", "square", "triangle", "diamond", "cross", "plus", "down"];
const colourOf = (runtime) => `var(--s${Math.min(raw.runtimes.includes(runtime) ? raw.runtimes.indexOf(runtime)
  : raw.runtimes.length, 5)})`;
const markOf = (precision) => MARKS[Math.max(0, precisions.indexOf(precision)) % MARKS.length];
