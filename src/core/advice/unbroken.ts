/** Where our command lines stand in a text: broken in two, nobody could paste them. Pure. */
const PROGRAM = "jc-integrations";

/** Without a value: what comes next is not theirs. */
const FLAGS =
  /^--(?:yes|json|sandbox|confirm|via-service|dry-run|recreate|emulator|reveal|system|user|wide|all|compact)$/;
const VERBS =
  /^(?:list|verify|set|show|check|path|init|remove|test|subscribe|unsubscribe|rotate-secret|log|import|retry|sweep|retention|refresh|subscriptions|questions|gone|properties|backup|status|rekey|new-log|migrate|grants|copy|install|uninstall|exec)$/;
/** They take one word more: a vendor's name, or what other people chose. */
const NAMING = /^(?:connect|disconnect|sandbox-test|set|remove|show|import|verify|restore)$/;

/** The words of a line, each of our command lines as one: broken in two nobody could paste it. */
export function unbroken(line: string): string[] {
  const words = line.split(" ");
  const units: string[] = [];
  for (let at = 0; at < words.length; ) {
    if (words[at] === "rm" && words[at + 1]?.startsWith("'")) return [...units, words.slice(at).join(" ")];
    const asRoot = words[at] === "sudo" ? 1 : 0;
    const isOurs = words[at + asRoot]?.endsWith(PROGRAM);
    const length = isOurs ? asRoot + commandLength(words.slice(at + asRoot)) : 1;
    units.push(words.slice(at, at + length).join(" "));
    at += length;
  }
  return units;
}

/** A sentence with its full stop; without one behind a command, which would be copied with it. */
export function ended(text: string): string {
  return isCommandLast(text) || /[.!?]$/.test(text) ? text : `${text}.`;
}

/** One sentence behind the other; on a line of its own behind a command. */
export function andThen(text: string, next: string): string {
  return `${ended(text)}${isCommandLast(text) ? "\n" : " "}${next}`;
}

function isCommandLast(text: string): boolean {
  return unbroken(text).at(-1)?.includes(`${PROGRAM} `) === true || OTHERS_AT_END.test(text);
}

/** Of other programs, behind a colon. */
const OTHERS_AT_END = /: (?:sudo |systemctl |ls |fuser |psql |pg_restore |findmnt |chmod |cd |rm )[^.]*$/;

/** How many words of these a command line takes; it ends with the sentence at the latest. */
function commandLength(words: readonly string[]): number {
  let at = 1;
  while (at < words.length && !/[.;,:)]$/.test(words[at - 1] ?? "") && isPart(words, at)) at += 1;
  return at;
}

function isPart(words: readonly string[], at: number): boolean {
  const [before = "", word = "", after = ""] = [words[at - 1], words[at], words[at + 1]];
  const bare = word.replace(/[.;,:)]$/, "");
  const isQuoted = (words.slice(0, at).join(" ").match(/["']/g) ?? []).length % 2 === 1;
  if (isQuoted || bare.startsWith("--") || /["'<>]/.test(word) || after.startsWith("--")) return true;
  if (before.startsWith("--") && !FLAGS.test(before)) return true;
  const isFirst = (at === 1 || words[1]?.startsWith("--") === true) && /^[a-z][a-z-]+$/.test(bare);
  return isFirst || VERBS.test(bare) || NAMING.test(before);
}
