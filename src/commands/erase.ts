import type { Command } from "commander";
import { eraseCommand, VACUUM_COMMAND } from "../core/advice/command-lines.ts";
import { BYTES_IN_DATABASE } from "../core/advice/database.ts";
import { removeFilesCommand } from "../core/advice/remove-files.ts";
import { emailKey } from "../core/event.ts";
import type { HoldingCopy } from "../flows/backup/holding.ts";
import type { ErasePlan } from "../flows/erasure/erase.ts";
import type { AskedVendor } from "../flows/erasure/vendors.ts";
import { AppError, isAppError } from "../shared/errors.ts";
import { isPostgres } from "../shared/store-url.ts";
import { maskEmail, plain } from "../shared/text.ts";
import type { World } from "../shared/world.ts";
import { VENDORS } from "../vendors/index.ts";
import { agreed } from "./session/agreement.ts";
import { ADDRESS_NOTE, addressFrom, refuseNoAddress } from "./session/email.ts";
import { refuseMistyped } from "./session/log-to-read.ts";
import { operatorOf } from "./session/operator.ts";
import { rowsWords } from "./session/person-rows.ts";
import { type Session, withApp } from "./session/with-app.ts";

export function registerErase(program: Command, world: World): void {
  program
    .command("erase <email>")
    .description("take a person out of the log for good, and refuse their later events")
    .option("--remote", "also ask HubSpot to delete them, and clear what we wrote to SmartRecruiters")
    .option("--later", "leave the bytes in the log's files to the daily job, so that no sender waits now")
    .option("--allow", "take the refusal back: their later events are taken again")
    .option("--dry-run", "say what would go, and change nothing")
    .option("--reveal", "show addresses in full")
    .addHelpText("after", HELP)
    .action((email: string, options: EraseOptions, command: Command) =>
      withApp(world, command, async (session) => {
        const address = emailKey(await addressFrom(session, email));
        await refuseMistyped(session);
        if (options.allow) return await allow(session, address);
        await erase(session, address, options);
      }),
    );
}

interface EraseOptions {
  remote?: true;
  later?: true;
  allow?: true;
  dryRun?: true;
  reveal?: true;
}

const HELP = `
${ADDRESS_NOTE}
Rows go at once, of one org; addresses that are one contact in HubSpot go
together. Then the log is written anew, so that no byte of them is left in it:
meanwhile senders hear 503 and send again. Backups keep them until they are
removed: each is named with its day; so are files of export that lie in the
state directory or in this one. An address that nothing is held of is
refused from now on all the same. Cut off, run it again.

Example:
  jc-integrations erase - --org acme --dry-run
  jc-integrations erase - --org acme --remote --yes < address.txt`;

async function erase(session: Session, address: string, options: EraseOptions): Promise<void> {
  const { app, world, say } = session;
  const [{ eraseRows, planErase }, { copiesHolding }] = await Promise.all([
    import("../flows/erasure/erase.ts"),
    import("../flows/backup/holding.ts"),
  ]);
  const context = { ...app, store: await app.store() };
  const plan = await planErase(context, { org: app.org, address });
  const isKnown = plan.erasedAt !== null || plan.remote !== null || !isEmpty(plan.person);
  if (!isKnown) refuseNoAddress(address);
  const copies = await copiesHolding({ ...app, cwd: world.cwd }, app.org, plan.person);
  const isRemote = options.remote === true || plan.remote !== null;
  const planned = [
    ...planText(plan, { isRevealed: options.reveal === true }),
    ...(isRemote ? (await afterErase(session)).map((words) => `! ${words}.`) : []),
  ];
  if (options.dryRun)
    return session.print({
      json: { ...jsonOf(plan, copies), isDryRun: true },
      text: () => [...wouldGo(plan), ...planned, ...copies.map(copyText), ...exportsText(copies)].join("\n"),
    });
  const isDone = plan.erasedAt !== null && isEmpty(plan.person) && !isRemote;
  // What is told in the end needs no plan.
  if (!isDone && planned.length > 0) say(`${planned.join("\n")}\n`);
  let vendors: AskedVendor[] = [];
  let rows: ErasePlan["person"]["rows"] = {};
  if (!isDone) {
    await agreed(session, lossOf(plan, isRemote));
    const who = operatorOf(world.env);
    const erased = await eraseRows(context, plan, { who, isRemote, signal: world.signal });
    rows = erased.rows;
    if (erased.remote) vendors = await atVendors(session, erased.mark, erased.remote);
  }
  const { bytes, words } = await takeBytesOut(session, options);
  session.print({
    json: { ...jsonOf(plan, copies), rows, isDryRun: false, vendors, bytes },
    text: () =>
      [
        isDone
          ? `Nothing is held of this person: they were erased on ${dayOf(plan.erasedAt)}.`
          : `${erasedWords(app.org, rows)}. Later events about them are refused, and counted.`,
        ...vendors.map(({ words, isDone: isAsked }) => `${isAsked ? "" : "! "}${words}.`),
        words,
        ...copies.map(copyText),
        ...exportsText(copies),
      ].join("\n"),
  });
  const left = vendors.filter((each) => !each.isDone);
  if (left.length > 0)
    throw new AppError("PARTIAL", `erased here, and not at ${left.map(({ label }) => label).join(", ")}`, {
      hint: left.some(({ canAsk }) => canAsk)
        ? `What is left is asked when you run it again: ${eraseCommand(app.org, "--remote")}`
        : "A person has to remove it there.",
    });
}

function erasedWords(org: string, rows: ErasePlan["person"]["rows"]): string {
  const words = rowsWords(rows);
  return words === "nothing" ? `${org} held nothing about them` : `Erased from ${org}: ${words}`;
}

async function atVendors(
  { app, world }: Session,
  mark: string,
  remote: NonNullable<ErasePlan["remote"]>,
): Promise<AskedVendor[]> {
  const [{ eraseAtVendors }, { findInVault, keepInVault }] = await Promise.all([
    import("../flows/erasure/vendors.ts"),
    import("../flows/erasure/kept.ts"),
  ]);
  const store = await app.store();
  const asked = await eraseAtVendors({ ...app, store }, { org: app.org, remote, signal: world.signal });
  const vault = await app.vault();
  const kept = await findInVault(vault, app.org, mark);
  // Their addresses are nowhere any more once nobody is left to be asked.
  if (kept && asked.every(({ isDone, canAsk }) => isDone || !canAsk))
    await keepInVault(vault, { ...kept, remote: null });
  return asked;
}

/** What is left of them in the log's files. */
interface Bytes {
  /** `database`: its own to write over, in its own time. */
  bytes: "gone" | "due" | "database";
  words: string;
}

async function takeBytesOut({ app, say }: Session, { later }: EraseOptions): Promise<Bytes> {
  if (isPostgres(app.config["store.url"])) return { bytes: "database", words: BYTES_IN_DATABASE };
  const gone: Bytes = { bytes: "gone", words: "No byte of them is left in the log's files." };
  const store = await app.store();
  if (!(await store.bytesDue())) return gone;
  const job = `the daily job does it, or ${VACUUM_COMMAND}`;
  if (later) return { bytes: "due", words: `Their bytes are in the log's files still: ${job}` };
  say("Writing the log anew …");
  try {
    await (await app.backupFiles()).vacuum();
    return gone;
  } catch (error) {
    if (!isAppError(error, "STORE_UNAVAILABLE")) throw error;
    return { bytes: "due", words: `! Their bytes are in the log's files still (${error.message}): ${job}` };
  }
}

async function allow(session: Session, address: string): Promise<void> {
  const { app, world, print } = session;
  const { allowAgain } = await import("../flows/erasure/erase.ts");
  const context = { ...app, store: await app.store() };
  const isLifted = await allowAgain(context, { org: app.org, address, who: operatorOf(world.env) });
  if (!isLifted) refuseNoAddress(address);
  const remains = isLifted ? await afterErase(session) : [];
  print({
    json: { org: app.org, isLifted },
    text: () =>
      isLifted
        ? [
            "Their events are taken again. What was erased does not come back by itself.",
            ...remains.map((words) => `Were they erased with --remote, too? ${words}.`),
          ].join("\n")
        : "Nothing was refused for this address.",
  });
}

/** What the org's vendors keep of whom they were asked to forget, in words. */
async function afterErase({ app }: Session): Promise<string[]> {
  const store = await app.store();
  const vendors = (await store.connections(app.org)).flatMap(({ vendor, account }) =>
    account ? [vendor] : [],
  );
  return VENDORS.flatMap(({ vendor, destination }) =>
    vendors.includes(vendor) && destination?.afterErase ? [destination.afterErase] : [],
  );
}

function lossOf({ person, erasedAt }: ErasePlan, isRemote: boolean): string {
  const here = !isEmpty(person)
    ? "What is held of this person goes for good, and later events about them are refused"
    : erasedAt === null
      ? "Nothing is held of this person; their later events are refused from now on all the same"
      : "They were erased here before";
  return isRemote ? `${here}; the vendors are asked to delete what they hold` : here;
}

function isEmpty({ rows }: ErasePlan["person"]): boolean {
  return Object.keys(rows).length === 0;
}

/** The rows follow, where there are any. */
function wouldGo({ org, person }: ErasePlan): string[] {
  return [isEmpty(person) ? `Nothing would go of ${org}.` : `Would go of ${org}:`];
}

function planText({ person, erasedAt }: ErasePlan, { isRevealed }: { isRevealed: boolean }): string[] {
  const [, ...joined] = person.addresses;
  const shown = joined.map((each) => plain(isRevealed ? each : maskEmail(each))).join(", ");
  return [
    ...(isEmpty(person) ? [] : [rowsWords(person.rows)]),
    ...(joined.length > 0 ? [`with what else is the same contact: ${shown}`] : []),
    ...(erasedAt === null ? [] : [`erased before, on ${dayOf(erasedAt)}`]),
  ];
}

function copyText({ file, goneBy, isUnknown }: HoldingCopy): string {
  const until =
    goneBy === null
      ? "until somebody removes it"
      : `until the daily backups remove it, by ${dayOf(goneBy)} at the latest`;
  return isUnknown
    ? `${file} may hold them (it cannot be read), ${until}`
    : `${file} still holds them, ${until}`;
}

/** No job looks after them. */
function exportsText(copies: readonly HoldingCopy[]): string[] {
  const files = copies.flatMap(({ file, isExport }) => (isExport ? [file] : []));
  return files.length === 0
    ? []
    : ["What export wrote is yours to remove:", `  ${removeFilesCommand(files)}`];
}

function dayOf(at: number | null): string {
  return new Date(at ?? 0).toISOString().slice(0, 10);
}

function jsonOf({ org, person, erasedAt }: ErasePlan, copies: readonly HoldingCopy[]) {
  return {
    org,
    rows: person.rows,
    joined: person.addresses.length - 1,
    erasedAt: erasedAt === null ? null : new Date(erasedAt).toISOString(),
    copies: copies.map(({ file, goneBy, isUnknown }) => ({
      file,
      goneBy: goneBy === null ? null : new Date(goneBy).toISOString(),
      isUnknown,
    })),
  };
}
