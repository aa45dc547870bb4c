/** A world in which each of the commands that look at something has something to show. */
import { connectedAts } from "../ats/world.ts";
import { fakeClock } from "../fake-clock.ts";
import { disc, importResults, invite, succeed, type World } from "../world.ts";

const REFUSED = {
  status: 400,
  body: {
    status: "error",
    message: `Property values were not valid: ${'[{"isValid":false,"name":"jc_disc_d"}] '.repeat(4)}`,
    category: "VALIDATION_ERROR",
    correlationId: "6a2bfe24-0a52-4d0e-8a8a-a9d8d8dcf8b5",
  },
};

/** Changes nothing, so that it says the same at each width. */
export const LOOKS = [
  "status",
  "status --all",
  "status --sandbox",
  "invites list",
  "invites list --limit 2 --reveal",
  "invites show inv_refused",
  "invites show inv_gone",
  "invites show inv_good --local",
  "logs",
  "logs --outcome rejected --reveal",
  "logs --limit 2",
  "logs --summary",
  "logs --runs",
  "logs --requests",
  "invites wanted",
  "invites assign",
  "doctor",
  "replay --status held",
  "replay --status rejected",
  "backfill",
  "resync-properties --dry-run",
  "webhooks list",
  "webhooks log",
  "webhooks subscribe --dry-run",
  "catalog list --job 4711",
  "catalog set --job 4711 --stage Screen --test nonsense --optional --no-input",
  "secrets list",
  "config show",
  "config check",
  "config path",
  "vault status",
  "backup list",
  "run retention --dry-run",
  "run subscriptions",
  "disconnect hubspot --no-input",
  "restore --no-input",
];

/** Two accounts, one with a result of each kind and trouble of several kinds. */
export async function troubled(): Promise<World> {
  const clock = fakeClock(Date.UTC(2026, 10, 22, 12));
  const world = await connectedAts({ clock, env: { JC_HUBSPOT_RECREATE: "never" } });
  await succeed(world, ["connect", "hubspot"]);
  const tests = [disc([68, 41, 55, 180]), { ...disc(), slug: "tarot" }];
  await importResults(world, [
    invite({ invitation_id: "inv_good", email: "ann@example.org", tests }),
    invite({ invitation_id: "inv_gone", email: "ben.with.a.long.name@subsidiary.example.org" }),
  ]);
  await succeed(world, ["run", "retry"]);
  await world.portal.removeContact("ben.with.a.long.name@subsidiary.example.org");
  await world.portal.fault({ ...REFUSED, match: "carla" });
  await importResults(world, [
    invite({
      invitation_id: "inv_gone",
      email: "ben.with.a.long.name@subsidiary.example.org",
      timestamp: "2024-06-01T00:00:00Z",
    }),
    invite({ invitation_id: "inv_refused", email: "carla@example.org" }),
    invite({
      invitation_id: "inv_new",
      email: "dora@example.org",
      tests: [{ slug: "disc", status: "started" }],
      type: "invite.progress",
    }),
  ]);
  await world.run(["run", "retry"]);
  await succeed(world, [
    "catalog",
    "set",
    "--job",
    "4711",
    "--stage",
    "Assessment by phone",
    "--test",
    "disc",
  ]);
  await world.run(["replay", "--status", "rejected", "--yes"]);
  await succeed(world, ["backup"]);
  await clock.advance(45 * 60_000);
  return world;
}
