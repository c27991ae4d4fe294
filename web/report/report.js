(() => {
  "use strict";
  const page = document.documentElement;
  const asked = new URLSearchParams(location.search);

  const setLanguage = (language) => {
    page.lang = language === "zh" ? "zh-Hans" : "en";
    page.dataset.lang = language;
    const title = document.querySelector(`h1 .${language}`);
    if (title) document.title = `${title.textContent} · pitcall`;
  };
  const wanted = asked.get("lang") || navigator.language || "en";
  const theme = asked.get("theme");
  if (theme === "light" || theme === "dark") page.dataset.theme = theme;
  page.dataset.lang = wanted.toLowerCase().startsWith("zh") ? "zh" : "en";

  document.addEventListener("DOMContentLoaded", () => {
    setLanguage(page.dataset.lang);
    document.getElementById("language").addEventListener("click", () => setLanguage(page.dataset.lang === "zh" ? "en" : "zh"));
    document.getElementById("theme").addEventListener("click", () => {
      const dark = page.dataset.theme ? page.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
      page.dataset.theme = dark ? "light" : "dark";
    });
    document.querySelector(".controls").hidden = false;
  });
})();
