import { sameText } from "../../shared/compare-secrets.ts";

/**
 * Waits for a pasted redirect URL of this very attempt. What else is typed gets an explanation, and the wait goes on;
 * when the lines end it goes on for ever, for the other ways to answer.
 */
export async function readPasted(from: {
  lines: AsyncIterable<string>;
  onNotice: ((text: string) => void) | undefined;
  attempt: { state: string };
  listener: { redirectUri: string };
}): Promise<URLSearchParams> {
  for await (const line of from.lines) {
    if (line.trim() === "") continue;
    const answer = parsePasted(line.trim(), from.attempt.state, from.listener.redirectUri);
    if (typeof answer !== "string") return answer;
    from.onNotice?.(answer);
  }
  return await new Promise<never>(() => {});
}

/** The redirect's parameters, or what is wrong with the text. A code alone could be anybody's: it has no state. */
function parsePasted(text: string, state: string, redirectUri: string): URLSearchParams | string {
  if (!URL.canParse(text))
    return `That is no address. Paste all of what the browser's address bar shows: ${redirectUri}?code=…`;
  const query = new URL(text).searchParams;
  if (!query.has("code") && !query.has("error"))
    return "That address carries no answer. Give consent first, then paste the address the browser ends at.";
  if (!sameText(query.get("state") ?? "", state))
    return "That address belongs to another attempt. Open the link above and paste the address it ends at.";
  return query;
}
