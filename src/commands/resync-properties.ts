import { connectCommand } from "../core/advice/command-lines.ts";
import type { Command } from "commander";
import { namesOf } from "../core/advice/left-out.ts";
import type { Connection, Environment } from "../core/connection.ts";
import { DEFAULT_VENDOR } from "../core/default-vendor.ts";
import { AppError } from "../shared/errors.ts";
import type { Terminal } from "../shared/terminal.ts";
import { count } from "../shared/text.ts";
import type { Destination, FieldPlan } from "../vendors/contract/destination.ts";
import { vendorNames } from "./session/known-values.ts";
import { withApp } from "./session/with-app.ts";
import type { World } from "../shared/world.ts";

export function registerResync(program: Command, world: World): void {
  program
    .command("resync-properties")
    .description("create the HubSpot properties that are missing; never overwrites (exit 7: no room for all)")
    .option(
      "--vendor <vendor>",
      `${vendorNames()}; of others than HubSpot the fields are only read anew`,
      DEFAULT_VENDOR,
    )
    .option("--dry-run", "show the plan, change nothing")
    .option("--sandbox", "in the sandbox portal")
    .addHelpText("after", "\nExample:\n  jc-integrations resync-properties --dry-run")
    .action((options: { vendor: string; dryRun?: boolean; sandbox?: boolean }, command: Command) =>
      withApp(world, command, async ({ app, terminal, print }) => {
        const [{ planResync, resync }, { requireTokens }] = await Promise.all([
          import("../flows/connect/resync.ts"),
          import("../flows/account/vault-trouble.ts"),
        ]);
        const environment = options.sandbox ? "sandbox" : "production";
        const store = await app.store();
        const destination = await app.destination({ org: app.org, vendor: options.vendor, environment });
        const connection = connectedTo(destination, await store.connections(app.org), {
          org: app.org,
          environment,
        });
        const access = await app.access(connection, { store, signal: world.signal });
        if (!options.dryRun) await requireTokens({ store, clock: app.clock }, connection, access);
        const [, words] = destination.fieldWords;
        const context = { store, clock: app.clock, destination, access };
        const plan = await planResync(context, connection);
        if (options.dryRun) {
          print({
            json: { ...jsonOf(plan, plan.create), dryRun: true },
            text: () =>
              [
                renderPlan(plan, plan.create, { verb: "would create", words }, terminal),
                ...leftOutLines(plan, terminal),
                ...wantedLines(plan, terminal),
              ].join("\n"),
          });
          return;
        }
        const report = await resync(context, connection, plan);
        const done = { ...plan, ...report };
        print({
          json: { ...jsonOf(done, report.created), due: report.due },
          text: () =>
            [
              renderPlan(done, report.created, { verb: "created", words }, terminal),
              ...leftOutLines(report, terminal),
              ...wantedLines(report, terminal),
              ...(report.due > 0 ? [`${count(report.due, destination.subject)} will be sent again.`] : []),
            ].join("\n"),
        });
        if (report.overQuota.length > 0) {
          throw new AppError(
            "PARTIAL",
            `the portal has no room for ${count(report.overQuota.length, "property").replace("propertys", "properties")}`,
            {
              hint: "Remove custom properties there, or ask for a larger plan; then run this again.",
            },
          );
        }
      }),
    );
}

function connectedTo(
  { vendor, label }: Destination,
  connections: readonly Connection[],
  { org, environment }: { org: string; environment: Environment },
): Connection {
  const found = connections.find((known) => known.vendor === vendor && known.environment === environment);
  if (found?.account) return found;
  throw new AppError("RECONNECT_NEEDED", `${org} has no ${label} connection (${environment})`, {
    hint: connectCommand({ vendor, org, environment }),
  });
}

function jsonOf(
  plan: Pick<FieldPlan, "group" | "existing" | "drifted" | "overQuota" | "leftOut" | "wanted">,
  created: readonly string[],
) {
  return {
    group: plan.group?.name ?? null,
    created,
    existing: plan.existing,
    drifted: plan.drifted,
    overQuota: plan.overQuota,
    leftOut: plan.leftOut,
    ...(plan.wanted ? { wanted: plan.wanted } : {}),
  };
}

/** What no call creates: somebody types it off into the vendor's own pages. */
function wantedLines({ wanted = [] }: Pick<FieldPlan, "wanted">, { paint, table }: Terminal): string[] {
  if (wanted.length === 0) return [];
  return [
    "",
    paint.bold("An administrator there can create these; then run this again."),
    table(
      ["key", "label", "type"],
      wanted.map(({ name, label, type }) => [name, label, type]),
    ),
  ];
}

function leftOutLines({ leftOut }: Pick<FieldPlan, "leftOut">, { paint }: Terminal): string[] {
  if (leftOut.length === 0) return [];
  return [
    "",
    paint.yellow(
      `! left out of every result, and the rest goes: ${namesOf(leftOut)}. Mend it in the portal, then run this again.`,
    ),
  ];
}

function renderPlan(
  plan: Pick<FieldPlan, "group" | "existing" | "drifted" | "overQuota">,
  created: readonly string[],
  { verb, words }: { verb: string; words: string },
  { paint, table }: Terminal,
): string {
  const driftOf = (name: string) =>
    plan.drifted.flatMap((drift) => (drift.name === name ? [drift.difference] : [])).join("; ");
  const rows = [
    ...created.map((name) => [name, paint.green(verb)]),
    ...plan.existing.map((name) => [
      name,
      driftOf(name) === "" ? paint.dim("exists") : paint.yellow(`differs: ${driftOf(name)}`),
    ]),
    ...plan.overQuota.map((name) => [name, paint.red("no room in the portal")]),
  ];
  const group = plan.group?.exists !== false ? "" : " and the group";
  const summary = `${verb} ${created.length}${group}, ${plan.existing.length} there already`;
  return [`${paint.bold(plan.group?.name ?? words)}  ${summary}`, "", table([words, ""], rows)].join("\n");
}
