(() => {
  "use strict";
  const page = document.documentElement;
  const remember = (name, value) => { try { localStorage.setItem(name, value); } catch { /* private windows remember nothing */ } };

  // language and theme
  const title = () => {
    const heading = document.querySelector(`h1 .${page.dataset.lang}`);
    if (heading) document.title = `${heading.textContent} · pitcall`;
  };
  const language = document.getElementById("language");
  const theme = document.getElementById("theme");
  language.addEventListener("click", () => {
    page.dataset.lang = page.dataset.lang === "zh" ? "en" : "zh";
    page.lang = page.dataset.lang === "zh" ? "zh-Hans" : "en";
    remember("pitcall-language", page.dataset.lang);
    title();
  });
  theme.addEventListener("click", () => {
    const dark = page.dataset.theme ? page.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    page.dataset.theme = dark ? "light" : "dark";
    remember("pitcall-theme", page.dataset.theme);
  });
  language.hidden = theme.hidden = false;
  title();

  // live parts: the server draws them, and they are exchanged when something has happened (or ages have grown)
  if (!document.querySelector("[data-live]")) return;
  const QUIET_MS = 10000, APART_MS = 1500, AGAIN_MS = 3000;
  const status = document.getElementById("status");
  let last = Date.now(), planned = 0, busy = false;

  const show = (state) => { if (status) status.dataset.state = state; };
  const exchange = (text) => {
    const fresh = new DOMParser().parseFromString(text, "text/html");
    for (const part of document.querySelectorAll("[data-part]")) {
      const newer = fresh.getElementById(part.id);
      if (!newer || newer.outerHTML === part.dataset.was) continue;
      const known = new Set([...part.querySelectorAll("[data-key]")].map((item) => item.dataset.key));
      const focused = part.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
      part.className = newer.className;
      part.replaceChildren(...newer.cloneNode(true).childNodes);
      part.dataset.was = newer.outerHTML;
      for (const item of part.querySelectorAll("[data-key]")) if (known.size && !known.has(item.dataset.key)) item.classList.add("new");
      if (focused) part.querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus();
    }
  };
  const refresh = async () => {
    planned = 0;
    if (busy || document.hidden) return;
    busy = true;
    try {
      const answer = await fetch(location.href, { headers: { accept: "text/html" } });
      if (answer.redirected) { location.assign(answer.url); return; }
      if (answer.ok) exchange(await answer.text());
    } catch {
      show("lost");
    } finally {
      busy = false;
      last = Date.now();
    }
  };
  const soon = () => { planned ||= setTimeout(refresh, Math.max(0, last + APART_MS - Date.now())); };

  // the server keeps what it has gathered for a moment: look again when that is over
  let again = 0;
  const changed = () => { soon(); clearTimeout(again); again = setTimeout(soon, AGAIN_MS); };

  // a browser keeps six connections to a server: only what is looked at holds one
  let stream = null;
  const connect = () => {
    if (stream || document.hidden) return;
    stream = new EventSource("/api/v1/stream");
    stream.addEventListener("open", () => { show("open"); soon(); });
    stream.addEventListener("error", () => show("lost"));
    for (const kind of ["alert", "order", "delivery", "pipeline"]) stream.addEventListener(kind, changed);
  };
  const disconnect = () => { stream?.close(); stream = null; };
  connect();
  setInterval(() => { if (Date.now() - last > QUIET_MS) soon(); }, 1000);
  addEventListener("pagehide", disconnect);
  addEventListener("pageshow", connect);
  document.addEventListener("visibilitychange", () => { if (document.hidden) disconnect(); else connect(); });
})();
