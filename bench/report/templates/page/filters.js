// Which cells are shown: one choice per property, and words that must all occur.
const CHOICES = [["device", "Device"], ["model", "Model"], ["runtime", "Runtime"], ["precision", "Precision"],
  ["status", "Status"], ["change", "Change"], ["badge", "Trust"], ["history", "History"], ["outputs", "Outputs"]];
const valueOf = (cell, name) => (name === "history" ? (cell.series ? cell.series.state : "") : cell[name]);

// The cells of the state, but for the filters in `but`.
function shownCells(but = []) {
  const wanted = FILTERS.filter((name) => name !== "q" && state[name] && !but.includes(name));
  const words = state.q.toLowerCase().split(/\s+/).filter(Boolean);
  return cells.filter((cell) => wanted.every((name) => valueOf(cell, name) === state[name])
    && words.every((word) => cell.words.includes(word)));
}

function startFilters() {
  const place = find("filters");
  const selects = {};
  for (const [name, label] of CHOICES) {
    const known = { precision: raw.precisions, runtime: raw.runtimes }[name] || [];
    const values = inOrder(cells.map((cell) => valueOf(cell, name)).filter(Boolean), known);
    if (values.length < 2 && !["device", "model", "status"].includes(name)) continue;
    const chooserOf = chooser(label, [["", "all"], ...values.map((value) => [value, value])], state[name],
      (value) => go({ [name]: value }));
    selects[name] = chooserOf.querySelector("select");
    place.append(chooserOf);
  }
  const words = el("input", { type: "search", "aria-label": "Search", placeholder: "any words", autocomplete: "off", spellcheck: "false",
    oninput: () => go({ q: words.value }, true) });
  place.append(el("label", { class: "chooser words" }, el("span", {}, "Search"), words));
  const reset = el("button", { type: "button", onclick: () => go(Object.fromEntries(FILTERS.map((name) => [name, ""]))) },
    "Clear filters");
  place.append(reset);
  const say = () => {
    for (const [name, select] of Object.entries(selects)) {
      select.value = state[name];
      select.classList.toggle("set", Boolean(state[name]));
    }
    if (words.value !== state.q) words.value = state.q;
    reset.disabled = !FILTERS.some((name) => state[name]);
  };
  watch(say);
  say();
}
