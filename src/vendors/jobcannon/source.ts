/** JobCannon itself, which tells us about its invites. */
import type { Source } from "../contract/source.ts";
import { eventIdOfLine, parseEvent } from "./event.ts";
import { claimOf } from "./webhook.ts";

export const jobcannon = {
  id: "jobcannon",
  path: "/jobcannon/events",
  secretName: "jobcannon.webhook-secret",
  largestBodyBytes: 1024 * 1024,
  claim: claimOf,
  parse: parseEvent,
  idOfBody: eventIdOfLine,
} satisfies Source;
