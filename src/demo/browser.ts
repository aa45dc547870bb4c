import { get } from "node:http";

/** Opens a page as a person's browser would, redirects and all. Loopback only: it speaks plain http. */
export async function visit(url: string): Promise<void> {
  let next: string | null = url;
  while (next !== null) next = await open(next);
}

/** Returns where the page sends the visitor on, or null where it ends. */
function open(url: string): Promise<string | null> {
  return new Promise((resolve, reject) => {
    get(url, (page) => {
      page.resume();
      page.once("end", () =>
        resolve(page.headers.location ? new URL(page.headers.location, url).href : null),
      );
    }).once("error", reject);
  });
}
