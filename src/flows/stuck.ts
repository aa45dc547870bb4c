import { count } from "../shared/text.ts";

/** The guide's advice for results that do not move. */
export function stuckWords(stuck: number, vendor: string): string {
  return `${count(stuck, "result")} undelivered to ${vendor} for over 30 minutes. Look at jc-integrations logs --outcome retry, then run jc-integrations resync-properties`;
}
