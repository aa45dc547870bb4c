import { request } from "node:http";
import { describe, expect, test } from "vitest";
import { connect, connected, freshWorld, invite, sign, until } from "../world.ts";
import { allDelivered, launch, launchService, send, sendUntilTaken } from "./program.ts";

describe("the built program", () => {
  test("brings a webhook to the contact, and ends in order on SIGTERM", async () => {
    const world = await connected();
    const service = await launchService(world);
    const event = invite();
    expect((await send(service.url, event))?.status).toBe(202);
    await until("it is delivered", () => service.err().includes("delivered=1"));
    expect(Object.keys(await world.portal.contacts())).toEqual([event.data.candidate.email]);
    service.child.kill("SIGTERM");
    const { code, signal, err } = await service.ended;
    expect({ code, signal }).toEqual({ code: 0, signal: null });
    expect(err.match(/listening|delivered(?= )|stopping|stopped/g)).toEqual([
      "listening",
      "delivered",
      "stopping",
      "stopped",
    ]);
    expect((await world.run(["status", "--json"])).json).toMatchObject({ service: "not running" });
  });

  test("answers what came before SIGTERM, takes nothing new, and then ends", async () => {
    const world = await connected();
    const service = await launchService(world);
    const event = invite();
    const body = JSON.stringify(event);
    const call = request(`${service.url}/jobcannon/events`, { method: "POST", headers: sign(body) });
    const answered = new Promise<number | undefined>((resolve, reject) => {
      call.once("response", (response) => resolve(response.resume().statusCode)).once("error", reject);
    });
    call.write(body.slice(0, 100));
    // Its first bytes have arrived when a later call is answered.
    expect((await send(service.url, invite()))?.status).toBe(202);
    service.child.kill("SIGTERM");
    await until("the door is closed", async () => (await send(service.url, invite())) === null);
    call.end(body.slice(100));
    expect(await answered).toBe(202);
    expect(await service.ended).toMatchObject({ code: 0 });
    const shown = await world.run(["invites", "show", event.data.invitation_id, "--json"]);
    expect(shown).toMatchObject({ code: 0, json: { events: [{ type: "invite.completed" }] } });
  });

  test("stops at once when it is told to again; twice in one moment is one wish", async () => {
    const world = await connected();
    const service = await launchService(world);
    await world.portal.fault({ delayMs: 60_000, path: "/crm/v3/objects" });
    await send(service.url, invite());
    await until("the call is under way", async () => (await world.portal.upserts()).length > 0);
    for (const signal of ["SIGINT", "SIGTERM"] as const) service.child.kill(signal);
    await until("it is stopping", () => service.err().includes("stopping"));
    expect(service.child.exitCode).toBeNull();
    await until("it gives in", () => service.child.exitCode !== null || !service.child.kill("SIGINT"));
    expect(await service.ended).toMatchObject({ code: 130 });
  });

  test("works from the first command to the last as processes of their own", async () => {
    const world = await connected();
    const file = world.file("events.ndjson", [invite(), invite()]);
    const imported = await launch(world, ["invites", "import", file, "--json"]).ended;
    expect(imported).toMatchObject({ code: 0, err: "" });
    expect(JSON.parse(imported.out)).toEqual({
      version: 1,
      read: 2,
      stored: 2,
      known: 0,
      refused: 0,
      bad: [],
      orgs: { acme: 2 },
      warned: 0,
      warnings: [],
    });
    expect(await launch(world, ["run", "retry"]).ended).toMatchObject({
      code: 0,
      out: expect.stringContaining("2 delivered"),
    });
    expect(await launch(world, ["stauts"]).ended).toMatchObject({
      code: 2,
      err: expect.stringContaining("Did you mean status?"),
    });
    expect(await launch(world, ["--version"]).ended).toMatchObject({ code: 0 });
  });
});

describe("trouble", () => {
  test("of a disk that is full is answered with 503 until there is room; nothing taken is lost", async () => {
    const world = await freshWorld();
    await connect(world);
    // 512-byte blocks: no file may grow over 200 KiB.
    const cramped = await launchService(world, { shell: "ulimit -f 400" });
    const taken: string[] = [];
    const refused = await until("the disk is full", async () => {
      const event = invite();
      const answer = await send(cramped.url, event);
      if (answer?.status === 202) taken.push(event.data.invitation_id);
      return answer?.status === 202 ? null : { event, answer };
    });
    expect(taken.length).toBeGreaterThan(0);
    expect(refused.answer?.status).toBe(503);
    expect(refused.answer?.headers["retry-after"]).toBe("5");
    expect((await fetch(`${cramped.url}/healthz`)).status).toBe(200);
    for (let more = 0; more < 5; more += 1) await send(cramped.url, invite());
    expect(cramped.err().match(/the log cannot be used/g)).toHaveLength(1);
    expect(cramped.err()).not.toContain("event not stored");
    cramped.child.kill("SIGTERM");
    await cramped.ended;

    const roomy = await launchService(world);
    await sendUntilTaken(roomy.url, refused.event, "msg_once_refused");
    await allDelivered(world);
    const contacts = await world.portal.contacts();
    const there = Object.values(contacts).map(({ jc_invitation_id }) => jc_invitation_id);
    expect(there.sort()).toEqual([...taken, refused.event.data.invitation_id].sort());
  });
});
