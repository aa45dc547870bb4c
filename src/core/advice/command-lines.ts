import { plain } from "../../shared/text.ts";
import type { Connection, Environment } from "../connection.ts";
import { DEFAULT_ATS, DEFAULT_VENDOR } from "../default-vendor.ts";
import type { AttemptOutcome } from "../push.ts";

/**
 * Every command line that this program tells anybody to type, in hints, banners, alerts and next steps. What people must
 * put in themselves stands in angle brackets.
 */
const PROGRAM = "jc-integrations";
const ADVISED = [
  ...[
    "admin",
    "alerts",
    "backfill",
    "backup",
    "catalog",
    "config",
    "connect",
    "demo",
    "disconnect",
    "doctor",
    "erase",
    "export",
    "invites",
    "logs",
    "replay",
    "resync-properties",
  ],
  ...["restore", "run", "sandbox-test", "secrets", "serve", "status", "store", "vault", "webhooks"],
] as const;

/** Whose account, and which; without an org it is the configuration's. */
interface Whose {
  org?: string;
  environment?: Environment;
}

interface Account extends Whose {
  vendor: string;
}

/** For what works in production only. */
type Owned = Pick<Connection, "vendor" | "org">;

/** A stage of a job, where the vendor's assessments are triggered; without one it is asked for, or the only one. */
interface JobStage extends Account {
  jobId: string;
  stage?: string | null;
}

export const HELP_COMMAND = `${PROGRAM} --help`;
/** Of one command, by its name and those of the commands that hold it. */
export function helpCommand(names: readonly string[]): string {
  return `${PROGRAM} ${names.join(" ")} --help`;
}

export const DEMO_COMMAND = line("demo");
/** Every org, one below the other. */
export const ALL_STATUS_COMMAND = line("status", "--all");
export const SERVE_COMMAND = line("serve");
/** Delivers what is due, of all orgs; without a service nobody else does. */
export const RETRY_COMMAND = line("run", "retry");
/** Tells of those who are in the middle of their tests, as the daily sweep does. */
export const SWEEP_COMMAND = line("run", "sweep");
/** Asks vendors what their events only name, also what was put off. */
export const QUESTIONS_COMMAND = line("run", "questions");
/** Says where tokens rest, and whether they can be read now. */
export const VAULT_COMMAND = line("vault", "status");
export const REKEY_COMMAND = line("vault", "rekey", "--key-file", "<new key>");
/** Begins a new log where the old one is gone, or accepts the one that stands there. */
export const NEW_LOG_COMMAND = line("store", "new-log");
/** The same behind the line that put the old log aside, which was the yes to it. */
export const NEW_LOG_ANYWAY_COMMAND = line("store", "new-log", "--yes");
/** Makes the log's tables, or brings them to this program's version. */
export const MIGRATE_COMMAND = line("store", "migrate");
/** Carries the log into a database; what was cut off goes on. */
export function copyCommand(to: string): string {
  return line("store", "copy", "--to", word(to));
}
/** Prints the SQL by which a role may work on the log, and no more. */
export const GRANTS_COMMAND = line("store", "grants", "--role", "<role>");
/** Asks what vendors were not asked yet, and does what is left of it; the address comes by stdin. */
export function eraseCommand(org: string, ...options: ("--remote" | "--allow")[]): string {
  return line("erase", "-", ...place({ org }), ...options);
}
/** Writes the log anew where an erased person's bytes may be left. */
export const VACUUM_COMMAND = line("run", "vacuum");
/** Writes a checked copy of the log. */
export const BACKUP_COMMAND = line("backup");
export const BACKUPS_COMMAND = line("backup", "list");
export const SHOW_CONFIG_COMMAND = line("config", "show");
export const CONFIG_CHECK_COMMAND = line("config", "check");
export const SECRETS_COMMAND = line("secrets", "list");
export const IMPORT_COMMAND = line("invites", "import", "events.ndjson");

/** Puts a backup in the log's place. */
export function restoreCommand(backup?: string): string {
  return line("restore", backup === undefined ? "<backup>" : word(backup));
}

export function verifyCommand(backup: string): string {
  return line("backup", "verify", word(backup));
}

/** Runs one of our command lines as the service that systemd starts. */
export function asServiceCommand(words: string): string {
  return `${PROGRAM} service exec -- ${words}`;
}

/** About the service itself, which has places of its own: no --config and no --state-dir goes with it. */
export function serviceCommand(
  verb: "install" | "uninstall" | "status",
  ...options: readonly string[]
): string {
  return [PROGRAM, "service", verb, ...options].join(" ");
}

/** Signs a browser in to the admin page; `org`: to that one alone. */
export function adminLinkCommand(org?: string): string {
  return line("admin", "link", ...(org === undefined ? [] : ["--org", org]));
}

export function connectCommand(
  { vendor, ...whose }: Account,
  option?: "--via-service" | "--confirm" | "--no-browser" | "--method client-credentials",
): string {
  return line("connect", vendor, ...place(whose), option);
}

/** Takes an account whose data rest in another region. */
export function crossRegionCommand(of: Account, option?: "--via-service" | "--confirm"): string {
  return `${connectCommand(of, option)} --allow-cross-region`;
}

export function disconnectCommand({ vendor, ...whose }: Account): string {
  return line("disconnect", vendor, ...place(whose));
}

/** Reads the account's fields again and creates what can be created. */
export function resyncCommand({ vendor, ...whose }: Account, option?: "--dry-run"): string {
  return line("resync-properties", ...vendorUnless(DEFAULT_VENDOR, vendor), ...place(whose), option);
}

/** Delivers what the connection was never told of. */
/** Looks at everything of an account. */
export function doctorCommand({ vendor, ...whose }: Account): string {
  return line("doctor", vendor, ...place(whose));
}

export function backfillCommand({ vendor, org }: Owned, option?: "--yes"): string {
  return line("backfill", ...vendorUnless(DEFAULT_VENDOR, vendor), ...place({ org }), option);
}

/** Shows the tries, or those that ended so, with the vendor's words. */
export function logsCommand(of: Partial<Owned>, outcome?: AttemptOutcome): string {
  const ended = outcome === undefined ? [] : ["--outcome", outcome];
  const vendor = of.vendor === undefined ? [] : vendorUnless(DEFAULT_VENDOR, of.vendor);
  return line("logs", ...ended, ...vendor, ...place(ownerOf(of)));
}

const REPLAYED = {
  rejected: ["--status", "rejected"],
  "one record": ["--email", "<its address>"],
  gone: ["--recreate"],
};

/** Delivers again what was rejected, the record of one address, or what the vendor's people deleted. */
export function replayCommand({ vendor, org }: Owned, which: keyof typeof REPLAYED): string {
  return line(
    "replay",
    ...REPLAYED[which],
    ...vendorUnless(DEFAULT_VENDOR, vendor),
    ...place({ org }),
    "--yes",
  );
}

/** One invitation's results again; with the option also where the vendor's people deleted the record. */
export function replayInviteCommand(invitationId: string, { org }: Owned, option?: "--recreate"): string {
  return line("replay", word(invitationId), option, ...place({ org }), "--yes");
}

export function statusCommand(whose: Whose = {}): string {
  return line("status", ...place(whose));
}

/** Lets an applicant tracking system's webhooks reach us, or mends what keeps them away. */
export function subscribeCommand({ vendor, ...whose }: Account): string {
  return line("webhooks", "subscribe", ...vendorUnless(DEFAULT_ATS, vendor), ...place(whose));
}

/** Gives the vendor's webhooks a new secret. */
export function rotateCommand({ vendor, ...whose }: Account): string {
  return line("webhooks", "rotate-secret", ...vendorUnless(DEFAULT_ATS, vendor), ...place(whose));
}

/** Shows which webhooks came. */
export function webhooksLogCommand({ vendor, ...whose }: Account): string {
  return line("webhooks", "log", ...vendorUnless(DEFAULT_ATS, vendor), ...place(whose));
}

export function setSecretCommand(name: string, whose: Whose = {}): string {
  return line("secrets", "set", name, ...place(whose));
}

/** The same where nobody is there to be asked for it. */
export function secretFromFileCommand(name: string, whose: Whose = {}): string {
  return line("secrets", "set", name, "--file", "<file>", ...place(whose));
}

export function removeSecretCommand(name: string, whose: Whose): string {
  return line("secrets", "remove", name, "--number", "<n>", ...place(whose));
}

/** Writes into the org's chat. */
export function testAlertCommand(whose: Pick<Whose, "org">): string {
  return line("alerts", "test", ...place(whose));
}

export function invitesCommand(of: Partial<Owned> = {}): string {
  return line("invites", "list", ...place(ownerOf(of)));
}

export function inviteCommand(invitationId: string, of: Partial<Owned> = {}): string {
  return line("invites", "show", word(invitationId), ...place(ownerOf(of)));
}

/** Says whose result it is where several candidates fit; without an invitation it lists those that wait. */
export function assignCommand(of: Partial<Owned>, invitationId?: string): string {
  return line("invites", "assign", invitationId && word(invitationId), ...place(ownerOf(of)));
}

/** Lists the invites that stages ask for, or says of one of them that a person has seen to it. */
export function wantedCommand(of: Partial<Owned>, option?: "--done"): string {
  return line("invites", "wanted", ...(option === undefined ? [] : [option, "<no>"]), ...place(ownerOf(of)));
}

/** Shows what JobCannon was asked for, and what it answered. */
export function requestsCommand(of: Partial<Owned>): string {
  return line("logs", "--requests", ...place(ownerOf(of)));
}

export function setCatalogCommand(of: JobStage & { test?: string }): string {
  return catalogLine("set", of, of.test === undefined ? [] : ["--test", word(of.test)]);
}

export function showCatalogCommand(of: JobStage): string {
  return catalogLine("show", of);
}

function catalogLine(verb: string, of: JobStage, more: readonly string[] = []): string {
  const vendor = vendorUnless(DEFAULT_ATS, of.vendor);
  return line("catalog", verb, ...vendor, ...stage(of), ...more, ...place(of));
}

/** The whole road, in a sandbox. */
export function trialCommand({
  vendor,
  org,
  ...of
}: Omit<Account, "environment"> & Partial<JobStage>): string {
  const { jobId } = of;
  const where = jobId === undefined ? [] : stage({ ...of, jobId });
  return line("sandbox-test", vendor, ...place(ownerOf({ org })), ...where);
}

/** The same where a person has to take the test meanwhile. */
export function patientTrialCommand(of: Omit<JobStage, "environment">): string {
  return `${trialCommand(of)} --wait 30m`;
}

export function emulatedTrialCommand(vendor: string): string {
  return line("sandbox-test", vendor, "--emulator");
}

/** Shows every key of the configuration while the file, or that variable, names one that is none. */
export function listKeysCommand(variable?: string): string {
  return variable === undefined
    ? asTypedHere(SHOW_CONFIG_COMMAND, { config: "/dev/null" })
    : `env -u ${variable} ${SHOW_CONFIG_COMMAND}`;
}

/** As typed on a command line that was given other places than the usual ones, which the next one must name too. */
export function asTypedHere(
  text: string,
  { config, stateDir }: { config?: string; stateDir?: string },
): string {
  const places = [
    ...(config === undefined ? [] : ["--config", word(config)]),
    ...(stateDir === undefined ? [] : ["--state-dir", word(stateDir)]),
  ];
  if (places.length === 0) return text;
  const advised = new RegExp(`\\b(?<!sudo )${PROGRAM} (?=(?:${ADVISED.join("|")})\\b)`, "g");
  return text.replace(advised, () => `${PROGRAM} ${places.join(" ")} `);
}

function stage({ jobId, stage }: Pick<JobStage, "jobId" | "stage">): string[] {
  return ["--job", word(jobId), ...(stage === undefined || stage === null ? [] : ["--stage", quoted(stage)])];
}

/** A command leaves out the vendor that it takes for granted. */
function vendorUnless(granted: string, vendor: string): string[] {
  return vendor === granted ? [] : ["--vendor", vendor];
}

/** Where both environments are one. */
function ownerOf({ org }: { org?: string | undefined }): Whose {
  return org === undefined ? {} : { org };
}

function place({ org, environment }: Whose): string[] {
  return [...(org === undefined ? [] : ["--org", org]), ...(environment === "sandbox" ? ["--sandbox"] : [])];
}

function line(command: (typeof ADVISED)[number], ...words: readonly (string | undefined)[]): string {
  return [PROGRAM, command, ...words.filter((each) => each !== undefined)].join(" ");
}

/** Names of jobs, stages and files are other people's: pasted into a shell they do nothing. */
function word(text: string): string {
  return /^[\w.,:@%+/=][\w.,:@%+/=-]*$|^<[\w ]+>$/.test(text) ? text : quoted(text);
}

function quoted(text: string): string {
  const shown = plain(text);
  return /["$`\\!]/.test(shown) ? `'${shown.replaceAll("'", "'\\''")}'` : `"${shown}"`;
}
