// Before anything is drawn: the language and theme that the reader chose before, or that the browser asks for.
(() => {
  "use strict";
  const page = document.documentElement;
  const asked = new URLSearchParams(location.search);
  const stored = (name) => { try { return localStorage.getItem(name); } catch { return null; } };
  const language = asked.get("lang") || stored("pitcall-language") || navigator.language || "en";
  const theme = asked.get("theme") || stored("pitcall-theme");
  page.dataset.lang = language.toLowerCase().startsWith("zh") ? "zh" : "en";
  page.lang = page.dataset.lang === "zh" ? "zh-Hans" : "en";
  if (theme === "light" || theme === "dark") page.dataset.theme = theme;
})();
