/** The built program over a log of many rows. */
import { join } from "node:path";
import Database from "better-sqlite3";
import { expect, test } from "vitest";
import { connected, invite, type World } from "../world.ts";
import { launch } from "./program.ts";

const ROWS = 12_000;
const WORDS = "the vendor says in some words, more than a line of a terminal has, what was wrong with number";

/** One attempt, and as many more in its likeness, each with words of its own. */
async function manyAttempts(): Promise<World> {
  const world = await connected();
  await world.run(["invites", "import", world.file("events.ndjson", [invite()])]);
  await world.run(["run", "retry"]);
  await world.run(["backfill", "--yes"]);
  const db = new Database(join(world.stateDir, "log.db"));
  db.prepare(
    `WITH RECURSIVE n (value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n WHERE value < ?)
     INSERT INTO attempts (push_id, version, at, outcome, http_status, duration_ms, reason)
     SELECT push_id, version, at, 'rejected', 400, duration_ms, ? || ' ' || value
     FROM (SELECT * FROM attempts LIMIT 1), n`,
  ).run(ROWS - 1, WORDS);
  db.close();
  return world;
}

test("logs --all shows each row, whatever the width", async () => {
  const world = await manyAttempts();
  for (const columns of ["80", ""]) {
    const { code, out, err } = await launch(world, ["logs", "--all"], { shell: `export COLUMNS=${columns}` })
      .ended;
    expect({ code, err }).toEqual({ code: 0, err: "" });
    const rows = out.split("\n").filter((line) => line.includes("✗ rejected"));
    expect(rows).toHaveLength(ROWS - 1);
    expect(out.replace(/\s+/g, " ")).toContain(`with number ${ROWS - 1}`);
  }
});
