/** From what was looked at to what is said of it: one area after the other. Pure. */
import { isToldOfLog } from "../../core/advice/database.ts";
import type { Area } from "./finding.ts";
import { area } from "./finding.ts";
import * as account from "./checks/account.ts";
import { clockArea, type ConfigurationFacts, configurationArea, programArea } from "./checks/installation.ts";
import { rate } from "./checks/rate.ts";
import * as results from "./checks/results.ts";
import { alertsArea, webhooksArea } from "./checks/senders.ts";
import { receiverArea, serviceArea } from "./checks/service.ts";
import { backupArea, storeArea, vaultArea } from "./checks/storage.ts";
import type { AccountFacts } from "./look/account.ts";
import type { Facts } from "./look/facts.ts";
import { foundIn } from "./look/looker.ts";

export function judge(
  facts: Facts,
  { configuration, version, org }: { configuration: ConfigurationFacts; version: string; org: string },
): Area[] {
  return oncePerWords([
    configurationArea(configuration),
    programArea(facts, { version }),
    clockArea(facts),
    vaultArea(facts),
    storeArea(facts),
    backupArea(facts),
    serviceArea(facts),
    receiverArea(facts),
    webhooksArea(facts, { org }),
    alertsArea(facts, { org }),
    ...facts.accounts.filter((each) => !account.isOfNoUse(each)).map((each) => accountArea(each, facts)),
  ]);
}

/** One cause may be met at several places: it is told where it was met first, and the log's database as the log's. */
function oncePerWords(areas: readonly Area[]): Area[] {
  const told = new Set<string>();
  const ofLog = areas.flatMap(({ findings }) =>
    findings.flatMap(({ id, level, what }) => (id === "store" && level === "error" ? [what] : [])),
  );
  return areas.map((each) => {
    const findings = each.findings.filter(
      ({ what }) => !isToldOfLog(what, ofLog) && !told.has(what) && told.add(what),
    );
    const isElsewhere = findings.length === 0 && each.findings.length > 0;
    return {
      ...each,
      findings,
      notLookedAt: isElsewhere ? "the same trouble is told above" : each.notLookedAt,
    };
  });
}

function accountArea(facts: AccountFacts, { now, trials }: Pick<Facts, "now" | "trials">): Area {
  const passedAt = trials.get(facts.vendor) ?? null;
  return area(facts.vendor, facts.label, {
    found: [
      account.app(facts),
      account.connection(facts),
      account.credentials(facts),
      account.scopes(facts),
      account.redirectUri(facts),
      account.region(facts),
      account.loginAge(facts, now),
      account.apiVersion(facts, now),
      ...results.fieldTroubles(facts),
      results.subscription(facts),
      rate(facts),
      results.sandboxTest(facts, passedAt),
    ],
    calm: results.calmWords(facts, { passedAt, fieldCount: foundIn(facts.fields)?.existing.length ?? 0 }),
    notLookedAt: results.unasked(facts),
  });
}
