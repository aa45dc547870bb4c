import type { Command } from "commander";
import { replayCommand } from "../../core/advice/command-lines.ts";
import type { RerunReport } from "../../flows/rerun/rerun.ts";
import type { RerunPlan } from "../../flows/rerun/selection.ts";
import type { Terminal } from "../../shared/terminal.ts";
import { count, grouped } from "../../shared/text.ts";
import type { World } from "../../shared/world.ts";
import type { NewRun } from "../../store/contract/store.ts";
import { vendorNames } from "./known-values.ts";
import { readCount, utcReader } from "./option-values.ts";
import type { Session } from "./with-app.ts";

/** What `replay` and `backfill` show and ask alike: a preview first, then the queue at work. */
export interface RerunFlags {
  vendor?: string;
  since?: number;
  until?: number;
  limit?: number;
  rate?: number;
  detach?: boolean;
}

export function withRerunOptions(command: Command, { clock }: Pick<World, "clock">): Command {
  const readTime = utcReader(clock);
  return command
    .option("--vendor <vendor>", `only this vendor: ${vendorNames()}`)
    .option("--since <time>", "from then on, as 2026-11-01 (00:00 UTC), yesterday or 1h", readTime)
    .option("--until <time>", "up to then, exclusive", readTime)
    .option("--limit <n>", "at most so many", readCount)
    .option("--rate <n>", "queue at most so many a second", readCount)
    .option("--detach", "only queue; serve delivers");
}

export async function previewOrRun(
  { app, world, globals, terminal, print, say }: Session,
  {
    selections,
    flags,
    run,
  }: { selections: readonly RerunPlan[]; flags: RerunFlags; run: Pick<NewRun, "command" | "filter"> },
): Promise<void> {
  const [{ rerun }, { totalOf }] = await Promise.all([
    import("../../flows/rerun/rerun.ts"),
    import("../../flows/rerun/selection.ts"),
  ]);
  const { matched, skipped, waiting } = totalOf(selections);
  if (!globals.yes) {
    print({
      json: { matched, queued: 0, skipped, delivered: 0, rejected: 0 },
      text: () =>
        renderPreview(selections, flags, terminal.table) +
        (waiting > 0 ? `\nOf these, ${grouped(waiting)} ${waiting === 1 ? "waits" : "wait"} already.` : "") +
        selections.map((each) => goneWords(each)).join(""),
    });
    if (matched > skipped) say("\nNothing is sent yet: add --yes to send them.");
    return;
  }
  const { operatorOf } = await import("./operator.ts");
  const most = Math.min(matched - skipped, flags.limit ?? matched);
  const queueing = terminal.progress("queueing  ", Math.max(0, most - waiting));
  const shown = { bar: queueing };
  const report = await rerun(app, await app.store(), selections, {
    run: { ...run, org: app.org, who: operatorOf(world.env) },
    limit: flags.limit ?? null,
    perSecond: flags.rate ?? null,
    detach: flags.detach === true,
    signal: world.signal,
    onQueued: (queued) => {
      if (!globals.json) queueing.set(queued);
    },
    onStanding: ({ delivered, rejected, held }, total, note) => {
      if (globals.json) return;
      const done = delivered + rejected + held;
      if (shown.bar === queueing) {
        queueing.end();
        shown.bar = terminal.progress("delivering", total, done);
      }
      shown.bar.set(done, note);
    },
  }).finally(() => {
    if (!globals.json) shown.bar.end();
    if (world.signal.aborted)
      say("What was queued stays queued: serve delivers it, or this command again, or run retry.");
  });
  const { queued, delivered, rejected } = report;
  print({
    json: { matched, queued, skipped, delivered, rejected },
    text: () => renderReport(report),
  });
  if (report.problem) throw report.problem;
}

function renderPreview(
  selections: readonly RerunPlan[],
  flags: RerunFlags,
  table: Terminal["table"],
): string {
  const rows = selections.map(({ connection, counts }) => [
    connection.vendor,
    connection.account?.name ?? "–",
    String(counts.matched),
    String(counts.skipped),
    String(Math.min(counts.matched - counts.skipped, flags.limit ?? Number.POSITIVE_INFINITY)),
  ]);
  return table(["vendor", { name: "account", drop: 1 }, "matched", "held back", "would go out"], rows);
}

/** Held back for good, unless somebody types this. */
function goneWords({ connection, counts: { gone = 0 } }: RerunPlan): string {
  if (gone === 0) return "";
  const those = gone === 1 ? "its contact is" : "their contacts are";
  return `\n${count(gone, "result")} held back since ${those} gone from the portal; to make them anew: ${replayCommand(connection, "gone")}`;
}

function renderReport({ matched, queued, waited, delivered, rejected, held, pending }: RerunReport): string {
  const parts = [
    `${delivered} delivered`,
    ...(rejected > 0 ? [`${rejected} rejected`] : []),
    ...(held > 0 ? [`${held} held`] : []),
    ...(pending > 0 ? [`${pending} waiting`] : []),
  ];
  const before = waited > 0 ? `, ${waited} waited already` : "";
  return `${count(matched, "result")} matched, ${queued} queued${before}: ${parts.join(", ")}`;
}
