/**
 * All that runs in the browser: it is told that something changed, fetches the page it shows anew, and puts the new content
 * in place. Without it everything works, and a reload shows the news.
 */
export const SCRIPT = `"use strict";
(() => {
  const RETRY_MS = 15000;
  let isUnderWay = false;
  let isAgain = false;
  const isTyping = (main) => {
    const at = document.activeElement;
    return at !== null && main.contains(at) && at.matches("input, select, textarea");
  };
  const replace = (main, next) => {
    if (main.innerHTML === next.innerHTML) return;
    const focused = document.activeElement?.id;
    const open = [...main.querySelectorAll("details[open][id]")].map(({ id }) => id);
    main.replaceChildren(...next.childNodes);
    for (const id of open) document.getElementById(id)?.setAttribute("open", "");
    if (focused && focused !== "main") document.getElementById(focused)?.focus({ preventScroll: true });
  };
  const refresh = async () => {
    const main = document.querySelector("main[data-live]");
    if (main === null || isTyping(main)) return;
    if (isUnderWay) {
      isAgain = true;
      return;
    }
    isUnderWay = true;
    try {
      const answer = await fetch(location.href, { credentials: "same-origin", redirect: "error" });
      if (answer.status === 401) return location.reload();
      if (!answer.ok) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const next = page.querySelector("main[data-live]");
      if (next !== null) replace(main, next);
    } catch {
      // The next event tries again.
    } finally {
      isUnderWay = false;
      if (isAgain) {
        isAgain = false;
        void refresh();
      }
    }
  };
  const listen = () => {
    const source = new EventSource("/admin/live");
    // What happened since the page was made was told to nobody.
    source.addEventListener("open", () => void refresh());
    source.addEventListener("changed", () => void refresh());
    source.addEventListener("error", () => {
      if (source.readyState === EventSource.CLOSED) setTimeout(listen, RETRY_MS);
    });
  };
  if (document.querySelector("main[data-live]") !== null) listen();
})();
`;
