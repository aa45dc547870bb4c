import type { ConnectionName } from "../core/connection.ts";
import { setCatalogCommand, trialCommand } from "../core/advice/command-lines.ts";
import { type Command, InvalidArgumentError, Option } from "commander";
import { openAts } from "../flows/ats/ats.ts";
import { type Catalog, catalogOf } from "../flows/ats/catalog.ts";
import { DEFAULT_ATS } from "../core/default-vendor.ts";
import { AppError } from "../shared/errors.ts";
import { nearest } from "../shared/nearest.ts";
import { plain } from "../shared/text.ts";
import type { CatalogEntry, StagePlace } from "../vendors/contract/ats.ts";
import { destinationLabels } from "../vendors/index.ts";
import { TESTS, vendorNames } from "./session/known-values.ts";
import { type Session, withApp } from "./session/with-app.ts";
import type { World } from "../shared/world.ts";

interface Flags {
  vendor: string;
  sandbox?: boolean;
  job?: string;
  stage?: string;
}

interface EntryFlags extends Flags {
  test?: string;
  required?: boolean;
  optional?: boolean;
  trigger?: CatalogEntry["trigger"];
  dueDays?: number;
  emailTemplate?: CatalogEntry["emailTemplate"];
}

const DEFAULTS: Omit<CatalogEntry, "test"> = {
  required: true,
  trigger: "auto",
  dueDays: 7,
  emailTemplate: "branded",
};

const FROM_JOB_TO_STAGE = `\nA stage is written as ${destinationLabels("ats")} shows it in the job's pipeline.`;
const OF_THE_JOB = `
A job that it does not know is refused. Where it cannot be asked, and the
catalogue is kept here, --yes takes job and stage as they are written:
INTERVIEW/Phone screen, or a status alone.`;

/** `catalog`: which JobCannon test a job's stage triggers. */
export function registerCatalog(program: Command, world: World): void {
  const catalog = program
    .command("catalog")
    .description(`which test a ${destinationLabels("ats")} job stage triggers`)
    .addHelpText("after", "\nExample:\n  jc-integrations catalog list --job 4711");
  const add = (name: string, description: string, example: string, more = "") =>
    catalog
      .command(name)
      .description(description)
      .option("--job <id>", "the job")
      .option("--vendor <ats>", `the applicant tracking system: ${vendorNames("ats")}`, DEFAULT_ATS)
      .option("--sandbox", "of the sandbox environment")
      .addHelpText("after", `${FROM_JOB_TO_STAGE}${more}\n\nExample:\n  jc-integrations catalog ${example}`);

  add("list", "what the stages of a job trigger", "list --job 4711").action(
    (flags: Flags, command: Command) => withApp(world, command, (session) => list(session, flags)),
  );
  add("show", "what one stage triggers", 'show --job 4711 --stage "Assessment"')
    .option("--stage <stage>", "the stage")
    .action((flags: Flags, command: Command) => withApp(world, command, (session) => show(session, flags)));
  add(
    "set",
    "let a stage trigger a test; asks for what is not given",
    'set --job 4711 --stage "Assessment" --test disc',
    OF_THE_JOB,
  )
    .option("--stage <stage>", "the stage")
    .option("--test <test>", TESTS.join(", "), readTest)
    .option("--required", "the candidate must take it (default)")
    .option("--optional", "the candidate may leave it out")
    .addOption(new Option("--trigger <how>", "at the stage's begin, or by hand").choices(["auto", "manual"]))
    .option("--due-days <n>", "days the candidate has (default 7)", readDays)
    .addOption(new Option("--email-template <which>", "of the invitation").choices(["branded", "default"]))
    .action((flags: EntryFlags, command: Command) =>
      withApp(world, command, (session) => set(session, flags)),
    );
}

async function open(session: Session, flags: Flags): Promise<Catalog> {
  const { app, world } = session;
  const store = await app.store();
  return catalogOf(await openAts(app, store, { ...accountOf(session, flags), signal: world.signal }), store);
}

function accountOf({ app }: Session, { vendor, sandbox }: Flags): ConnectionName {
  return { org: app.org, vendor, environment: sandbox ? "sandbox" : "production" };
}

async function list(session: Session, flags: Flags): Promise<void> {
  const catalog = await open(session, flags);
  const jobId = await answer(session, flags.job, "job", "Which job (its id)?");
  const entries = await catalog.list(jobId);
  session.print({
    json: { job: jobId, stages: entries },
    text: () =>
      entries.length === 0
        ? `No stage of ${jobId} triggers a test. Set one: ${setCatalogCommand({ ...accountOf(session, flags), jobId, stage: "<stage>", test: "<test>" })}`
        : session.terminal.table(
            HEADINGS,
            entries.map((entry) => [plain(entry.stage), ...cellsOf(entry)]),
          ),
  });
}

async function show(session: Session, flags: Flags): Promise<void> {
  const catalog = await open(session, flags);
  const place = await placeOf(session, flags);
  const entry = await catalog.entry(place);
  if (!entry) {
    throw new AppError("USAGE", `stage ${place.stage} of job ${place.jobId} triggers no test`, {
      hint: setCatalogCommand({ ...accountOf(session, flags), ...place, test: "<test>" }),
    });
  }
  session.print({
    json: { ...place, ...entry },
    text: () => session.terminal.table(HEADINGS, [[plain(place.stage), ...cellsOf(entry)]]),
  });
}

async function set(session: Session, flags: EntryFlags): Promise<void> {
  if (flags.required && flags.optional)
    throw new AppError("USAGE", "--required and --optional exclude each other");
  const catalog = await open(session, flags);
  const asked = await placeOf(session, flags);
  const before = await catalog.entry(asked);
  const wanted = await entryFrom(session, flags, before);
  if (!TESTS.includes(wanted.test)) refuseUnlessMeant(session, wanted.test);
  const isMeant = session.globals.yes === true;
  const { entry, unasked, ...place } = await catalog.set(asked, wanted, { isMeant });
  if (unasked !== null) session.say(`Taken as written, since the vendor did not say: ${unasked}`);
  session.print({
    json: { ...place, ...entry, changed: JSON.stringify(before) !== JSON.stringify(entry) },
    text: () =>
      [
        session.terminal.table(HEADINGS, [[plain(place.stage), ...cellsOf(entry)]]),
        ...(flags.sandbox
          ? ["", `Try it: ${trialCommand({ vendor: flags.vendor, org: session.app.org, ...place })}`]
          : []),
      ].join("\n"),
  });
}

/** JobCannon may have more tests than we know; mostly it is a slip of the pen. */
function refuseUnlessMeant({ globals }: Session, test: string): void {
  if (globals.yes) return;
  const guess = nearest(test, TESTS);
  throw new AppError("USAGE", `"${plain(test)}" is none of the tests we know: ${TESTS.join(", ")}`, {
    hint: guess
      ? `Did you mean ${guess}? Nothing was changed.`
      : "If it is meant, run it again with --yes. Nothing was changed.",
  });
}

async function placeOf(session: Session, flags: Flags): Promise<StagePlace> {
  const jobId = await answer(session, flags.job, "job", "Which job (its id)?");
  return { jobId, stage: await answer(session, flags.stage, "stage", "Which stage?") };
}

/** Flags first; a person is asked for the rest, a script gets what is there already, or the defaults. */
async function entryFrom(
  session: Session,
  flags: EntryFlags,
  before: CatalogEntry | null,
): Promise<CatalogEntry> {
  const base = { ...DEFAULTS, ...before };
  const given = {
    ...(flags.test === undefined ? {} : { test: flags.test }),
    ...(flags.required || flags.optional ? { required: !flags.optional } : {}),
    ...(flags.trigger === undefined ? {} : { trigger: flags.trigger }),
    ...(flags.dueDays === undefined ? {} : { dueDays: flags.dueDays }),
    ...(flags.emailTemplate === undefined ? {} : { emailTemplate: flags.emailTemplate }),
  };
  const isAsked = asks(session) && flags.test === undefined;
  if (isAsked) return { ...(await ask(session, base)), ...given };
  const test = given.test ?? before?.test;
  if (test === undefined) throw missing("test", "disc");
  return { ...base, ...given, test };
}

async function ask({ world }: Session, base: Omit<CatalogEntry, "test"> & Partial<CatalogEntry>) {
  const { confirm, number, select } = await import("@inquirer/prompts");
  const at = { input: world.io.stdin, output: world.io.stderr, signal: world.signal };
  const questions = async (): Promise<CatalogEntry> => ({
    test: await select(
      { message: "Which test?", choices: TESTS, ...(base.test ? { default: base.test } : {}) },
      at,
    ),
    required: await confirm({ message: "Must the candidate take it?", default: base.required }, at),
    trigger: await select(
      {
        message: "When is it sent?",
        default: base.trigger,
        choices: [
          { name: "by itself, as the candidate reaches the stage", value: "auto" as const },
          { name: "by hand", value: "manual" as const },
        ],
      },
      at,
    ),
    dueDays:
      (await number({ message: "How many days to take it?", default: base.dueDays, min: 1, max: 365 }, at)) ??
      base.dueDays,
    emailTemplate: await select(
      {
        message: "Which e-mail?",
        default: base.emailTemplate,
        choices: ["branded" as const, "default" as const],
      },
      at,
    ),
  });
  return await questions().catch((cause: unknown) => {
    throw new AppError("CANCELLED", "Cancelled. Nothing was changed", { cause });
  });
}

async function answer(
  session: Session,
  given: string | undefined,
  flag: string,
  question: string,
): Promise<string> {
  if (given !== undefined) return given;
  if (!asks(session)) throw missing(flag, flag === "job" ? "4711" : '"Assessment"');
  const { input } = await import("@inquirer/prompts");
  const { world } = session;
  const at = { input: world.io.stdin, output: world.io.stderr, signal: world.signal };
  return await input({ message: question, required: true }, at).catch((cause: unknown) => {
    throw new AppError("CANCELLED", "Cancelled. Nothing was changed", { cause });
  });
}

function asks({ globals, world }: Session): boolean {
  return globals.input && !globals.json && world.io.stdinIsTerminal;
}

function missing(flag: string, example: string): AppError {
  return new AppError("USAGE", `--${flag} is missing`, { hint: `As --${flag} ${example}` });
}

const HEADINGS = ["stage", "test", "", "sent", "days", "e-mail"];

function cellsOf({ test, required, trigger, dueDays, emailTemplate }: CatalogEntry): string[] {
  const sent = trigger === "auto" ? "by itself" : "by hand";
  return [plain(test), required ? "required" : "optional", sent, String(dueDays), emailTemplate];
}

function readTest(text: string): string {
  if (text.trim() !== "" && text === text.trim()) return text;
  throw new InvalidArgumentError(`It is a test's slug, as ${TESTS.join(", ")}.`);
}

function readDays(text: string): number {
  if (/^[1-9]\d{0,2}$/.test(text) && Number(text) <= 365) return Number(text);
  throw new InvalidArgumentError("It is a whole number of days, 1 to 365.");
}
