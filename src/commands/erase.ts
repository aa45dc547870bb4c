import type { Command } from "commander";
import { eraseCommand, VACUUM_COMMAND } from "../core/advice/command-lines.ts";
import { removeFilesCommand } from "../core/advice/remove-files.ts";
import { emailKey } from "../core/event.ts";
import type { HoldingCopy } from "../flows/backup/holding.ts";
import type { ErasePlan } from "../flows/erasure/erase.ts";
import type { AskedVendor } from "../flows/erasure/vendors.ts";
import { AppError, isAppError } from "../shared/errors.ts";
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
refused from now on all the same. Cut off, type it again.

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
  const isKnown = plan.erasedAt !== null || plan.remote !== null || Object.keys(plan.person.rows).length > 0;
  if (!isKnown) refuseNoAddress(address);
  const copies = await copiesHolding({ ...app, cwd: world.cwd }, app.org, plan.person);
  const isRemote = options.remote === true || plan.remote !== null;
  const planned = [
    ...planText(plan, copies, { isRevealed: options.reveal === true }),
    ...(isRemote ? (await afterErase(session)).map((words) => `! ${words}.`) : []),
  ];
  if (options.dryRun)
    return session.print({
      json: { ...jsonOf(plan, copies), isDryRun: true },
      text: () => [`Would go of ${app.org}:`, ...planned].join("\n"),
    });
  const isDone = plan.erasedAt !== null && Object.keys(plan.person.rows).length === 0 && !isRemote;
  // What is told in the end needs no plan.
  if (!isDone) say(`${planned.join("\n")}\n`);
  let vendors: AskedVendor[] = [];
  let rows: ErasePlan["person"]["rows"] = {};
  if (!isDone) {
    await agreed(session, lossOf(plan, isRemote));
    const who = operatorOf(world.env);
    const erased = await eraseRows(context, plan, { who, isRemote, signal: world.signal });
    rows = erased.rows;
    if (erased.remote) vendors = await atVendors(session, erased.mark, erased.remote);
  }
  const bytes = await takeBytesOut(session, options);
  session.print({
    json: { ...jsonOf(plan, copies), rows, isDryRun: false, vendors, bytes: bytes === null ? "gone" : "due" },
    text: () =>
      [
        isDone
          ? `Nothing is held of this person: they were erased on ${dayOf(plan.erasedAt)}.`
          : `Erased from ${app.org}: ${rowsWords(rows)}. Later events about them are refused, and counted.`,
        ...vendors.map(({ words, isDone: isAsked }) => `${isAsked ? "" : "! "}${words}.`),
        bytes ?? "No byte of them is left in the log's files.",
        ...copies.map(copyText),
        ...exportsText(copies),
      ].join("\n"),
  });
  const left = vendors.filter((each) => !each.isDone);
  if (left.length > 0)
    throw new AppError("PARTIAL", `erased here, and not at ${left.map(({ label }) => label).join(", ")}`, {
      hint: left.some(({ canAsk }) => canAsk)
        ? `What is left is asked when you type it again: ${eraseCommand(app.org, "--remote")}`
        : "A person has to remove it there.",
    });
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

/** Null where they are gone; else why not, in words. */
async function takeBytesOut({ app, say }: Session, { later }: EraseOptions): Promise<string | null> {
  const store = await app.store();
  if (!(await store.bytesDue())) return null;
  const job = `the daily job does it, or ${VACUUM_COMMAND}`;
  if (later) return `Their bytes are in the log's files still: ${job}.`;
  say("Writing the log anew …");
  try {
    await (await app.backupFiles()).vacuum();
    return null;
  } catch (error) {
    if (!isAppError(error, "STORE_UNAVAILABLE")) throw error;
    return `! Their bytes are in the log's files still (${error.message}): ${job}.`;
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
  const isHeld = Object.keys(person.rows).length > 0;
  const here = isHeld
    ? "All of this goes for good, and later events about this person are refused"
    : erasedAt === null
      ? "Nothing is held of this person; their later events are refused from now on all the same"
      : "They were erased here before";
  return isRemote ? `${here}; the vendors are asked to delete what they hold` : here;
}

function planText(
  { person, erasedAt }: ErasePlan,
  copies: readonly HoldingCopy[],
  { isRevealed }: { isRevealed: boolean },
): string[] {
  const [, ...joined] = person.addresses;
  const shown = joined.map((each) => plain(isRevealed ? each : maskEmail(each))).join(", ");
  return [
    rowsWords(person.rows),
    ...(joined.length > 0 ? [`with what else is the same contact: ${shown}`] : []),
    ...(erasedAt === null ? [] : [`erased before, on ${dayOf(erasedAt)}`]),
    ...copies.map(copyText),
    ...exportsText(copies),
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
  return files.length === 0 ? [] : [`What export wrote is yours to remove: ${removeFilesCommand(files)}`];
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
