/** What the built `serve` counts, as a scraper sees it. */
import { renameSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { joined, MOST_ORGS, whoseLabels } from "../../src/daemon/metrics/whose.ts";
import { openSqliteStore } from "../../src/store/sqlite/sqlite.ts";
import { open } from "../attacks/stranger.ts";
import { askByTls, issued, missingForCertificates, tlsSettings } from "../certificates.ts";
import { allDelivered, launchService, send } from "../end-to-end/program.ts";
import { connected, freshWorld, invite, ORG, prepared, sign, succeed, until } from "../world.ts";
import { scrape, scrapedFrom } from "./scrape.ts";

const SOURCE = "jobcannon";
const WHOSE = { org: ORG, vendor: "hubspot", environment: "production" } as const;
const FREE = { JC_HUBSPOT_TIER: "free" };

describe("a result on its way", () => {
  test("is counted when it is acknowledged, called for, delivered, and in its account's window", async () => {
    const world = await connected();
    const before = Date.now() / 1_000;
    world.env = { ...world.env, ...FREE };
    const service = await launchService(world);
    const event = invite();
    for (const id of ["one", "one", "two"])
      expect((await send(service.url, id === "two" ? invite() : event, { id }))?.status).toBe(202);
    await allDelivered(world);
    const { value } = await scrape(service.adminUrl);
    expect(value("jc_webhooks_acknowledged_total", { source: SOURCE, outcome: "stored" })).toBe(2);
    expect(value("jc_webhooks_acknowledged_total", { source: SOURCE, outcome: "known" })).toBe(1);
    expect(value("jc_ingest_seconds_count", { source: SOURCE })).toBe(3);
    expect(value("jc_ingest_seconds_sum", { source: SOURCE })).toBeGreaterThan(0);
    expect(value("jc_webhook_to_contact_seconds_count", { vendor: "hubspot" })).toBe(2);
    expect(value("jc_webhook_to_contact_seconds_bucket", { vendor: "hubspot", le: "60" })).toBe(2);
    expect(value("jc_vendor_calls_total", { vendor: "hubspot", status: "200" })).toBeGreaterThan(0);
    expect(value("jc_pushes", { ...WHOSE, state: "delivered" })).toBe(2);
    expect(value("jc_pushes", { ...WHOSE, state: "rejected" })).toBe(0);
    expect(value("jc_oldest_pending_seconds", WHOSE)).toBe(0);
    expect(value("jc_connection_up", WHOSE)).toBe(1);
    expect(value("jc_last_sync_timestamp_seconds", WHOSE)).toBeGreaterThan(before);
    expect(value("jc_token_expires_timestamp_seconds", WHOSE)).toBeGreaterThan(before);
    expect(value("jc_login_age_seconds", WHOSE)).toBeGreaterThanOrEqual(0);
    expect(value("jc_rate_window_limit", WHOSE)).toBe(100);
    expect(value("jc_rate_window_calls", WHOSE)).toBeGreaterThan(0);
    expect(value("jc_log_bytes")).toBeGreaterThan(10_000);
    expect(value("jc_ready")).toBe(1);
    expect(value("jc_store_readable")).toBe(1);
  });

  test("that does not arrive shows how long it waits, and what the vendor answers", async () => {
    const world = await connected();
    const service = await launchService(world);
    await world.portal.fault({ status: 503 });
    expect((await send(service.url, invite()))?.status).toBe(202);
    const failed = async () =>
      (await scrape(service.adminUrl)).value("jc_vendor_calls_total", { vendor: "hubspot", status: "503" });
    await until("a call failed", async () => ((await failed()) ?? 0) > 0);
    const waits = async () => (await scrape(service.adminUrl)).value("jc_oldest_pending_seconds", WHOSE) ?? 0;
    const first = await waits();
    expect(first).toBeGreaterThan(0);
    await until("it waits longer", async () => (await waits()) > first);
    expect((await scrape(service.adminUrl)).value("jc_pushes", { ...WHOSE, state: "pending" })).toBe(1);
  });

  test("that meets the vendor's limit is counted as 429", async () => {
    const world = await connected();
    const service = await launchService(world);
    await world.portal.fault({ status: 429, times: 1 });
    expect((await send(service.url, invite()))?.status).toBe(202);
    await allDelivered(world);
    const { value } = await scrape(service.adminUrl);
    expect(value("jc_vendor_calls_total", { vendor: "hubspot", status: "429" })).toBe(1);
  });
});

test("what is refused is counted by its reason, and what could not be stored apart", async () => {
  const world = await prepared();
  const { url, adminUrl } = await launchService(world);
  const path = `${url}/jobcannon/events`;
  const post = async (body: string, headers: Record<string, string> = {}, to = path, method = "POST") =>
    (
      await fetch(to, {
        method,
        headers: { ...sign(body), ...headers },
        ...(method === "GET" ? {} : { body }),
      })
    ).status;
  const body = JSON.stringify(invite());
  expect(await post(body, { "webhook-signature": "v1,AAAA" })).toBe(401);
  expect(await post("{}")).toBe(400);
  expect(await post(body, { "content-type": "text/plain" })).toBe(415);
  expect(await post("x".repeat(1024 * 1024 + 1))).toBe(413);
  expect(await post(body, {}, path, "GET")).toBe(405);
  expect(await post(body, {}, `${url}/jobcannon/wrong`)).toBe(404);
  await open({ url }, "no HTTP at all\r\n\r\n").closed;
  const { value } = await scrape(adminUrl);
  for (const reason of ["signature", "content", "type", "size", "method", "path"])
    expect(value("jc_webhooks_refused_total", { source: SOURCE, reason }), reason).toBe(1);
  expect((await scrape(adminUrl)).text).toMatch(
    /jc_webhooks_refused_total\{source="[^"]*",reason="http"\} 1/,
  );

  await succeed(world, ["secrets", "remove", "jobcannon.webhook-secret", "--yes"]);
  const bare = await launchService(world);
  const answer = await fetch(`${bare.url}/jobcannon/events`, { method: "POST", headers: sign(body), body });
  expect(answer.status).toBe(503);
  const after = await scrape(bare.adminUrl);
  expect(after.value("jc_webhooks_not_stored_total", { source: SOURCE })).toBe(1);
  expect(after.value("jc_webhooks_refused_total", { source: SOURCE, reason: "signature" })).toBeUndefined();
});

test("jobs are counted by how they ended", async () => {
  const world = await connected();
  const { adminUrl } = await launchService(world);
  const runs = async (outcome: string) =>
    (await scrape(adminUrl)).value("jc_job_runs_total", { job: "refresh", outcome }) ?? 0;
  await until("a job was done", async () => (await runs("done")) > 0);
  const { value } = await scrape(adminUrl);
  expect(value("jc_job_last_done_timestamp_seconds", { job: "refresh" })).toBeGreaterThan(
    Date.now() / 1_000 - 60,
  );
});

test("a process that was held up shows it", async () => {
  const { adminUrl, child } = await launchService(await prepared());
  const ticks = async () => (await scrape(adminUrl)).value("jc_event_loop_delay_seconds_count") ?? 0;
  await until("it has ticked", async () => (await ticks()) > 0);
  const late = async () => {
    const { value } = await scrape(adminUrl);
    const inTime = value("jc_event_loop_delay_seconds_bucket", { le: "1" }) ?? 0;
    return (value("jc_event_loop_delay_seconds_count") ?? 0) - inTime;
  };
  const before = await late();
  child.kill("SIGSTOP");
  await new Promise((resolve) => setTimeout(resolve, 2_500));
  child.kill("SIGCONT");
  await until("it tells that it was late", async () => (await late()) > before);
});

test("a log that is gone takes its figures along, and no others", async () => {
  const world = await connected();
  const { adminUrl, url } = await launchService(world);
  expect((await send(url, invite()))?.status).toBe(202);
  expect((await scrape(adminUrl)).value("jc_connection_up", WHOSE)).toBe(1);
  renameSync(world.stateDir, join(world.dir, "elsewhere"));
  const gone = async () => (await scrape(adminUrl)).value("jc_store_readable") === 0;
  await until("the log cannot be read", gone);
  const { value } = await scrape(adminUrl);
  expect(value("jc_ready")).toBe(0);
  expect(value("jc_connection_up", WHOSE)).toBeUndefined();
  expect(value("jc_webhooks_acknowledged_total", { source: SOURCE, outcome: "stored" })).toBe(1);
});

describe("no person", () => {
  test("is named, and no org where metrics.org_label is off", async () => {
    const world = await connected();
    const event = invite({ email: "ingrid.solheim@example.org" });
    const named = await launchService(world);
    expect((await send(named.url, event))?.status).toBe(202);
    await allDelivered(world);
    const { text, valuesOf } = await scrape(named.adminUrl);
    for (const word of ["ingrid", "solheim", "Ingrid", "example.org", event.data.invitation_id])
      expect(text).not.toContain(word);
    expect(valuesOf("org")).toEqual(new Set([ORG]));
    world.env = { ...world.env, JC_METRICS_ORG_LABEL: "false" };
    const without = await scrape((await launchService(world)).adminUrl);
    expect(without.valuesOf("org")).toEqual(new Set());
    expect(without.text).not.toContain(ORG);
    const { org: _, ...rest } = WHOSE;
    expect(without.value("jc_pushes", { ...rest, state: "delivered" })).toBe(1);
  });
});

describe("orgs beyond 200", () => {
  test("are one in a scrape: their figures are added up, or the worst one stands", async () => {
    const world = await freshWorld();
    const store = await openSqliteStore({ stateDir: world.stateDir, clock: world.clock });
    for (let n = 0; n < 203; n += 1) {
      const name = {
        org: `org-${n}`,
        vendor: "hubspot",
        environment: "production",
        subject: "contact",
      } as const;
      const lastSyncAt = n === 201 ? 5_000 : 9_000;
      await store.saveConnection(name, { state: "must_reconnect", banner: "for the test", lastSyncAt });
    }
    await store.close();
    const { adminUrl } = await launchService(world);
    const { valuesOf, value } = await scrape(adminUrl);
    const orgs = valuesOf("org");
    expect(orgs.size).toBe(MOST_ORGS + 1);
    expect(orgs).toContain("org-199");
    expect(orgs).not.toContain("org-200");
    const rest = { ...WHOSE, org: "other" };
    expect(value("jc_last_sync_timestamp_seconds", rest)).toBe(5);
    expect(value("jc_pushes", { ...rest, state: "pending" })).toBe(0);
  });

  test("keep the names of those that were there first", () => {
    const at = (id: number, org: string) => ({ ...WHOSE, id, org });
    const all = [at(3, "c"), at(1, "a"), at(2, "b"), at(4, "a")];
    const labels = whoseLabels(all, { isByOrg: true, most: 2 });
    expect(all.map((each) => labels(each).org)).toEqual(["other", "a", "b", "a"]);
    expect(whoseLabels(all, { isByOrg: false })(at(1, "a"))).toEqual({
      vendor: "hubspot",
      environment: "production",
    });
    const samples = [3, 5, 4].map((value) => ({ labels: { org: "other" }, value }));
    expect(joined(samples, "sum")).toEqual([{ labels: { org: "other" }, value: 12 }]);
    expect(joined(samples, "least")).toEqual([{ labels: { org: "other" }, value: 3 }]);
    expect(joined(samples, "most")).toEqual([{ labels: { org: "other" }, value: 5 }]);
  });
});

test.skipIf(missingForCertificates !== null)(
  "the certificate's end is told, by TLS as all of it",
  async () => {
    const pair = issued({ until: Math.floor(Date.now() / 1_000) * 1_000 + 50 * 86_400_000 });
    const world = await prepared();
    const plain = await scrape((await launchService(world)).adminUrl);
    expect(plain.text).not.toMatch(/^jc_tls_certificate_expires_timestamp_seconds/m);
    world.env = { ...world.env, ...tlsSettings(pair) };
    const { adminUrl } = await launchService(world);
    const port = new URL(adminUrl).port;
    const answer = await askByTls(`https://localhost:${port}/metrics`, { ca: pair.ca });
    const end = scrapedFrom(answer.body).value("jc_tls_certificate_expires_timestamp_seconds", {
      names: "localhost, 127.0.0.1",
    });
    expect(((end ?? 0) * 1_000 - Date.now()) / 86_400_000).toBeCloseTo(50, 1);
  },
);

test("a scrape of an idle service costs little, however often it is asked at once", async () => {
  const { adminUrl } = await launchService(await connected());
  const all = await Promise.all(Array.from({ length: 12 }, () => scrape(adminUrl)));
  expect(new Set(all.map(({ names }) => names.join())).size).toBe(1);
});
