/** What one sees from beside a log whose file system came to be read-only, as one of a disk that fails. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { BIN, environment, launchService } from "../end-to-end/program.ts";
import { testWithMounts } from "../store/parts.ts";
import { connected, importResults, invite, until } from "../world.ts";

testWithMounts("status and doctor say so of a log that a killed service left in its middle", async () => {
  const world = await connected();
  const service = await launchService(world);
  await importResults(world, [invite()]);
  await until("it is delivered", async () => (await world.portal.upserts()).length === 1);
  service.child.kill("SIGKILL");
  await service.ended;
  expect(existsSync(join(world.stateDir, "log.db-wal"))).toBe(true);
  const script = 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && exec "$@"';
  for (const command of ["status", "doctor"]) {
    const words = ["-m", "sh", "-c", script, world.stateDir, process.execPath, BIN, command];
    const { code, out } = await ended(spawn("unshare", words, { env: environment(world) }));
    expect(out.replaceAll(/\s+/g, " ")).toMatch(
      /[Tt]he file system of \S+ cannot be written: no event is taken, and nothing is delivered/,
    );
    expect({ command, code }).not.toEqual({ command, code: 0 });
  }
});

async function ended(child: ChildProcess): Promise<{ code: number | null; out: string }> {
  let out = "";
  child.stdout?.setEncoding("utf8").on("data", (text) => {
    out += text;
  });
  const [code] = await once(child, "close");
  return { code, out };
}
