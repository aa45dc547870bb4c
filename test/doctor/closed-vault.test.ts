/** A vault of another user: said to be that, and whose, by the built program. */
import { spawnSync } from "node:child_process";
import { chmodSync, chownSync } from "node:fs";
import { getuid } from "node:process";
import { expect, onTestFinished, test } from "vitest";
import { dist } from "../built.ts";
import { BIN } from "../end-to-end/program.ts";
import { freshWorld, succeed } from "../world.ts";

dist();

/** Any user but root. */
const STRANGER = 65_534;

test.each([["doctor"], ["vault status"]])(
  "%s says that it may not be read, and by whom it may",
  async (command) => {
    const world = await freshWorld();
    await succeed(world, ["secrets", "set", "hubspot.client-secret"], "a client's secret");
    const isRoot = getuid?.() === 0;
    if (isRoot) chownSync(world.stateDir, STRANGER, STRANGER);
    else chmodSync(world.stateDir, 0);
    onTestFinished(() => chmodSync(world.stateDir, 0o700));
    // Root without its capabilities, so that the checkout may be where root alone may read.
    const wrapper = isRoot ? ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] : [];
    const [program = "", ...words] = [...wrapper, process.execPath, BIN, ...command.split(" ")];
    const { stdout, stderr, status } = spawnSync(program, words, {
      env: { PATH: process.env.PATH, HOME: "/nonexistent", ...world.env },
      encoding: "utf8",
    });
    const said = `${stdout}${stderr}`;
    expect(said).toContain(
      `${world.stateDir}/vault.db may not be read by this user: ${world.stateDir} is another's`,
    );
    expect(said).toContain(`Work as its owner, whom this shows: ls -ld '${world.stateDir}'`);
    expect(said).not.toMatch(/kept there yet|none yet in backup/);
    expect(status === 2 || status === 5).toBe(true);
  },
);
