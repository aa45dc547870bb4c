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
  dryRun?: boolean;
}

/** What the end of each says; part of its help. */
export const RERUN_EXITS = `

Exit codes: 0 all delivered · 7 some rejected or held · 4 a login must be renewed
            6 the vendor is away and the rest stays queued: without serve after
              some tries; beside serve after a minute in which nothing moved,
              unless stderr is a terminal: there it waits until Ctrl-C`;

export function withRerunOptions(command: Command, { clock }: Pick<World, "clock">): Command {
  const readTime = utcReader(clock);
  return command
    .option("--vendor <vendor>", `only this vendor: ${vendorNames()}`)
    .option("--since <time>", "from then on, as 2026-11-01 (00:00 UTC), yesterday or 1h", readTime)
    .option("--until <time>", "up to then, exclusive", readTime)
    .option("--limit <n>", "at most so many", readCount)
    .option("--rate <n>", "queue at most so many a second", readCount)
    .option("--detach", "only queue; serve delivers")
    .option("--dry-run", "preview, also beside --yes: how many would go out to each account");
}

const SAFE_TO_END = "Ctrl-C is safe: what is queued stays queued, and serve delivers it.";

export async function previewOrRun(
  { app, world, globals, terminal, print, say }: Session,
  {
    selections,
    flags,
    run,
  }: { selections: readonly RerunPlan[]; flags: RerunFlags; run: Pick<NewRun, "command" | "filter"> },
): Promise<void> {
  const [{ rerun }, { outgoingOf, totalOf }] = await Promise.all([
    import("../../flows/rerun/rerun.ts"),
    import("../../flows/rerun/selection.ts"),
  ]);
  const { matched, skipped, waiting } = totalOf(selections);
  if (matched === 0 && run.command === "replay") await sayNeverSent({ app, say }, selections);
  if (!globals.yes || flags.dryRun) {
    const outgoing = outgoingOf(selections, flags.limit);
    const none = { matched, queued: 0, skipped, delivered: 0, rejected: 0 };
    print({
      json: flags.dryRun ? { ...none, isDryRun: true, connections: jsonOf(selections, outgoing) } : none,
      text: () =>
        renderPreview(selections, outgoing, terminal.table) +
        (waiting > 0 ? `\nOf these, ${grouped(waiting)} ${waiting === 1 ? "waits" : "wait"} already.` : "") +
        selections.map((each) => goneWords(each)).join(""),
    });
    if (matched > skipped)
      say(
        `\nNothing is sent yet: ${flags.dryRun ? "type it with --yes, without --dry-run," : "add --yes"} to send them.`,
      );
    return;
  }
  const { operatorOf } = await import("./operator.ts");
  const most = Math.min(matched - skipped, flags.limit ?? matched);
  const queueing = terminal.progress("queueing  ", Math.max(0, most - waiting));
  const shown = { bar: queueing, isTold: false };
  const report = await rerun(app, await app.store(), selections, {
    run: { ...run, org: app.org, who: operatorOf(world.env) },
    limit: flags.limit ?? null,
    perSecond: flags.rate ?? null,
    detach: flags.detach === true,
    signal: world.signal,
    onQueued: (queued) => {
      if (!globals.json) queueing.set(queued);
    },
    isAttended: world.io.stderrIsTerminal && globals.json !== true,
    onWaiting: (reason) => {
      shown.bar.clear();
      say(`${reason.replace(/[.]?$/, ".")}${shown.isTold ? "" : ` ${SAFE_TO_END}`}`);
      shown.isTold = true;
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

/** What was never sent is nothing to send again, and not found by any filter. */
async function sayNeverSent(
  { app, say }: Pick<Session, "app" | "say">,
  selections: readonly RerunPlan[],
): Promise<void> {
  const [{ neverSent }, { neverSentLines }] = await Promise.all([
    import("../../flows/rerun/replay.ts"),
    import("../../core/advice/never-sent.ts"),
  ]);
  const labelOf = (vendor: string) => app.vendors.find((each) => each.vendor === vendor)?.label ?? vendor;
  for (const line of neverSentLines(await neverSent(await app.store(), selections, labelOf))) say(line);
}

function jsonOf(selections: readonly RerunPlan[], outgoing: readonly number[]) {
  return selections.map(({ connection: { vendor, account }, counts }, index) => ({
    vendor,
    account: account?.name ?? null,
    ...{ matched: counts.matched, skipped: counts.skipped, waiting: counts.waiting },
    outgoing: outgoing[index] ?? 0,
  }));
}

function renderPreview(
  selections: readonly RerunPlan[],
  outgoing: readonly number[],
  table: Terminal["table"],
): string {
  const rows = selections.map(({ connection, counts }, index) => [
    connection.vendor,
    connection.account?.name ?? "–",
    String(counts.matched),
    String(counts.skipped),
    String(outgoing[index] ?? 0),
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
