import { safeUrl } from "./url.ts";

/**
 * Opens a URL in the desktop's browser, if there is one. The promise of `open` tells nothing (it settles before
 * the browser's starter fails), so nobody waits for it: the URL was printed before.
 */
export function startDetached(url: string): void {
  if (!safeUrl(url)) return;
  import("open")
    .then(({ default: open }) => open(url))
    .then((child) => child.on("error", () => {}).unref())
    .catch(() => {});
}
