import { isoTime } from "../shared/clock.ts";
import { plain } from "../shared/text.ts";
import { logToRead } from "./session/log-to-read.ts";
import { type TimeFlags, timesOf, WHOLE } from "./session/option-values.ts";
import { shownTime } from "./session/shown-time.ts";
import type { Session } from "./session/with-app.ts";

interface Flags extends TimeFlags {
  limit: number;
  all?: boolean;
}

/** `logs --requests`: what JobCannon was asked for, and what it answered. */
export async function showRequests(session: Session, flags: Flags): Promise<void> {
  const { app, terminal, print } = session;
  const store = await logToRead(session);
  const query = { org: app.org, ...timesOf(flags), limit: flags.all ? WHOLE : flags.limit };
  const tries = (await store?.requestAttempts(query)) ?? [];
  const time = shownTime(flags.local);
  print({
    json: { requests: tries.map(({ at, ...attempt }) => ({ ...attempt, at: isoTime(at) })) },
    text: () =>
      tries.length === 0
        ? "JobCannon was not asked for any invite in that time."
        : terminal.table(
            [
              { name: "at", whole: true },
              "outcome",
              { name: "status", drop: 2 },
              { name: "test", drop: 3 },
              "candidate",
              { name: "assessment", drop: 1 },
              { name: "words", below: true },
            ],
            tries.map((attempt) => [
              time.second(attempt.at),
              attempt.outcome,
              String(attempt.httpStatus ?? "–"),
              plain(attempt.test),
              plain(attempt.candidateId),
              plain(attempt.assessmentId),
              plain(attempt.reason ?? "–"),
            ]),
          ),
  });
}
