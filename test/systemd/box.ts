/** A real systemd for a test file: the file starts itself again inside `test/systemd-box`, and there declares its tests. */
import { existsSync } from "node:fs";
import { delimiter, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { createRunner } from "../../src/systemd/runner.ts";

export const REPOSITORY = fileURLToPath(new URL("../../", import.meta.url));

interface BoxOptions {
  /** The test file's own `import.meta.url`. */
  file: string;
  /** How long boot and tests may take together. */
  seconds: number;
  /** May a service have users of its own there? Many containers say no. */
  refusesUsers?: boolean;
  /** Done before, on this machine. */
  prepare?: () => Promise<unknown>;
}

/** A figure for who reads the run: what is said inside the box is else not heard. */
export function tell(figure: string): void {
  process.stdout.write(`» ${figure}\n`);
}

export function inBox(name: string, options: BoxOptions, declareTests: () => void): void {
  if (process.env.JC_TEST_IN_BOX === "1") declareTests();
  else declareBox(name, options);
}

function declareBox(name: string, { file, seconds, refusesUsers, prepare }: BoxOptions): void {
  const missing = missingForBox();
  test.skipIf(missing !== null)(
    missing ? `${name} (${missing})` : name,
    async () => {
      await prepare?.();
      const { PATH = "", HOME = "" } = process.env;
      const path = relative(REPOSITORY, fileURLToPath(file));
      const command = `cd '${REPOSITORY}' && exec node_modules/.bin/vitest run ${path}`;
      const told = Object.entries(process.env).filter(([name]) => name.startsWith("JC_TEST_"));
      const env = {
        ...Object.fromEntries(told),
        PATH,
        HOME,
        JC_TEST_IN_BOX: "1",
        NO_COLOR: "1",
        BOX_S: String(seconds),
        BOX_REFUSES_USERS: refusesUsers ? "1" : "",
      };
      const box = createRunner(
        { ...env, BOX_SEES: REPOSITORY.replace(/\/$/, "") },
        { longestMs: seconds * 1_000 },
      );
      const { code, out, err } = await box.run(join(REPOSITORY, "test/systemd-box"), [command]);
      expect(code, `${out}\n${err}`).toBe(0);
      for (const [figures] of out.matchAll(/^» .*\n/gm)) process.stdout.write(figures);
    },
    (seconds + 100) * 1_000,
  );
}

/** What this machine lacks for the box; null when nothing is missing, or when everything has to run. */
function missingForBox(): string | null {
  if (process.env.JC_TEST_ALL_PARTS === "1") return null;
  if (process.platform !== "linux" || process.getuid?.() !== 0) return "needs root on Linux";
  const onPath = (name: string) =>
    (process.env.PATH ?? "").split(delimiter).some((directory) => existsSync(join(directory, name)));
  const missing = ["unshare", "nsenter", "ip", "systemctl", "dbus-daemon"].find((name) => !onPath(name));
  return missing ? `needs ${missing}` : null;
}
