import type { ApiVersion } from "../../core/advice/api-version.ts";
import type { Config } from "../../shared/config.ts";
import { settingsOf } from "../../shared/vendor-settings.ts";
import type { VendorDeclaration } from "../../vendors/contract/declaration.ts";

/** The version of its API that a vendor is asked in; null for a vendor that has but one. */
export function apiVersionOf(
  declared: VendorDeclaration | undefined,
  config: Config,
  of: { org: string; environment: "production" | "sandbox" },
): ApiVersion | null {
  if (!declared?.versions) return null;
  const chosen = settingsOf(config, declared, of).api_version;
  return versionsOf(declared).find(({ name }) => name === chosen) ?? null;
}

export function versionsOf({ versions = {} }: VendorDeclaration): ApiVersion[] {
  return Object.entries(versions).map(([name, { supportedUntil }]) => ({ name, supportedUntil }));
}
