import type { Clock } from "../../shared/clock.ts";
/** How something ended, for the page that a browser is led to: its address shall hold nothing of it but a key. */
export interface ToldEnds<End> {
  /** `unless`: where something is known already, that stays. */
  tell(key: string, end: End, unless?: "told"): void;
  of(key: string): End | null;
}

const REMEMBERED_MS = 15 * 60_000;
const MOST = 200;

export function createToldEnds<End>(
  { now }: Pick<Clock, "now">,
  onTell: () => void = () => {},
): ToldEnds<End> {
  const told = new Map<string, { end: End; at: number }>();
  const of = (key: string) => {
    const found = told.get(key);
    return found && Math.abs(now() - found.at) < REMEMBERED_MS ? found.end : null;
  };
  return {
    tell: (key, end, unless) => {
      if (unless === "told" && of(key) !== null) return;
      told.delete(key);
      told.set(key, { end, at: now() });
      for (const oldest of told.keys()) {
        if (told.size <= MOST) break;
        told.delete(oldest);
      }
      onTell();
    },
    of,
  };
}
