import { fileURLToPath } from "node:url";
import type { Command } from "commander";
import { asTypedHere } from "../core/advice/command-lines.ts";
import { AppError, isAppError } from "../shared/errors.ts";
import { count } from "../shared/text.ts";
import type { Output, World } from "../shared/world.ts";
import type { Area, Finding } from "../flows/doctor/finding.ts";
import type { Facts } from "../flows/doctor/look/facts.ts";
import type { Mended } from "../flows/doctor/mend.ts";
import { type ConfigLook, lookAtConfig } from "./session/config-problems.ts";
import { vendorNames } from "./session/known-values.ts";
import { renderReport } from "./session/doctor-report.ts";
import { type Session, withApp, withoutApp } from "./session/with-app.ts";

interface Flags {
  fix?: boolean;
  sandbox?: boolean;
}

const HELP = `
It asks every vendor, fetches a token anew and writes nothing there. With --fix
it takes a backup that is due, creates properties that are missing and
subscribes webhooks again; what a person must decide it only tells.

With a vendor it asks that account alone, beside what every account needs:
configuration, program, clock, vault, store, backup, service, receiver,
webhooks and alerts.

The exit code is that of the worst, in this order: 1 a bug · 2 configuration or
store · 5 tokens unreadable · 4 reconnect needed · 6 vendor refused or
unreachable · 7 works in part · 0 nothing but warnings.

Examples:
  jc-integrations doctor
  jc-integrations doctor smartrecruiters --org acme
  jc-integrations doctor --fix`;

export function registerDoctor(program: Command, world: World): void {
  program
    .command("doctor")
    .argument("[vendor]", `of the accounts only this one: ${vendorNames()}`)
    .description("look at everything, say what is wrong, why, and what to type")
    .option("--fix", "do what is safe, and say what was done")
    .option("--sandbox", "the sandbox environment")
    .addHelpText("after", HELP)
    .action((vendor: string | undefined, flags: Flags, command: Command) =>
      withoutApp(world, command, (output) => examine(output, command, { vendor: vendor ?? null, ...flags })),
    );
}

type Asked = Flags & { vendor: string | null };

/** A configuration that no command starts with is all that can be looked at. */
async function examine(output: Output, command: Command, asked: Asked): Promise<void> {
  const configuration = await lookAtConfig(output);
  let isOpen = false;
  try {
    await withApp(output.world, command, async (session) => {
      isOpen = true;
      await examineAll(session, configuration, asked);
    });
  } catch (error) {
    if (isOpen || !isAppError(error, "CONFIG_INVALID") || configuration.problems.length === 0) throw error;
    const { configurationArea } = await import("../flows/doctor/checks/installation.ts");
    const areas = [configurationArea(factsOf(configuration))];
    await tell(output, { areas, mended: [], isPart: true, place: { org: null, environment: null } });
  }
}

function factsOf({ searched, file, ...found }: ConfigLook) {
  return { ...found, file: file ?? searched, isThere: file !== null };
}

async function examineAll(session: Session, configuration: ConfigLook, asked: Asked): Promise<void> {
  const { app, world, globals } = session;
  const [{ lookAtAll }, { createLooker }, { judge }, { mendAll }, { byWeight }, { VERSION }] =
    await Promise.all([
      import("../flows/doctor/look/facts.ts"),
      import("../flows/doctor/look/looker.ts"),
      import("../flows/doctor/judge.ts"),
      import("../flows/doctor/mend.ts"),
      import("../flows/doctor/finding.ts"),
      import("../shared/version.ts"),
    ]);
  if (asked.vendor !== null) app.checkVendor(asked.vendor);
  const place = { org: app.org, environment: asked.sandbox ? "sandbox" : "production" } as const;
  const looker = createLooker({ clock: app.clock, signal: world.signal });
  const { nodePath, distUrl, env } = world;
  const scriptPath = fileURLToPath(new URL("../bin/jc-integrations.js", distUrl));
  const request = { ...place, vendor: asked.vendor, env, distUrl, program: { nodePath, scriptPath } };
  const look = async () => {
    const facts = await lookAtAll(app, looker, request);
    const areas = judge(facts, { configuration: factsOf(configuration), version: VERSION, org: app.org });
    return { facts, areas };
  };
  try {
    let { facts, areas } = await look();
    // Else all that is found of it would be nothing, and a lie.
    if (globals.org !== undefined && isUnknown(facts))
      throw (await import("./session/log-to-read.ts")).unknownOrg(app);
    const mended = asked.fix ? await mendAll(app, byWeight(areas), { ...place, signal: world.signal }) : [];
    if (mended.length > 0) ({ facts, areas } = await look());
    await tell(session, { areas, mended, isPart: false, place, bug: looker.bug() });
  } finally {
    await looker.ended();
  }
}

/** Of a log that is in trouble nobody can say whom it knows. */
function isUnknown({ status }: Facts): boolean {
  return status.is === "known" && !status.value.isKnown && status.value.storage.length === 0;
}

interface Told {
  areas: readonly Area[];
  mended: readonly Mended[];
  /** The configuration alone was looked at. */
  isPart: boolean;
  place: { org: string | null; environment: string | null };
  bug?: unknown;
}

/** Prints what was found, then ends as the worst of it says. */
async function tell(output: Output, { areas, mended, isPart, place, bug }: Told): Promise<void> {
  const { byWeight, exitOf, isWell } = await import("../flows/doctor/finding.ts");
  const { globals, terminal, print } = output;
  const findings = byWeight(areas);
  print({
    json: {
      ...place,
      findings: findings.map((each) => jsonOf(each, { globals, exit: exitOf(each) })),
      areas: areas.map((area) => ({
        id: area.id,
        label: area.label,
        isWell: isWell(area),
        says: area.notLookedAt ?? area.calm,
        notLookedAt: area.notLookedAt,
      })),
      fixed: mended.map(({ id, did, problem }) => ({ id, did, problem: problem?.message ?? null })),
      isPart,
    },
    text: () =>
      renderReport({ areas, well: areas.filter(isWell), findings, mended, isPart, place }, terminal),
  });
  const faults = findings.filter(({ code }) => code !== null);
  const [worst] = faults;
  if (!worst || worst.code === null) return;
  if (worst.code === "BUG") throw bug;
  throw new AppError(worst.code, `${count(faults.length, "fault")}: ${placesOf(areas).join(", ")}`, {
    ...(worst.command === null ? {} : { hint: worst.command }),
  });
}

/** Where they are, as the report names it: ids are for scripts. */
function placesOf(areas: readonly Area[]): string[] {
  return areas.flatMap(({ label, findings }) => {
    const n = findings.filter(({ code }) => code !== null).length;
    return n === 0 ? [] : [n === 1 ? label : `${label} (${n})`];
  });
}

function jsonOf(
  { id, level, what, why, command, who }: Finding,
  { globals, exit }: { globals: Output["globals"]; exit: number },
) {
  const typed = command === null ? null : asTypedHere(command, globals);
  return { id, level, what, why, command: typed, who, exit };
}
