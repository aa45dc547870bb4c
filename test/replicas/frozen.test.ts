import { expect, test } from "vitest";
import { allDelivered, send } from "../end-to-end/program.ts";
import { asked, describeWithPostgres } from "../store/postgres-server.ts";
import { invite, until } from "../world.ts";
import { replicated } from "./world.ts";

const UPSERT = "/crm/v3/objects/contacts/batch/upsert";
const READ = "/crm/v3/objects/contacts/batch/read";
const EMAIL = "ann@example.com";
/** What was asked before the freeze is answered well after the other has delivered. */
const ANSWER_MS = 12_000;

describeWithPostgres("a service that was frozen", () => {
  test("tells nothing old once another has taken over, and goes on with what is new", async () => {
    const world = await replicated({ env: { JC_HUBSPOT_RECREATE: "never" } });
    const upserts = async () => (await world.portal.requests({ to: UPSERT })).length;
    const frozen = await world.launch();
    expect((await send(frozen.url, invite({ email: EMAIL })))?.status).toBe(202);
    await allDelivered(world);
    const before = await upserts();

    // What was delivered once is looked for before it is written again.
    await world.portal.fault({ delayMs: ANSWER_MS, times: 1, path: READ });
    expect((await send(frozen.url, invite({ email: EMAIL })))?.status).toBe(202);
    await until("it is looked for", async () => (await world.portal.requests({ to: READ })).length > 0);
    frozen.child.kill("SIGSTOP");
    await asked(world.url, "UPDATE jc.clock_offset SET ms = 100000");
    const other = await world.launch();
    expect((await send(other.url, invite({ email: EMAIL })))?.status).toBe(202);
    await allDelivered(world);
    const told = await upserts();
    expect(told).toBeGreaterThan(before);

    frozen.child.kill("SIGCONT");
    await until("it does not go", () => frozen.err().includes("may be another process's by now"));
    expect(await upserts()).toBe(told);
    other.child.kill("SIGTERM");
    await other.ended;
    expect((await send(frozen.url, invite({ email: EMAIL })))?.status).toBe(202);
    await allDelivered(world);
    expect(await upserts()).toBe(told + 1);
  });
});
