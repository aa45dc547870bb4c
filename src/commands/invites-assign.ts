import type { Command } from "commander";
import { assignCommand, RETRY_COMMAND } from "../core/advice/command-lines.ts";
import { DEFAULT_ATS } from "../core/default-vendor.ts";
import {
  type AssignContext,
  assign,
  candidatesFor,
  openToAssign,
  waitingForCandidate,
} from "../flows/ats/assign.ts";
import { AppError } from "../shared/errors.ts";
import { plain } from "../shared/text.ts";
import type { World } from "../shared/world.ts";
import type { FoundCandidate } from "../vendors/contract/destination.ts";
import { destinationLabels } from "../vendors/index.ts";
import { vendorNames } from "./session/known-values.ts";
import { refuseMistyped } from "./session/log-to-read.ts";
import { type Session, withApp } from "./session/with-app.ts";

interface Flags {
  vendor: string;
  candidate?: string;
  job?: string;
}

/** `invites assign`: whose result an invite's is, where several candidates fit. */
export function registerAssign(invites: Command, world: World): void {
  invites
    .command("assign")
    .argument("[invitation]", "its id")
    .description("say whose result it is where several candidates fit; without one: list those that wait")
    .option("--candidate <id>", "the candidate; those that fit are listed without it")
    .option("--job <id>", "the job; the candidate's own without it")
    .option("--vendor <ats>", `the applicant tracking system: ${vendorNames("ats")}`, DEFAULT_ATS)
    .addHelpText(
      "after",
      `\nThe result then goes to that application of ${destinationLabels("ats")},\nwhatever its events say. A candidate with another address is taken with --yes.\n\nExamples:\n  jc-integrations invites assign\n  jc-integrations invites assign inv_7Q2 --candidate 4f1c --job 4711`,
    )
    .action((id: string | undefined, flags: Flags, command: Command) =>
      withApp(world, command, (session) => run(session, id, flags)),
    );
}

async function run(session: Session, id: string | undefined, flags: Flags): Promise<void> {
  const { app, world } = session;
  const { vendor } = flags;
  await refuseMistyped(session, vendor);
  const store = await app.store();
  const of = { org: app.org, vendor, environment: "production", signal: world.signal } as const;
  const context = await openToAssign(app, store, of);
  if (id === undefined) return await list(session, context);
  const found = await candidatesFor(context, id);
  const candidateId = flags.candidate ?? (await chosen(session, found));
  if (candidateId === null) return showCandidates(session, id, found);
  const assigned = await assign(context, {
    invitationId: id,
    candidateId,
    jobId: flags.job ?? null,
    found,
    isMeant: session.globals.yes === true,
  });
  session.print({
    json: { invitation: id, candidate: assigned.candidateId, job: assigned.jobId },
    text: () =>
      `${plain(id)} goes to candidate ${plain(assigned.candidateId)} on job ${plain(assigned.jobId)}. Where no service runs: ${RETRY_COMMAND}`,
  });
}

async function list({ app, print, terminal }: Session, context: AssignContext): Promise<void> {
  const waiting = await waitingForCandidate(context);
  print({
    json: { waiting },
    text: () =>
      waiting.length === 0
        ? "No result waits for somebody to say whose it is."
        : [
            terminal.table(
              ["invite", { name: "why", below: true }],
              waiting.map(({ invitationId, reason }) => [plain(invitationId), plain(reason ?? "–")]),
            ),
            "",
            `See who fits: ${assignCommand({ org: app.org }, waiting[0]?.invitationId ?? "<invitation>")}`,
          ].join("\n"),
  });
}

function showCandidates(
  { print, terminal, app }: Session,
  id: string,
  found: readonly FoundCandidate[],
): void {
  print({
    json: { invitation: id, candidates: found },
    text: () =>
      found.length === 0
        ? "No candidate there has this invite's address. Name one with --candidate and --job."
        : [
            terminal.table(HEADINGS, found.map(cellsOf)),
            "",
            `Say whose it is: ${assignCommand({ org: app.org }, id)} --candidate <id>`,
          ].join("\n"),
  });
}

const HEADINGS = ["candidate", "name", "job", { name: "status", drop: 1 }];

function cellsOf({ candidateId, name, job, status }: FoundCandidate): string[] {
  const title = job?.title ? ` (${plain(job.title)})` : "";
  return [plain(candidateId), plain(name) || "–", job ? plain(job.id) + title : "–", plain(status ?? "–")];
}

/** Null where nobody is there to choose. */
async function chosen({ globals, world }: Session, found: readonly FoundCandidate[]): Promise<string | null> {
  const asks = globals.input && !globals.json && world.io.stdinIsTerminal && found.length > 0;
  if (!asks) return null;
  const { select } = await import("@inquirer/prompts");
  const choices = found.map((each) => ({ name: cellsOf(each).join("  "), value: each.candidateId }));
  const at = { input: world.io.stdin, output: world.io.stderr, signal: world.signal };
  return await select({ message: "Whose result is it?", choices }, at).catch((cause: unknown) => {
    throw new AppError("CANCELLED", "Cancelled. Nothing was changed", { cause });
  });
}
