// Light or dark: as the system says, unless the reader chose.
function startTheme() {
  const button = find("theme");
  const media = matchMedia("(prefers-color-scheme: dark)");
  const dark = () => (document.documentElement.dataset.theme || (media.matches ? "dark" : "light")) === "dark";
  const say = () => {
    button.textContent = dark() ? "Light" : "Dark";
    button.setAttribute("aria-label", `Use ${dark() ? "light" : "dark"} colours`);
  };
  try {
    const kept = localStorage.getItem("bench-theme");
    if (kept === "dark" || kept === "light") document.documentElement.dataset.theme = kept;
  } catch { /* a file without storage: the system's choice stands */ }
  button.hidden = false;
  button.addEventListener("click", () => {
    document.documentElement.dataset.theme = dark() ? "light" : "dark";
    try { localStorage.setItem("bench-theme", document.documentElement.dataset.theme); } catch { /* as above */ }
    say();
  });
  media.addEventListener("change", say);
  say();
}
