/** Who is alive, as a process sees it from which those of other users are hidden (ProtectProc=invisible). */
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildSync } from "esbuild";
import { expect, test } from "vitest";
import { type ProcessIdentity, thisProcess } from "../../src/shared/process-identity.ts";
import { temporaryDirectory } from "../directory.ts";

const isAble =
  process.env.JC_TEST_ALL_PARTS === "1" || (process.platform === "linux" && process.getuid?.() === 0);

test.skipIf(!isAble)("one of another user is alive though it is hidden, and one that is gone is not", () => {
  const { pid = 0 } = spawnSync("true");
  const gone = { ...thisProcess(), pid };
  expect(asSeenByNobody([thisProcess(), gone, { ...thisProcess(), bootId: "of another boot" }])).toEqual([
    { isHidden: true, isRunning: true },
    { isHidden: true, isRunning: false },
    { isHidden: true, isRunning: false },
  ]);
});

function asSeenByNobody(processes: ProcessIdentity[]): unknown {
  const outdir = temporaryDirectory(tmpdir());
  chmodSync(outdir, 0o755);
  const source = fileURLToPath(new URL("../../src/shared/process-identity.ts", import.meta.url));
  const outfile = join(outdir, "process-identity.cjs");
  buildSync({ entryPoints: [source], outfile, bundle: true, format: "cjs", platform: "node" });
  const look = `
    const { isRunning } = require(${JSON.stringify(outfile)});
    const { existsSync } = require("node:fs");
    const see = (one) => ({ isHidden: !existsSync("/proc/" + one.pid + "/stat"), isRunning: isRunning(one) });
    process.stdout.write(JSON.stringify(${JSON.stringify(processes)}.map(see)));`;
  const hide =
    'mount -t proc -o hidepid=invisible proc /proc && exec setpriv --reuid=65534 --regid=65534 --clear-groups "$@"';
  const words = ["--mount", "sh", "-c", hide, "sh", process.execPath, "-e", look];
  return JSON.parse(execFileSync("unshare", words, { encoding: "utf8" }));
}
