import type { Config, ConfigOptions } from "../../shared/config.ts";
import type { ConfigProblem } from "../../shared/config-check.ts";
import { settingsOf } from "../../shared/vendor-settings.ts";
import type { Output } from "../../shared/world.ts";

/** All that is wrong with the configuration, also with one that no command would start with. */
export interface ConfigLook {
  /** Where it is looked for. */
  searched: string;
  /** Null where there is none. */
  file: string | null;
  problems: ConfigProblem[];
  /** Where an org's data shall stay and this log is not, in words. */
  regions: string[];
  /** What is missing before anything can be connected, in words. */
  missing: string[];
}

export async function lookAtConfig({
  world,
  globals,
}: Pick<Output, "world" | "globals">): Promise<ConfigLook> {
  const [{ configOptions, secretsFor, vendorFaults }, { problemsOf }, { orgsIn, regionWarnings }] =
    await Promise.all([
      import("../../app/configuration.ts"),
      import("../../shared/config-check.ts"),
      import("../../core/advice/residency.ts"),
    ]);
  const options = configOptions(world, globals);
  const { config, problems } = problemsOf(options, world.cwd);
  secretsFor(world, config, ({ message, hint }) => problems.push({ message, hint: hint ?? null }));
  // Of what is no URL they would say the same in other words.
  if (problems.length === 0)
    for (const { message, hint } of await vendorFaults(config, world.clock))
      problems.push({ message, hint: hint ?? null });
  return {
    searched: options.file,
    file: config.file,
    problems,
    regions: regionWarnings(config, orgsIn(config)),
    missing: withoutClient(config, options.vendors),
  };
}

/** Without the id of an app nothing can be connected; that may be meant so where somebody only tries things out. */
function withoutClient(config: Config, vendors: ConfigOptions["vendors"]): string[] {
  const withId = vendors.filter(({ keys }) => Object.hasOwn(keys.global, "client_id"));
  const isSet = withId.some((vendor) =>
    [config.org, ...Object.keys(config.orgs)].some((org) =>
      (["production", "sandbox"] as const).some((environment) =>
        Boolean(settingsOf(config, vendor, { org, environment }).client_id),
      ),
    ),
  );
  if (isSet) return [];
  const names = withId.map(({ vendor }) => `${vendor}.client_id`).join(" or ");
  return [`no app is named: nothing can be connected before ${names} is set`];
}
