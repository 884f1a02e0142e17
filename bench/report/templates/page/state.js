// The whole state of the page lies in the address after "#": every view can be linked to, and "back" works.
const USUAL = { device: "", model: "", runtime: "", precision: "", status: "", change: "", badge: "", history: "", outputs: "",
  q: "", sort: "", metric: "p50", basis: "", ladder: "", cell: "" };
const FILTERS = ["device", "model", "runtime", "precision", "status", "change", "badge", "history", "outputs", "q"];
let state = { ...USUAL };
const watchers = [];

function readHash() {
  const text = location.hash.slice(1);
  const found = { ...USUAL };
  if (text.includes("=")) {
    for (const [name, value] of new URLSearchParams(text)) if (name in USUAL) found[name] = value;
  }
  return found;
}

function hashOf(values) {
  const parts = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) if (value !== USUAL[name]) parts.set(name, value);
  return `#${parts}`;
}

const linkTo = (changes) => hashOf({ ...state, ...changes });

// Goes to another state. While a reader types, the newest entry of the history is replaced.
function go(changes, replace = false) {
  const hash = linkTo(changes);
  if (hash === (location.hash || "#")) return;
  if (replace) history.replaceState(null, "", hash);
  else history.pushState(null, "", hash);
  restore();
}

// Takes the state from the address and tells those who watch what is not as it was.
function restore() {
  const text = location.hash.slice(1);
  if (text && !text.includes("=")) return;
  const before = state;
  state = readHash();
  const changed = Object.keys(USUAL).filter((name) => state[name] !== before[name]);
  if (changed.length) for (const watcher of watchers) watcher(changed);
}
const watch = (watcher) => watchers.push(watcher);
