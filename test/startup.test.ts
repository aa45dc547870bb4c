import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { freshWorld } from "./world.ts";

const PROGRAM = fileURLToPath(new URL("../bin/jc-integrations.js", import.meta.url));

test.each(["--help", "-h", "--version"])(
  "%s, answered before the program is loaded, says what the program says",
  async (word) => {
    const world = await freshWorld();
    const { out, code } = await world.run([word]);
    expect(code).toBe(0);
    expect(execFileSync(process.execPath, [PROGRAM, word], { encoding: "utf8" })).toBe(out);
  },
);

test("a command that is called alone helps and refuses as it does among all of them", async () => {
  const world = await freshWorld();
  for (const rest of [["--help"], ["--nonsense"]]) {
    const alone = await world.run(["status", ...rest]);
    const among = await world.run(["--no-color", "status", ...rest]);
    expect(alone).toEqual(among);
    expect(alone.out + alone.err).not.toBe("");
  }
});
