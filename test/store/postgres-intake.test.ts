/** An intake that guesses what stands in the database, beside others that change it meanwhile. */
import { mkdtempSync } from "node:fs";
import { connect as connectTo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { NewEvent } from "../../src/core/event.ts";
import type { Store } from "../../src/store/contract/store.ts";
import { openPostgresStore } from "../../src/store/postgres/postgres.ts";
import { NOON } from "../core/example.ts";
import { anEvent, candidate, completedFor, connect, HUBSPOT } from "./events.ts";
import { asked, describeWithPostgres, postgresServer } from "./postgres-server.ts";

async function open(url: string): Promise<Store> {
  const store = await openPostgresStore({ url });
  onTestFinished(() => store.close());
  return store;
}

/** Two services on one log, the first of which has seen nothing but new invites so far, and so guesses. */
async function two() {
  const url = await (await postgresServer()).database();
  const [ours, theirs] = [await open(url), await open(url)];
  const { id } = await connect(ours);
  await ours.append(completedFor("first"));
  return { url, ours, theirs, id };
}

const outcomes = async (store: Store, events: NewEvent[]) =>
  (await store.append(events)).map(({ outcome }) => outcome);

/** A way to the database on which, while it is told to, no answer comes through before a `COMMIT` was sent. */
async function withheld(url: string) {
  const directory = mkdtempSync(join(tmpdir(), "jc-pg-proxy-"));
  const target = decodeURIComponent(/host=(.+)$/.exec(url)?.[1] ?? "");
  const waiting: (() => void)[] = [];
  let isHeld = false;
  const server = createServer((near) => {
    const far = connectTo(join(target, ".s.PGSQL.5432"));
    near.on("data", (bytes) => {
      far.write(bytes);
      if (!bytes.includes("COMMIT")) return;
      isHeld = false;
      for (const pass of waiting.splice(0)) pass();
    });
    far.on("data", (bytes) => {
      if (isHeld) waiting.push(() => near.write(bytes));
      else near.write(bytes);
    });
    near.on("close", () => far.destroy());
    for (const each of [near, far]) each.on("error", () => {});
  });
  await new Promise<void>((resolve) => server.listen(join(directory, ".s.PGSQL.5432"), resolve));
  onTestFinished(() => void server.close());
  return {
    url: url.replace(encodeURIComponent(target), encodeURIComponent(directory)),
    hold: () => {
      isHeld = true;
    },
  };
}

describeWithPostgres("an intake in PostgreSQL", () => {
  test("stores a group of new invites in one way to the database and back", async () => {
    const url = await (await postgresServer()).database();
    const way = await withheld(url);
    const store = await openPostgresStore({ url: way.url, directUrl: url });
    onTestFinished(() => store.close());
    await connect(store);
    await store.append(completedFor("ann"));
    way.hold();
    expect(await outcomes(store, completedFor("bob", "cat", "dan"))).toEqual(["stored", "stored", "stored"]);
    expect(await asked(url, "SELECT count(*)::int AS n FROM jc.invites")).toEqual([{ n: 4 }]);
  });

  test("sees what another process stored meanwhile", async () => {
    const { url, ours, theirs } = await two();
    const [ann, bob, cat] = completedFor("ann", "bob", "cat");
    if (!ann || !bob || !cat) throw new Error("three events were made");
    const invited = anEvent("invited", { invitationId: "inv_ann" });
    expect(await outcomes(theirs, [invited, bob])).toEqual(["stored", "stored"]);
    expect(await outcomes(ours, [ann, bob, cat])).toEqual(["stored", "known", "stored"]);
    expect(
      await asked(url, "SELECT invitation_id, status FROM jc.invites WHERE invitation_id = 'inv_ann'"),
    ).toEqual([{ invitation_id: "inv_ann", status: "completed" }]);
  });

  test("sees what holds a connection meanwhile, and one that came", async () => {
    const { url, ours, theirs, id } = await two();
    await theirs.hold(id, { cause: "reconnect" });
    await connect(theirs, { environment: "sandbox" });
    expect(await outcomes(ours, completedFor("ann"))).toEqual(["stored"]);
    const held = "SELECT subject, state, held_cause FROM jc.pushes WHERE subject = 'ann@example.com'";
    expect(await asked(url, held)).toEqual([
      { subject: "ann@example.com", state: "held", held_cause: "reconnect" },
    ]);
    await theirs.saveConnection({ ...HUBSPOT, org: "other" }, { state: "connected" });
    expect(await outcomes(ours, completedFor("bob"))).toEqual(["stored"]);
  });

  test("takes nothing more of somebody whom another process erased", async () => {
    const { ours, theirs } = await two();
    const known = { addresses: ["ann@example.com"], invitationIds: [], candidates: [] };
    const of = { org: "acme", address: "ann@example.com", person: "00", marks: ["00"], who: "carol" };
    await theirs.erase({ ...of, at: NOON, now: NOON, known });
    const [event] = completedFor("ann");
    if (!event) throw new Error("an event was made");
    expect(await outcomes(ours, [{ ...event, marks: ["00"] }])).toEqual(["erased"]);
  });

  test("gives versions in the order of commits, whoever stores", async () => {
    const { url, ours, theirs } = await two();
    for (const [n, store] of [ours, theirs, ours, ours, theirs].entries())
      await store.append([
        anEvent("completed", {
          invitationId: `inv_${n}`,
          candidate: candidate("ann@example.com"),
          at: NOON + n,
        }),
      ]);
    const rows =
      "SELECT invitation_id FROM jc.invites WHERE contact = 'ann@example.com' ORDER BY state_version";
    expect(await asked(url, rows)).toEqual([0, 1, 2, 3, 4].map((n) => ({ invitation_id: `inv_${n}` })));
    const push = `SELECT p.version = max(i.state_version) AS is_newest FROM jc.pushes p, jc.invites i
      WHERE p.subject = 'ann@example.com' AND i.contact = p.subject GROUP BY p.version`;
    expect(await asked(url, push)).toEqual([{ is_newest: true }]);
  });

  test("one event that cannot be stored takes no neighbour with it, guessed or not", async () => {
    const { ours } = await two();
    const [ann, bob] = completedFor("ann", "bob");
    if (!ann || !bob) throw new Error("two events were made");
    const unstorable = { ...bob, payload: `${bob.payload}\0` };
    expect(await outcomes(ours, [ann, unstorable, ...completedFor("cat")])).toEqual([
      "stored",
      "failed",
      "stored",
    ]);
  });

  test("writes nothing outside of a transaction that has begun", async () => {
    const { url } = await two();
    const [{ types }] = (await asked(
      url,
      "SELECT array_agg(format_type(t, NULL))::text[] AS types FROM pg_proc, unnest(proargtypes) AS t WHERE proname = 'append_new'",
    )) as [{ types: string[] }];
    const call = `SELECT jc.append_new(${types.map((type) => `'{}'::${type}`).join(", ")})`;
    await expect(asked(url, call)).rejects.toMatchObject({ code: "25P01" });
    await asked(url, `BEGIN; SET LOCAL jc.begun = 'on'; ${call}; ROLLBACK`);
  });
});
