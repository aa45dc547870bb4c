/** Where an account's data rest beside where they shall: for `status`, `doctor` and the admin page. */
import { residencyTrouble, residencyWords } from "../../core/advice/residency.ts";
import type { Connection } from "../../core/connection.ts";
import { type Residency, residencyOf } from "../../core/residency.ts";
import type { Config } from "../../shared/config.ts";
import { settingsOf } from "../../shared/vendor-settings.ts";
import type { VendorDeclaration } from "../../vendors/contract/declaration.ts";

type Placed = Pick<Connection, "org" | "vendor" | "environment" | "account" | "crossRegion">;

/** A region that the operator declares counts as it stands in the configuration now, not as it did at the consent. */
export function residencyNow(
  config: Config,
  declared: VendorDeclaration | undefined,
  connection: Placed,
): Residency {
  const { org, account, crossRegion = null } = connection;
  const isDeclared = declared !== undefined && Object.hasOwn(declared.keys.org, "region");
  const { region: told }: { region?: unknown } = isDeclared
    ? settingsOf(config, declared, connection)
    : (account ?? {});
  return residencyOf({
    config,
    org,
    told: typeof told === "string" ? told : null,
    allowed: crossRegion,
  });
}

/** As `status` shows it. */
export function residencyStatus(config: Config, declared: VendorDeclaration | undefined, connection: Placed) {
  const residency = residencyNow(config, declared, connection);
  const { org, store, account, told, isAllowed } = residency;
  const whose = { name: connection, label: declared?.label ?? connection.vendor, residency };
  const trouble = residencyTrouble(whose);
  const words = trouble ? `${whose.label}: ${trouble.message}. ${trouble.hint}` : residencyWords(whose);
  // Where nothing differs there was nothing to allow.
  const allowed = residency.differences.length > 0 ? isAllowed : null;
  return { org, store, account, told, isAllowed: allowed, isTrouble: trouble !== null, words };
}
