import { dailyDue, type DueTimes, everyDue } from "../../core/due-times.ts";
import type { Config } from "../../shared/config.ts";
import { type AppError, isAppError } from "../../shared/errors.ts";
import { isPostgres } from "../../shared/store-url.ts";
import { count, shortBytes } from "../../shared/text.ts";
import type { FailedTask, Job, JobReport } from "./job.ts";

/** How often the service looks after tokens, alerts and what webhooks left to be asked. */
const EVERY_MINUTE = everyDue(60_000);
const HOUR_MS = 60 * 60_000;
const EVERY_HOUR = everyDue(HOUR_MS);

const MINUTES_OF_DAY = 24 * 60;

/** Where the log is in PostgreSQL, there is no file to be looked after. */
function ofFile(config: Pick<Config, "store.url">, due: DueTimes): DueTimes | null {
  return isPostgres(config["store.url"]) ? null : due;
}

/** The one table of jobs, in the order of help: a new job is one entry. */
export const JOBS: readonly Job[] = [
  {
    name: "retry",
    does: "deliver what waits, to all connections; serve does it by itself",
    takes: ["org"],
    due: () => null,
    load: async () => (await import("./retry.ts")).retry,
  },
  {
    name: "sweep",
    does: "queue the daily snapshot of invites in progress",
    takes: ["org"],
    due: (config) => dailyDue(config["schedule.sweep_at"]),
    load: async () => {
      const { sweepAll } = await import("../rerun/sweep.ts");
      return async (context, signal) => {
        const raised = await sweepAll(context, context.store, signal);
        return {
          counts: { raised },
          text: `${count(raised, "contact")} in progress will be sent.`,
          event: "swept",
        };
      };
    },
  },
  {
    name: "backup",
    does: "write a checked copy of the log, daily an hour after the sweep",
    due: (config) => ofFile(config, dailyDue((config["schedule.sweep_at"] + 60) % MINUTES_OF_DAY)),
    load: async () => {
      const [{ takeAndRotate }, { backUpNow }, { answering }] = await Promise.all([
        import("../backup/keep.ts"),
        import("../backup/now.ts"),
        import("../backup/order.ts"),
      ]);
      return async (context, signal) => {
        const takes = { ...context, signal };
        const taking = context.insists
          ? backUpNow(takes)
          : answering(context.stateDir, () => takeAndRotate(takes));
        const outcome = await taking.catch(unlessOfTheLog);
        if (isAppError(outcome)) return notBackedUp(outcome);
        const { taken, removed } = outcome;
        return {
          counts: { bytes: taken.bytes, events: taken.counts.events, removed: removed.length },
          text: `${count(taken.counts.events, "event")} backed up and looked through: ${taken.file}, ${shortBytes(taken.bytes)}`,
          event: "backed up",
        };
      };
    },
  },
  {
    name: "retention",
    does: "remove what is older than retention.days, daily two hours after the sweep",
    takes: ["dry-run", "compact"],
    due: (config) => dailyDue((config["schedule.sweep_at"] + 120) % MINUTES_OF_DAY),
    load: async () => {
      const { forgetOld, forgottenWords, rejectedWords } = await import("../retention/retention.ts");
      return async (context, signal) => {
        const isDry = context.isDryRun ?? false;
        const removed = await forgetOld(context, { isDry, signal, onProgress: context.onProgress });
        const warning = rejectedWords(removed, { isDry });
        const { invites, events, pushes, attempts } = removed;
        return {
          counts: { ...removed },
          text: [forgottenWords(removed, { isDry }), ...(warning === null ? [] : [warning])].join("; "),
          event: invites + events + pushes + attempts > 0 ? "removed what is old" : null,
          warning,
        };
      };
    },
  },
  {
    name: "vacuum",
    does: "take the last bytes of erased people out of the log, daily",
    due: (config) => ofFile(config, dailyDue((config["schedule.sweep_at"] + 180) % MINUTES_OF_DAY)),
    load: async () => async (context) => {
      const isDue = await context.store.bytesDue();
      if (isDue) await (await context.backupFiles()).vacuum();
      return {
        counts: { vacuumed: Number(isDue) },
        text: isDue
          ? "1 log written anew: no byte of erased people is left in it"
          : "0 bytes of erased people are left",
        event: isDue ? "wrote the log anew after an erasure" : null,
      };
    },
  },
  {
    name: "refresh",
    does: "refresh tokens that expire soon",
    takes: ["org"],
    due: () => EVERY_MINUTE,
    load: async () => {
      const { reconnectNeeded, refreshAll } = await import("../connect/refresh.ts");
      return async (context, signal) => {
        const { store, tokenTrouble } = context;
        const unreadable = await tokenTrouble.release(signal);
        const { refreshed, failed, freshUntil } = await refreshAll(context, store, signal);
        const full = failed.find(({ problem }) => isAppError(problem, "STORE_UNAVAILABLE"));
        if (full) throw full.problem;
        const locked = failed.filter(({ problem }) => isAppError(problem, "VAULT_UNAVAILABLE"));
        for (const { connection, problem } of locked) await tokenTrouble.note(connection, problem);
        // A login that is lost and tokens that cannot be read are told where they are noted.
        const isTold = ({ problem }: (typeof failed)[number]) =>
          isAppError(problem, "RECONNECT_NEEDED") || isAppError(problem, "VAULT_UNAVAILABLE");
        const tasks = failed.map((each) => ({ reason: each.problem.message, isTold: isTold(each) }));
        return {
          ...(unreadable === null && failed.length === 0 ? { restsUntil: freshUntil } : {}),
          counts: { refreshed },
          text: `${count(refreshed, "token")} refreshed`,
          event: null,
          failed: { event: "token not refreshed", tasks },
          // Also a login that was lost before.
          problem: unreadable ?? locked[0]?.problem ?? reconnectNeeded(await store.connections()),
        };
      };
    },
  },
  {
    name: "releases",
    does: "queue what a consent set free where its process died before",
    takes: ["org"],
    due: () => EVERY_MINUTE,
    load: async () => {
      const { finishReleases } = await import("../connect/consent-release.ts");
      return async (context) => {
        const released = await finishReleases(context);
        return {
          restsUntil: Number.POSITIVE_INFINITY,
          counts: { released },
          text: `${count(released, "result")} released`,
          event: released > 0 ? "released after a consent that was cut off" : null,
        };
      };
    },
  },
  {
    name: "subscriptions",
    does: "look whether the vendors' webhooks still reach us",
    takes: ["org"],
    due: () => EVERY_HOUR,
    load: async () => {
      const [{ checkSubscriptions }, { createTakeMissed }] = await Promise.all([
        import("../ats/check-subscriptions.ts"),
        import("../intake/take-missed.ts"),
      ]);
      return async (context, signal) => {
        const { store } = context;
        const take = createTakeMissed(context);
        const { checked, failed } = await checkSubscriptions({ ...context, take }, store, signal);
        return {
          counts: { checked },
          text: `${count(checked, "subscription")} checked`,
          event: null,
          failed: { event: "webhook subscription", tasks: failed.map(untold) },
        };
      };
    },
  },
  {
    name: "properties",
    does: "look whether accounts can take our values, and send what was left out",
    takes: ["org"],
    due: () => EVERY_HOUR,
    load: async () => {
      const { lookAtAllFields } = await import("../connect/look-at-fields.ts");
      return async (context, signal) => {
        const { store, insists } = context;
        const { checked, due, news, failed } = await lookAtAllFields(context, store, { insists, signal });
        for (const words of news) context.log.warn("a property cannot take our values", { reason: words });
        return {
          counts: { checked, due },
          text: `${count(checked, "account")} checked, ${count(due, "contact")} will be sent again`,
          event: due > 0 ? "what was left out follows" : null,
          failed: { event: "properties not looked at", tasks: failed.map(untold) },
        };
      };
    },
  },
  {
    name: "gone",
    does: "look whether contacts that were deleted in the portal are back",
    takes: ["org"],
    due: () => EVERY_HOUR,
    load: async () => {
      const { lookForGone } = await import("../connect/look-for-gone.ts");
      return async (context, signal) => {
        const { released, failed } = await lookForGone(context, context.store, signal);
        return {
          counts: { released },
          text: `${count(released, "result")} released`,
          event: released > 0 ? "contacts that were gone are back" : null,
          failed: { event: "contacts that are gone not looked for", tasks: failed.map(untold) },
        };
      };
    },
  },
  {
    name: "questions",
    does: "ask the vendors what their webhooks only name",
    takes: ["org"],
    due: () => EVERY_MINUTE,
    load: async () => {
      const { answerQuestions } = await import("../intake/look-ups.ts");
      return async (context, signal) => {
        const { store, insists } = context;
        const { answered, failed, isLeft, isAnyOpen } = await answerQuestions(context, store, {
          insists,
          signal,
        });
        return {
          isLeft,
          ...(isAnyOpen ? {} : { restsUntil: Number.POSITIVE_INFINITY }),
          ...(answered > 0 ? { hurries: "requests" } : {}),
          counts: { answered },
          text: `${count(answered, "question")} answered`,
          event: answered > 0 ? "looked up what webhooks name" : null,
          failed: { event: "what a webhook names waits to be looked up", tasks: failed.map(untold) },
        };
      };
    },
  },
  {
    name: "requests",
    does: "ask JobCannon for the invites that stages want",
    takes: ["org"],
    due: () => EVERY_MINUTE,
    load: async () => {
      const { requestInvites } = await import("../ats/request-invites.ts");
      const { createIsErased } = await import("../erasure/marks.ts");
      return async (context, signal) => {
        const { insists } = context;
        const isErased = createIsErased(context);
        const outcome = await requestInvites({ ...context, isErased }, { insists, signal });
        const { sent, failed, isLeft, isAnyOpen } = outcome;
        return {
          isLeft,
          ...(isAnyOpen ? {} : { restsUntil: Number.POSITIVE_INFINITY }),
          counts: { sent },
          text: `${count(sent, "invite")} asked for`,
          event: sent > 0 ? "invites asked for" : null,
          failed: { event: "invite not asked for yet", tasks: failed.map(untold) },
        };
      };
    },
  },
  {
    name: "alerts",
    does: "tell owners of trouble, once for each incident",
    due: () => EVERY_MINUTE,
    load: async () => {
      const { alertOwners, unsentAlerts } = await import("../alerting/alert-owners.ts");
      return async (context, signal) => {
        const outcome = await alertOwners({ ...context, vault: context.secrets }, signal);
        const { sent, failed, isAnyOpen } = outcome;
        return {
          // Logins and certificates, which are told days ahead, end without a change of the log.
          ...(isAnyOpen ? {} : { restsUntil: context.clock.now() + HOUR_MS }),
          counts: { sent },
          text: `${count(sent, "alert")} sent`,
          event: sent > 0 ? "alerts sent" : null,
          failed: { event: "alert not sent yet", tasks: failed.map(untold) },
          problem: unsentAlerts(outcome, context),
        };
      };
    },
  },
];

/** What is wrong with the log itself is told by others, and where events can be stored it keeps nobody from that. */
function unlessOfTheLog(error: unknown): AppError {
  if (isAppError(error, "STORE_UNAVAILABLE")) return error;
  throw error;
}

function notBackedUp(problem: AppError): JobReport {
  const failed = { event: "not backed up", tasks: [untold(problem.message)] };
  return { counts: { bytes: 0 }, text: "0 events backed up", event: null, failed, problem };
}

function untold(reason: string): FailedTask {
  return { reason };
}
