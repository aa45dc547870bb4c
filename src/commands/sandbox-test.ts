import { type Command, InvalidArgumentError, Option } from "commander";
import { AppError } from "../shared/errors.ts";
import { jsonText, plain } from "../shared/text.ts";
import type { Output, World } from "../shared/world.ts";
import { VENDORS } from "../vendors/index.ts";
import { vendorNames } from "./session/known-values.ts";
import { type Session, withApp, withoutApp } from "./session/with-app.ts";
import type { ChecklistReport, StepResult, Watcher } from "../flows/trial/checklist.ts";

interface Flags {
  job?: string;
  stage?: string;
  test?: string;
  wait: number;
  keep?: boolean;
  emulator?: boolean;
}

const WAIT_MS = 10 * 60_000;

const HELP = `
SmartRecruiters: walks the seven steps of the setup guide with a made-up
candidate, in the configured profile, with --emulator too. serve must be
running, its subscription must stand, and a person opens the link and takes
the test. HubSpot: writes one made-up contact into a test portal and reads it
back. Both run in the sandbox environment only, and remove what they made.

Exit codes: 0 passed · 6 a step failed · 7 the test was not taken in time

Examples:
  jc-integrations sandbox-test smartrecruiters --emulator
  jc-integrations sandbox-test smartrecruiters --job 4711 --wait 30m
  jc-integrations sandbox-test hubspot`;

export function registerSandboxTest(program: Command, world: World): void {
  program
    .command("sandbox-test")
    .argument("<vendor>", vendorNames())
    .description("try the whole road in a vendor's sandbox, or on the emulator without any account")
    .option("--job <id>", "the job that the candidate is put onto")
    .option("--stage <stage>", "the stage that triggers the test (else the job's only one)")
    .option("--test <test>", "the test (else the one that the stage triggers)")
    .addOption(
      new Option("--wait <time>", "for the person who takes the test, as 90s or 1h")
        .argParser(readWait)
        .default(WAIT_MS, "10m"),
    )
    .option("--keep", "leave the candidate or contact there")
    .option("--emulator", "against the embedded emulator: no account, no configuration, no service")
    .addHelpText("after", HELP)
    .action((vendor: string, flags: Flags, command: Command) =>
      flags.emulator
        ? withoutApp(world, command, (output) => runOnEmulator(output, vendor, flags))
        : withApp(world, command, (session) => runInSandbox(session, vendor, flags)),
    );
}

async function runOnEmulator(output: Output, vendor: string, flags: Flags): Promise<void> {
  const { trialOnEmulator } = await import("../demo/emulated-trial.ts");
  const profile = await configuredProfile(output, vendor);
  await show(output, { vendor, profile }, (watcher) =>
    trialOnEmulator(output.world, { vendor, profile, ...flags, keep: flags.keep === true, watcher }),
  );
}

/** The configured one, as far as there is a configuration; null where the vendor has no profiles. */
async function configuredProfile({ world, globals }: Output, vendor: string): Promise<string | null> {
  const declared = VENDORS.find((each) => each.vendor === vendor);
  if (declared === undefined || !("profile" in declared.keys.global)) return null;
  const [{ configOptions }, { readConfig }, { settingsOf }] = await Promise.all([
    import("../app/configuration.ts"),
    import("../shared/config.ts"),
    import("../shared/vendor-settings.ts"),
  ]);
  // Without any configuration it runs too: what is wrong with one is told where it counts.
  const config = readConfig({ ...configOptions(world, globals), isRequired: false }, () => {});
  const { profile } = settingsOf(config, declared, { org: config.org, environment: "sandbox" });
  return profile === "v1" ? "v1" : "published";
}

async function runInSandbox(session: Session, vendor: string, flags: Flags): Promise<void> {
  const { app, world } = session;
  const { ats, profile: spoken } = await app.destination({ org: app.org, vendor, environment: "sandbox" });
  const common = { org: app.org, vendor, signal: world.signal, keep: flags.keep === true };
  if (!ats) {
    const { tryContacts } = await import("../flows/trial/contact-trial.ts");
    const store = await app.store();
    return await show(session, { vendor, profile: null }, (watcher) =>
      tryContacts(app, store, { ...common, watcher }),
    );
  }
  const { tryAts } = await import("../flows/trial/ats-trial.ts");
  const jobId = flags.job ?? (await askForJob(session));
  const store = await app.store();
  await show(session, { vendor, profile: spoken ?? "v1" }, (watcher) =>
    tryAts(app, store, {
      ...common,
      watcher,
      jobId,
      stage: flags.stage ?? null,
      test: flags.test ?? null,
      waitMs: flags.wait,
      // For people the step itself shows it.
      onLink: async ({ link }) => {
        if (link !== null && session.globals.json) world.io.err(`${jsonText({ version: 1, link })}\n`);
      },
    }),
  );
}

async function askForJob({ globals, world }: Session): Promise<string> {
  if (!globals.input || globals.json || !world.io.stdinIsTerminal)
    throw new AppError("USAGE", "--job is missing", {
      hint: "As --job 4711: a job of the sandbox, one of whose stages triggers a test.",
    });
  const { input } = await import("@inquirer/prompts");
  const at = { input: world.io.stdin, output: world.io.stderr, signal: world.signal };
  return await input({ message: "Which job of the sandbox (its id)?", required: true }, at).catch(
    (cause: unknown) => {
      throw new AppError("CANCELLED", "Cancelled. Nothing was changed", { cause });
    },
  );
}

/** Shows the steps as they go, then ends as they did. */
async function show(
  output: Output,
  { vendor, profile }: { vendor: string; profile: string | null },
  run: (watcher: Watcher) => Promise<ChecklistReport>,
): Promise<void> {
  const { world, globals, print } = output;
  const drawn = globals.json ? silent : createDrawing(output);
  let report: ChecklistReport;
  try {
    report = await run(drawn);
  } catch (error) {
    throw world.signal.aborted ? world.signal.reason : error;
  } finally {
    drawn.stop();
  }
  const { passed, steps } = report;
  if (globals.json)
    print({ json: { vendor, ...(profile === null ? {} : { profile }), passed, steps }, text: () => "" });
  if (world.signal.aborted) throw world.signal.reason;
  const waiting = steps.find(({ status }) => status === "waiting");
  const failed = steps.filter(({ status }) => status === "failed");
  if (failed.length > 0) {
    const names = failed.map(({ title }) => title).join(", ");
    throw new AppError("VENDOR_REJECTED", `sandbox-test ${vendor} failed at: ${names}`, {
      ...(globals.json ? hintOf(failed[0]) : {}),
    });
  }
  if (waiting) {
    throw new AppError("PARTIAL", `sandbox-test ${vendor}: nobody finished the test in time`, {
      ...(globals.json ? hintOf(waiting) : {}),
    });
  }
}

function hintOf(step: StepResult | undefined): { hint?: string } {
  return step?.fix ? { hint: step.fix } : {};
}

interface Drawing extends Watcher {
  stop(): void;
}

const silent: Drawing = { begin: () => {}, note: () => {}, end: () => {}, stop: () => {} };

const MARKS = { passed: "✓", failed: "✗", skipped: "–", waiting: "…" } as const;
const TITLE_WIDTH = 25;
const REDRAW_EVERY_MS = 250;
const CLEAR_LINE = "\r\u001b[2K";

/** A line for each step once it has ended; on a terminal the running one has its own, with its time. */
function createDrawing({ world, terminal }: Output): Drawing {
  const { io, clock, redact } = world;
  const { paint, redraws } = terminal;
  let running: { title: string; note: string; startedAt: number; timer: NodeJS.Timeout | null } | null = null;

  const draw = () => {
    if (!running || !redraws) return;
    const seconds = ((clock.now() - running.startedAt) / 1_000).toFixed(1);
    const line = `◌ ${running.title.padEnd(TITLE_WIDTH)}  ${seconds} s  ${running.note}`;
    io.err(`${CLEAR_LINE}${paint.dim(line.slice(0, Math.max(20, io.columns() - 1)))}`);
  };
  const stop = () => {
    if (running?.timer) clearInterval(running.timer);
    if (running && redraws) io.err(CLEAR_LINE);
    running = null;
  };
  const tones = {
    passed: paint.green,
    failed: paint.red,
    skipped: paint.dim,
    waiting: paint.yellow,
  };

  return {
    begin: ({ title }) => {
      const timer = redraws ? setInterval(draw, REDRAW_EVERY_MS).unref() : null;
      running = { title, note: "", startedAt: clock.now(), timer };
      draw();
    },
    note: (text) => {
      if (running) running.note = plain(text);
    },
    end: (result) => {
      stop();
      // The link has to be whole, whatever is in it.
      const readable = result.id === "link" ? (text: string) => text : redact;
      const { title, status, evidence, cause, fix, ms } = result;
      const tone = tones[status];
      const time = status === "passed" && ms >= 1_000 ? paint.dim(`  (${(ms / 1_000).toFixed(1)} s)`) : "";
      const head = `${tone(MARKS[status])} ${title.padEnd(TITLE_WIDTH)}  `;
      const words = evidence ?? (status === "failed" ? "failed" : "");
      const detail = (name: string, text: string) =>
        text
          .split("\n")
          .map((line, index) => `    ${paint.dim((index === 0 ? name : "").padEnd(6))} ${plain(line)}`);
      const lines = [
        `${head}${status === "skipped" ? paint.dim(words) : words}${time}`,
        ...(cause === null ? [] : detail("cause", cause)),
        ...(fix === null ? [] : detail("fix", fix)),
      ];
      io.out(`${terminal.fit(readable(lines.join("\n")))}\n`);
    },
    stop,
  };
}

const UNIT_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000 };

function readWait(text: string): number {
  const [, number, unit = ""] = /^(\d{1,5})([smh])$/.exec(text) ?? [];
  const ms = Number(number) * (UNIT_MS[unit] ?? Number.NaN);
  if (ms > 0 && ms <= 24 * 3_600_000) return ms;
  throw new InvalidArgumentError("It is a time such as 90s, 10m or 1h; at most 24h.");
}
