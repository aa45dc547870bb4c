/** Two services on one log, of the built program: allowed, and told. */
import { expect, test } from "vitest";
import { dist } from "../built.ts";
import { connected, until } from "../world.ts";
import { launchService } from "./program.ts";

dist();

test("the second says that another works on this log, and status shows both", async () => {
  const world = await connected();
  const at = (listen: string) => ({
    ...world,
    env: { ...world.env, JC_SERVE_LISTEN: listen, JC_SERVE_ADMIN_LISTEN: listen },
  });
  const first = await launchService(at("127.0.0.1:0"));
  expect(first.err()).not.toContain("another serve");
  const second = await launchService(at("127.0.0.1:0"));
  const addressOf = (url: string) => url.replace("http://", "");
  const told = `another serve works on this log too  pid=${first.child.pid}  address=${addressOf(first.url)}  admin=${addressOf(first.adminUrl)}`;
  await until("the journal tells", () => second.err().includes(told));

  const { out } = await world.run(["status"]);
  const lines = [first, second].map(({ child, url, adminUrl }) => [
    `pid ${child.pid}`,
    addressOf(url),
    `admin ${addressOf(adminUrl)}`,
  ]);
  const shown = out.split("\n").filter((line) => /^ {2}pid \d+ /.test(line));
  expect(shown.map((line) => line.trim().split(/ {2,}/).slice(0, 3))).toEqual(expect.arrayContaining(lines));
  expect(shown).toHaveLength(2);
  expect(new Set(shown.map((line) => line.indexOf("admin "))).size).toBe(1);

  const { json } = await world.run(["status", "--json"]);
  expect(Object(json).services).toEqual(
    expect.arrayContaining(
      [first, second].map(({ child, url, adminUrl }) =>
        expect.objectContaining({ pid: child.pid, listen: addressOf(url), admin: addressOf(adminUrl) }),
      ),
    ),
  );
});
