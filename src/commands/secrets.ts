import { SECRETS_COMMAND, secretFromFileCommand, setSecretCommand } from "../core/advice/command-lines.ts";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { type Command, InvalidArgumentError } from "commander";
import type { DeclaredSecret } from "../core/declared-secret.ts";
import { placeWords } from "../core/weak-secrets.ts";
import { AppError } from "../shared/errors.ts";
import { isoTime } from "../shared/clock.ts";
import { problemOfFile } from "../shared/readable-file.ts";
import { count, listed, shortTime } from "../shared/text.ts";
import { agreed } from "./session/agreement.ts";
import { type Session, withApp } from "./session/with-app.ts";
import type { World } from "../shared/world.ts";
import type { SecretPlace } from "../vault/secrets.ts";
import { DECLARED_SECRETS } from "../declared-secrets.ts";
import { destinationLabels } from "../vendors/index.ts";

const DECLARED = DECLARED_SECRETS;
const NAMES = DECLARED.map(({ name }) => name).join(", ");

export function registerSecrets(program: Command, world: World): void {
  const secrets = program
    .command("secrets")
    .description("the vault's secrets; values never appear in argv or output")
    .addHelpText("after", "\nExample:\n  jc-integrations secrets set hubspot.client-secret");

  secrets
    .command("set")
    .argument("<secret>", "its name, one of those below")
    .description(
      "set a secret from a prompt, --file, or stdin; a webhook secret is added beside those that are there",
    )
    .option("--file <file>", "read it from a file")
    .option("--sandbox", "for the sandbox environment")
    .addHelpText(
      "after",
      `\nWith --org it is that org's own. Without, it is every org's, and a webhook secret\nof ${destinationLabels("ats")} the configured org's.\n\nNames:\n${DECLARED.map(({ name }) => `  ${name}`).join("\n")}\n\nExample:\n  jc-integrations secrets set hubspot.client-secret`,
    )
    .action((name: string, options: { file?: string; sandbox?: boolean }, command: Command) =>
      withApp(world, command, (session) => setNamed(session, name, options)),
    );

  secrets
    .command("list")
    .description("which secrets are set, and since when (never their values)")
    .addHelpText("after", "\nExample:\n  jc-integrations secrets list")
    .action((_options: object, command: Command) => withApp(world, command, showList));

  secrets
    .command("remove")
    .argument("<secret>", "its name, as `secrets list` shows it")
    .description("remove a secret; of a webhook's several all of them, or the one that --number names")
    .option("--number <n>", "which one, as `secrets list` counts them", readNumber)
    .option("--sandbox", "of the sandbox environment")
    .addHelpText("after", "\nExample:\n  jc-integrations secrets remove jobcannon.webhook-secret --number 1")
    .action((name: string, options: { number?: number; sandbox?: boolean }, command: Command) =>
      withApp(world, command, (session) => removeNamed(session, name, options)),
    );
}

async function setNamed(
  session: Session,
  name: string,
  options: { file?: string; sandbox?: boolean },
): Promise<void> {
  const { addSecret, refuseShared, secretFrom, setSecret } = await import("../vault/secrets.ts");
  const declared = secretNamed(name);
  const place = placeOf(session, declared, options);
  const value = secretFrom(declared, await readValue(session, place, options.file));
  session.world.redact.learn(value.reveal());
  const vault = await session.app.vault();
  if (declared.rotates && declared.isOrgs) await refuseShared(vault, place, value);
  const { number } = declared.rotates
    ? await addSecret(vault, place, value)
    : await setSecret(vault, place, value);
  await tellWarnings(session.app);
  await noteUnknownOrg(session);
  noteSetByEnvironment(session, place);
  session.print({
    json: { name: place.name, org: place.org, number },
    text: () =>
      `${place.name} is set${number > 1 ? ` as number ${number}` : ""}. It rests in ${vault.describe()}.`,
  });
}

async function showList({ app, terminal, print }: Session): Promise<void> {
  const { listSecrets } = await import("../vault/secrets.ts");
  const found = (await listSecrets(await app.vault())).filter(({ number }) => number > 0);
  const ofThisRun = app.environmentSecrets;
  const warnings = await tellWarnings(app);
  const rows = found.map(({ name, org, environment, number, setAt }) => [
    name,
    org ?? "every org",
    environment,
    String(number),
    setAt === null ? "–" : shortTime(setAt),
  ]);
  for (const { name, environment, variable } of ofThisRun)
    rows.push([name, "this run's", environment, "–", variable]);
  const timed = found.map(({ setAt, ...each }) => ({
    ...each,
    setAt: setAt === null ? null : isoTime(setAt),
  }));
  print({
    json: {
      secrets: timed,
      ...(ofThisRun.length > 0
        ? {
            fromEnvironment: ofThisRun.map(({ name, environment, variable }) => ({
              name,
              environment,
              variable,
            })),
          }
        : {}),
      ...(warnings.length > 0 ? { warnings } : {}),
    },
    text: () =>
      rows.length + ofThisRun.length === 0
        ? `No secrets yet. Set one: ${setSecretCommand("hubspot.client-secret")}`
        : [
            terminal.table(
              [
                "secret",
                "org",
                { name: "environment", drop: 2 },
                { name: "number", drop: 3 },
                { name: "set", drop: 1, whole: true },
              ],
              rows,
            ),
            ...warnings.map((words) => terminal.paint.yellow(`! ${words}`)),
          ].join("\n"),
  });
}

async function removeNamed(
  session: Session,
  name: string,
  options: { number?: number; sandbox?: boolean },
): Promise<void> {
  const { numbersOf, removeSecrets } = await import("../vault/secrets.ts");
  const place = placeOf(session, secretNamed(name), options);
  const vault = await session.app.vault();
  const there = await numbersOf(vault, place);
  const numbers = options.number === undefined ? there : there.filter((n) => n === options.number);
  if (numbers.length === 0) {
    throw new AppError("USAGE", `${place.name} of ${placeWords(place)} is not set`, {
      hint: SECRETS_COMMAND,
    });
  }
  await agreed(session, `This removes ${whichWords(place, numbers, there)}`);
  const removed = await removeSecrets(vault, place, numbers);
  await tellWarnings(session.app);
  session.print({ json: { removed }, text: () => `${count(removed, "secret")} removed.` });
}

/** Names what goes: nobody can see a secret itself. */
function whichWords(place: SecretPlace, numbers: readonly number[], there: readonly number[]): string {
  const what = `${place.name} of ${placeWords(place)}`;
  if (there.length === 1) return what;
  const which = `number${numbers.length === 1 ? "" : "s"} ${listed(numbers.map(String))}`;
  return `${what}: ${which}${numbers.length === there.length ? ", all there are" : ` of ${there.length}`}`;
}

/** The first secret of a new org is as good as a mistyped one's: it is set, and said. */
async function noteUnknownOrg({ app, globals, say }: Session): Promise<void> {
  if (globals.org === undefined || Object.hasOwn(app.config.orgs, app.org)) return;
  if (app.org === app.config.org && app.config.origins.org !== "--org") return;
  const overview = await (await app.storeToRead())?.overview(app.org, app.clock.now());
  if (overview?.orgs.includes(app.org)) return;
  const others = overview?.orgs.length ? ` Those that have something here: ${listed(overview.orgs)}.` : "";
  say(`Note: nothing is known of the org ${app.org} yet.${others} If it is mistyped: ${SECRETS_COMMAND}`);
}

/** What was just set has no effect on commands that see another one. */
function noteSetByEnvironment({ app, say }: Session, { name, environment }: SecretPlace): void {
  const other = app.environmentSecrets.find(
    (each) => each.isAlone && each.name === name && each.environment === environment,
  );
  if (other) say(`Note: as long as ${other.variable} is set, it is taken instead.`);
}

/** What is wrong with the webhook secrets; `status` shows it from now on. */
async function tellWarnings({ vault, stateDir }: Session["app"]): Promise<string[]> {
  const [{ weakSecrets }, { tellSecretWarnings }] = await Promise.all([
    import("../vault/secrets.ts"),
    import("../flows/watch/secret-warnings.ts"),
  ]);
  const signing = DECLARED.filter(({ rotates }) => rotates).map(({ name }) => name);
  const warnings = await weakSecrets(await vault(), signing);
  tellSecretWarnings(stateDir, warnings);
  return warnings;
}

/** Without `--org` a secret serves every org that has none of its own, unless its kind is of one org each. */
function placeOf(
  { app, globals }: Session,
  { name, isOrgs, isService }: DeclaredSecret,
  options: { sandbox?: boolean },
) {
  if (isService && (globals.org !== undefined || options.sandbox))
    throw new AppError("USAGE", `${name} is the service's: no org and no sandbox has one of its own`, {
      hint: setSecretCommand(name),
    });
  return {
    name,
    org: globals.org ?? (isOrgs ? app.org : null),
    environment: options.sandbox ? "sandbox" : "production",
  } as const;
}

function secretNamed(name: string): DeclaredSecret {
  const known = DECLARED.find((candidate) => candidate.name === name);
  if (known) return known;
  throw new AppError("USAGE", "there is no secret of that name", {
    hint: `Names: ${NAMES}`,
  });
}

async function readValue(
  { world, globals }: Session,
  place: SecretPlace,
  file: string | undefined,
): Promise<string> {
  const { name, environment } = place;
  const hint = secretFromFileCommand(name, {
    ...(globals.org === undefined ? {} : { org: globals.org }),
    environment,
  });
  if (file !== undefined && file !== "-") return readSecretFile(resolve(world.cwd, file));
  if (file === "-" || !world.io.stdinIsTerminal) {
    const text = await readAll(world.io.stdin);
    if (text.trim() !== "") return text;
    throw new AppError("USAGE", `nothing came on stdin: ${name} is not set`, { hint });
  }
  if (!globals.input)
    throw new AppError("USAGE", `nothing to read ${name} from, as --no-input asks for nothing`, { hint });
  const { password } = await import("@inquirer/prompts");
  return await password(
    { message: name, mask: true },
    { output: world.io.stderr, signal: world.signal },
  ).catch(() => {
    throw new AppError("CANCELLED", "nothing was set");
  });
}

function readSecretFile(path: string): string {
  const problem = problemOfFile("--file", path);
  if (problem) throw new AppError("USAGE", problem.message, { hint: problem.hint });
  const text = readFileSync(path, "utf8");
  if (text.trim() !== "") return text;
  throw new AppError("USAGE", `--file: ${path} is empty`, { hint: "It holds the secret and nothing else." });
}

const LONGEST_SECRET = 64 * 1024;

async function readAll(stream: NodeJS.ReadableStream): Promise<string> {
  let text = "";
  for await (const chunk of stream) {
    text += chunk.toString();
    if (text.length > LONGEST_SECRET) throw new AppError("USAGE", "that is too long for a secret");
  }
  return text;
}

function readNumber(text: string): number {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("It is a whole number from 1.");
}
