import { execFileSync } from "node:child_process";
import { test } from "vitest";

/** Why no private file system can be mounted here; null where it can, or where all parts must be tested. */
function missingForMounts(): string | null {
  if (process.env.JC_TEST_ALL_PARTS === "1") return null;
  try {
    execFileSync("unshare", ["-m", "mount", "-t", "tmpfs", "tmpfs", "/mnt"], { stdio: "ignore" });
    return null;
  } catch {
    return "needs root and unshare(1), to mount a file system of its own";
  }
}

const missing = missingForMounts();

/** A test that mounts a private file system; skipped, saying why, where nobody may. */
export function testWithMounts(name: string, work: () => Promise<void>): void {
  if (missing === null) test(name, work);
  else test.skip(`${name} (${missing})`, work);
}

/** The command that mounts a file system at `path`, for nobody but the command that follows it, and runs that. */
export function onFileSystem(path: string, options: string, prepare = "true"): string[] {
  const script = `mount -t tmpfs -o "${options}" tmpfs "$0" && ${prepare} && exec "$@"`;
  return ["unshare", "-m", "sh", "-c", script, path];
}
