/** The program, its configuration and the machine's clock. */
import { possessive } from "../../../shared/text.ts";
import { type Area, area, type Finding, fault, faultOf, note, warning } from "../finding.ts";
import type { Facts } from "../look/facts.ts";
import { foundIn } from "../look/looker.ts";

export interface ConfigurationFacts {
  /** Where it is looked for. */
  file: string;
  isThere: boolean;
  problems: readonly { message: string; hint: string | null }[];
  /** Where an org's data shall stay and this log is not, in words. */
  regions: readonly string[];
  /** What is missing before anything can be connected, in words. */
  missing: readonly string[];
}

export function configurationArea(facts: ConfigurationFacts): Area {
  const { file, isThere, problems, regions, missing } = facts;
  const edit = (fix: string) => `Whoever may write ${file}: ${fix}`;
  return area("configuration", "configuration", {
    found: [
      ...problems.map(({ message, hint }) =>
        fault("configuration", "CONFIG_INVALID", {
          what: message,
          why: "What needs it ends with 2, and serve does not start.",
          who: edit(hint ?? "set it right."),
        }),
      ),
      ...missing.map((words) =>
        warning("configuration.app", {
          what: words,
          why: "It names us to the vendor.",
          who: edit("set it, from the app's page there."),
        }),
      ),
      ...regions.map((words) =>
        warning("configuration.region", {
          what: words,
          why: "Results would rest elsewhere than was promised.",
          who: edit("correct whichever is wrong."),
        }),
      ),
    ],
    calm: file,
    notLookedAt: isThere ? null : `there is no ${file}`,
  });
}

export function programArea(
  facts: Pick<Facts, "keptCode" | "log" | "vault">,
  { version }: { version: string },
): Area {
  return area("program", "program", {
    found: [unfitNative(facts), slowStart(facts.keptCode)],
    calm: foundIn(facts.log) || foundIn(facts.vault) ? `${version}, its native parts load` : version,
  });
}

/** Whoever needs it first meets it: the log, or the vault. */
function unfitNative({ log, vault }: Pick<Facts, "log" | "vault">): Finding | null {
  const met = [log, vault].find(isNativeTrouble);
  return met?.is === "failed"
    ? faultOf("program.native", met.problem, "Nothing can be opened without it.")
    : null;
}

export function isNativeTrouble(looked: Facts["log"] | Facts["vault"]): boolean {
  return (
    looked.is === "failed" &&
    looked.problem.code === "CONFIG_INVALID" &&
    /a native part/.test(looked.problem.message)
  );
}

function slowStart({ trouble, directory, hasSources }: Facts["keptCode"]): Finding | null {
  if (trouble === null) return null;
  return note("program.kept-code", {
    what: trouble,
    why: "All works; each command begins a little later.",
    ...(hasSources
      ? { command: `npm --prefix '${directory}' run build` }
      : { who: `Whoever installed it in ${directory}: install it again, with the Node that runs it.` }),
  });
}

/** Beyond it webhooks are refused: their signatures hold for so long. */
const MOST_AHEAD_MS = 5 * 60_000;
const NOTABLE_MS = 30_000;

export function clockArea({ clock }: Pick<Facts, "clock">): Area {
  return area("clock", "clock", {
    found: [clockOff(clock)],
    calm: clock === null ? "" : `agrees with ${possessive(clock.of)}`,
    notLookedAt: clock === null ? "no vendor told its time" : null,
  });
}

export function clockOff(clock: Facts["clock"]): Finding | null {
  if (clock === null) return null;
  const off = Math.abs(clock.aheadMs);
  if (off < NOTABLE_MS) return null;
  const words = {
    what: `this machine's clock is ${spell(off)} ${clock.aheadMs > 0 ? "ahead of" : "behind"} ${possessive(clock.of)}`,
    who: "Whoever runs this machine: have it set by NTP, as root: timedatectl set-ntp true",
  };
  if (off < MOST_AHEAD_MS)
    return warning("clock", { ...words, why: "From 5 minutes on JobCannon's webhooks are refused." });
  return fault("clock", "CONFIG_INVALID", {
    ...words,
    why: "JobCannon's webhooks are refused: their signatures hold for 5 minutes.",
  });
}

function spell(ms: number): string {
  if (ms < 120_000) return `${Math.round(ms / 1_000)} s`;
  return ms < 2 * 3_600_000 ? `${Math.round(ms / 60_000)} min` : `${Math.round(ms / 3_600_000)} h`;
}
