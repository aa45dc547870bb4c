import { connectCommand, replayCommand } from "../core/advice/command-lines.ts";
import { DEFAULT_VENDOR } from "../core/default-vendor.ts";
import { isoTime } from "../shared/clock.ts";
import { AppError } from "../shared/errors.ts";
import { maskedWords } from "../shared/masked-words.ts";
import { maskEmail } from "../shared/text.ts";
import type { AttemptQuery, LoggedAttempt, Store } from "../store/contract/store.ts";
import { byDay, dayWords, renderLine } from "./session/attempt-lines.ts";
import { type AskedAttempts, attemptsAsked } from "./session/attempts-asked.ts";
import { COUNTED_AT_MOST, moreWords, WHOLE } from "./session/option-values.ts";
import { shownTime } from "./session/shown-time.ts";
import type { Session } from "./session/with-app.ts";

export interface AttemptFlags extends AskedAttempts {
  limit: number;
  all?: boolean;
  reveal?: boolean;
}

const NO_ATTEMPTS = "No attempts yet.";
const NONE_MATCHES = "No attempt matches.";

/** `logs`: the last tries, as they went. */
export async function showAttempts(session: Session, flags: AttemptFlags): Promise<void> {
  const { app, terminal, print } = session;
  const { store, filter } = await attemptsAsked(session, flags);
  if (!store) {
    print({ json: { attempts: [], more: 0 }, text: () => NO_ATTEMPTS });
    return;
  }
  const shown = { terminal, time: shownTime(flags.local), reveal: flags.reveal === true };
  const query = queryOf(app.org, filter, flags);
  const { attempts: found } = await store.attempts(query);
  const more = await moreThan(found, query, store);
  const mayHaveOthers = found.length === 0 && Object.keys(filter).length > 0;
  const any = mayHaveOthers ? await store.attempts({ org: app.org, limit: 1 }) : null;
  const empty = !any || any.attempts.length === 0 ? NO_ATTEMPTS : NONE_MATCHES;
  print({
    json: { attempts: found.map((attempt) => jsonOf(attempt, flags)), more },
    text: () =>
      found.length === 0 ? empty : [...byDay(found, shown), ...belowWords(found, more, app.org)].join("\n"),
  });
}

/** `logs --follow`: the last tries and each that comes, until Ctrl-C. */
export async function followAttempts(session: Session, flags: AttemptFlags): Promise<void> {
  const { app, world, globals, terminal, print } = session;
  const { store, filter } = await attemptsAsked(session, flags);
  if (!store) throw noLogYet(app);
  const time = shownTime(flags.local);
  const shown = { terminal, time, reveal: flags.reveal === true };
  const query = queryOf(app.org, filter, flags);
  const { attempts: found, newest } = await store.attempts(query);
  let after = newest;
  let day = "";
  const show = (attempts: readonly LoggedAttempt[]) => {
    for (const attempt of attempts) {
      after = Math.max(after, attempt.id);
      const today = dayWords(attempt.at, time);
      if (today !== day && !globals.json) world.io.out(`${terminal.paint.bold(today)}\n`);
      day = today;
      print({ json: jsonOf(attempt, flags), text: () => renderLine(attempt, shown) });
    }
  };
  show(found);
  if (globals.json !== true && found.length === 0) world.io.err("waiting for attempts\n");
  await new Promise<void>((resolve, reject) => {
    let showing = Promise.resolve();
    const showNew = () => {
      showing = showing
        .then(async () => {
          const page = await store.attempts({ ...query, after, limit: WHOLE });
          show(page.attempts);
          // Past what does not fit, too: else each change has all of it looked at again.
          after = Math.max(after, page.newest);
        })
        .catch(reject);
    };
    const stop = store.watch(showNew);
    showNew();
    const end = () => {
      stop();
      void showing.then(resolve);
    };
    if (world.signal.aborted) end();
    else world.signal.addEventListener("abort", end, { once: true });
  });
}

function queryOf(
  org: string,
  filter: Omit<AttemptQuery, "org" | "limit">,
  { all, limit }: AttemptFlags,
): AttemptQuery {
  return { org, ...filter, limit: all ? WHOLE : limit };
}

function noLogYet({ stateDir, org }: Session["app"]): AppError {
  return new AppError("USAGE", `there is no log in ${stateDir} yet`, {
    hint: `Check --state-dir, or begin: ${connectCommand({ vendor: DEFAULT_VENDOR, org })}`,
  });
}

/** Beside those that were found, as far as anybody counts. */
async function moreThan(
  found: readonly LoggedAttempt[],
  { limit, ...query }: AttemptQuery,
  store: Store,
): Promise<number> {
  if (found.length < limit) return 0;
  return Math.max(0, (await store.countAttempts(query, limit + COUNTED_AT_MOST)) - found.length);
}

/** What is left out, and what to type for what came to a standstill. */
function belowWords(found: readonly LoggedAttempt[], more: number, org: string): string[] {
  const rest = moreWords(more, "earlier attempt");
  const gone = found.find(
    ({ outcome, pushState, heldCause }) => outcome === "held" && pushState === "held" && heldCause === "gone",
  );
  const anew = gone && replayCommand({ vendor: gone.vendor, org }, "gone");
  return [
    ...(rest === null ? [] : [rest]),
    ...(anew ? [`Held since their contacts are gone from the portal; to make them anew: ${anew}`] : []),
  ];
}

/** `version` is that of the output, so the push's own has another name. */
function jsonOf(attempt: LoggedAttempt, { reveal }: AttemptFlags) {
  const { subject, reason, at, version: pushVersion, pushState: _, heldCause: __, ...rest } = attempt;
  return {
    ...rest,
    pushVersion,
    at: isoTime(at),
    subject: reveal ? subject : maskEmail(subject),
    reason: reason === null || reveal ? reason : maskedWords(reason, [subject]),
  };
}
