import type { Clock } from "../../shared/clock.ts";
import type { LinkPage } from "./link-pages.ts";

/** How consents ended, for the page that a browser is led to: its address shall hold neither code nor state. */
export interface ToldEnds {
  /** `unless`: where something is known already, that stays. */
  tell(cookie: string, page: LinkPage, unless?: "told"): void;
  of(cookie: string): LinkPage | null;
}

const REMEMBERED_MS = 15 * 60_000;
const MOST = 200;

export function createToldEnds({ now }: Pick<Clock, "now">): ToldEnds {
  const told = new Map<string, { page: LinkPage; at: number }>();
  const of = (cookie: string) => {
    const found = told.get(cookie);
    return found && Math.abs(now() - found.at) < REMEMBERED_MS ? found.page : null;
  };
  return {
    tell: (cookie, page, unless) => {
      if (unless === "told" && of(cookie) !== null) return;
      told.delete(cookie);
      told.set(cookie, { page, at: now() });
      for (const oldest of told.keys()) {
        if (told.size <= MOST) break;
        told.delete(oldest);
      }
    },
    of,
  };
}
