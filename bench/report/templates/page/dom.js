// Elements with text only: what comes from outside never becomes markup.
const SVG = "http://www.w3.org/2000/svg";

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && known(value)) element.setAttribute(name, value);
  }
  for (const child of children.flat(Infinity)) {
    if (known(child) && child !== false && child !== "") element.append(child);
  }
  return element;
}
const el = (tag, attributes, ...children) => fill(document.createElement(tag), attributes, children);
const svg = (tag, attributes, ...children) => fill(document.createElementNS(SVG, tag), attributes, children);
const find = (id) => document.getElementById(id);

function bar(share, kind) {
  const element = el("i", { class: `bar ${kind || ""}`, "aria-hidden": "true" });
  element.style.width = `${Math.max(0, Math.min(100, 100 * share)).toFixed(1)}%`;
  return element;
}

const SIGNS = { trusted: "✓", unverified: "○", "not trusted": "✗" };
const badge = (cell) => cell.badge && el("span", { class: `badge ${cell.badge.replace(" ", "-")}`, title: untrusted(cell) },
  el("span", { "aria-hidden": "true" }, SIGNS[cell.badge], " "), cell.badge);

// Which checks keep a cell from being trusted.
function untrusted(cell) {
  const doubts = cell.checks.filter(([, state]) => state !== "passed").map(([name, state]) => `${name}: ${state}`);
  return doubts.length ? doubts.join("\n") : cell.checks.length ? "all checks passed" : "no checks were made";
}

const CHANGES = { worse: "▲", better: "▼", same: "≈", "cannot tell": "?", "not comparable": "≠", broke: "✗", mended: "✓", new: "+" };
const changeTone = (word) => ({ worse: "bad", broke: "bad", better: "good", mended: "good", same: "quiet", new: "quiet" }[word] || "warn");
const changeChip = (word, ...text) => word && el("span", { class: `chip ${changeTone(word)}` },
  el("span", { "aria-hidden": "true" }, CHANGES[word] || "", " "), word, ...text);

const table = (caption, heads, rows, kind) => el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": caption },
  el("table", { class: kind || "" }, el("caption", { class: "unseen" }, caption),
    el("thead", {}, el("tr", {}, heads.map((head) => (head instanceof Node ? head : el("th", { scope: "col" }, head))))),
    el("tbody", {}, rows)));

// A select with a label: `options` are pairs of value and text.
function chooser(label, options, value, chosen) {
  const select = el("select", { "aria-label": label, onchange: () => chosen(select.value) },
    options.map(([key, text]) => el("option", { value: key, selected: key === value }, text)));
  return el("label", { class: "chooser" }, el("span", {}, label), select);
}

const marks = {
  circle: (x, y, r) => svg("circle", { cx: x, cy: y, r }),
  square: (x, y, r) => svg("rect", { x: x - r, y: y - r, width: 2 * r, height: 2 * r }),
  triangle: (x, y, r) => svg("path", { d: `M${x} ${y - 1.2 * r}L${x + 1.15 * r} ${y + r}L${x - 1.15 * r} ${y + r}Z` }),
  down: (x, y, r) => svg("path", { d: `M${x} ${y + 1.2 * r}L${x + 1.15 * r} ${y - r}L${x - 1.15 * r} ${y - r}Z` }),
  diamond: (x, y, r) => svg("path", { d: `M${x} ${y - 1.4 * r}L${x + 1.4 * r} ${y}L${x} ${y + 1.4 * r}L${x - 1.4 * r} ${y}Z` }),
  cross: (x, y, r) => svg("path", { class: "stroke", d: `M${x - r} ${y - r}L${x + r} ${y + r}M${x - r} ${y + r}L${x + r} ${y - r}` }),
  plus: (x, y, r) => svg("path", { class: "stroke", d: `M${x} ${y - 1.3 * r}V${y + 1.3 * r}M${x - 1.3 * r} ${y}H${x + 1.3 * r}` }),
};

// A link to another state of the page, made when it is followed: what else is chosen by then stays.
const leads = (changes) => ({ href: linkTo(changes), onclick: (event) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  go(changes);
} });
const opens = (cell, ...children) => el("a", { ...leads({ cell: cell.id }), class: "opens" }, ...children);
