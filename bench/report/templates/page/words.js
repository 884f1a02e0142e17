// Numbers as people read them: three significant digits, units apart, a dash for unknown.
const UNKNOWN = "–";
const MIB = 1024 * 1024;
const known = (value) => value !== null && value !== undefined;

function digits(value) {
  if (!known(value)) return UNKNOWN;
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(3);
}
const percent = (fraction, places = 1) => (known(fraction) ? (100 * fraction).toFixed(places) : UNKNOWN);
const mebibytes = (bytes) => digits(known(bytes) ? bytes / MIB : null);
const change = (ratio) => (known(ratio) ? `${ratio >= 1 ? "+" : "−"}${Math.abs(100 * (ratio - 1)).toFixed(1)} %` : UNKNOWN);
const times = (ratio) => (known(ratio) ? `${ratio.toFixed(2)}×` : UNKNOWN);
const counted = (count, noun) => `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;

function duration(seconds) {
  if (seconds < 60) return `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

// What can be shown of a cell as one number; `better` is the direction, `before` its place in the baseline's values.
const METRICS = {
  p50: { name: "p50 latency", unit: "ms", of: (cell) => cell.p50, text: digits, better: "lower", before: 0 },
  p90: { name: "p90 latency", unit: "ms", of: (cell) => cell.p90, text: digits, better: "lower", before: 1 },
  peak: { name: "peak memory", unit: "MiB", of: (cell) => cell.peak, text: digits, better: "lower", before: 2 },
  size: { name: "size", unit: "MiB", of: (cell) => cell.size, text: mebibytes, better: "lower", before: 3 },
  accuracy: { name: "accuracy", unit: "%", of: (cell) => cell.accuracy, text: percent, better: "higher", before: 4 },
  load: { name: "load time", unit: "ms", of: (cell) => cell.load, text: digits, better: "lower", before: 5 },
};
