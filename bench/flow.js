// A whole portal's results against the vendor's floor: how long a backfill takes under HubSpot's limit, beside
// HubSpot's own client doing the same upserts.
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { CONTACTS, figuresOf, LIMIT, measureBackfill, PATIENCE_MS, rowsOf, windowOver } from "./backfill.js";
import { openPortal, visit } from "./portal.js";
import { startScript } from "./program.js";

const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 3);
const GOAL = 1.03;

export async function flow({ log }) {
  const systems = [
    { what: "backfill through serve", results: [] },
    { what: "@hubspot/api-client", results: [] },
  ];
  for (let round = 0; round < ROUNDS; round++) {
    const ours = await measureBackfill();
    log({ what: systems[0].what, round, ...ours.result });
    systems[0].results.push(ours.result);
    const theirs = await measureTheirs(ours.batches, ours.result.latencyMs);
    log({ what: systems[1].what, round, ...theirs });
    systems[1].results.push(theirs);
  }
  return systems.flatMap(({ what, results }, index) =>
    rowsOf(`flow: ${what}`, results, index === 0 ? GOAL : null),
  );
}

async function measureTheirs(batches, latencyMs) {
  const portal = await openPortal({ limit: LIMIT.text, tier: LIMIT.tier });
  const file = join(portal.stateDir, "batches.json");
  try {
    // For the properties.
    await portal.connect();
    writeFileSync(file, JSON.stringify(batches));
    const token = await tokenOf(portal.hubspot);
    await windowOver();
    const client = fileURLToPath(new URL("official-client.js", import.meta.url));
    const argv = [client, portal.hubspot, token, file];
    const { stdout, memory } = await startScript(argv, { env: {}, timeoutMs: PATIENCE_MS }).finished;
    const { confirmed } = JSON.parse(stdout);
    if (confirmed !== CONTACTS) throw new Error(`${confirmed} of ${CONTACTS} contacts were confirmed`);
    return { ...figuresOf(await portal.upserts(), latencyMs), ...memory };
  } finally {
    rmSync(file, { force: true });
    await portal.close();
  }
}

/** An access token for the portal, as an app of one's own would get it. */
async function tokenOf(hubspot) {
  const redirectUri = "http://localhost/done";
  const query = new URLSearchParams({
    client_id: "bench",
    redirect_uri: redirectUri,
    scope: "oauth crm.objects.contacts.read crm.objects.contacts.write",
    state: "bench",
  });
  const landed = await visit(`${hubspot}/oauth/authorize?${query}`, redirectUri);
  const answer = await fetch(`${hubspot}/oauth/v3/token`, {
    method: "POST",
    body: new URLSearchParams({
      grant_type: "authorization_code",
      client_id: "bench",
      client_secret: "bench",
      redirect_uri: redirectUri,
      code: new URL(landed).searchParams.get("code"),
    }),
  });
  return (await answer.json()).access_token;
}
