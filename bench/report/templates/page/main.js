// The page comes to life: the table at once, charts when the browser has time.
const CHARTS = { scatter: drawScatter, ladder: drawLadder, faceoff: drawFaceoff, histories: drawHistories };

function startCharts() {
  const drawHeatTable = startHeat();
  const waiting = new Set();
  let asked = false;
  const draw = () => {
    asked = false;
    for (const part of waiting) part();
    waiting.clear();
  };
  const ask = (...parts) => {
    for (const part of parts) waiting.add(part);
    if (!asked) setTimeout(draw, 0);
    asked = true;
  };
  watch((changed) => {
    if (changed.some((name) => FILTERS.includes(name))) ask(drawHeatTable, ...Object.values(CHARTS));
    else {
      if (changed.includes("metric") || changed.includes("basis")) ask(drawHeatTable);
      if (changed.includes("ladder")) ask(drawLadder);
    }
  });
  ask(drawHeatTable, ...Object.values(CHARTS), drawTimelines);
}

state = readHash();
for (const hidden of document.querySelectorAll(".scripted")) hidden.hidden = false;
startTheme();
startFilters();
startTable();
startCharts();
startDetail();
addEventListener("popstate", restore);
addEventListener("hashchange", restore);
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-to]");
  if (link) setTimeout(() => find(link.dataset.to).scrollIntoView(), 0);
});
