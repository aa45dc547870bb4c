/** The first quarter of an hour, typed as README has it. */
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { BIN, launch } from "../end-to-end/program.ts";
import { freePort, freshWorld, succeed, until } from "../world.ts";

const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8");
const [, part = ""] = /\n## The first quarter of an hour\n(.*?)\n## /s.exec(readme) ?? [];
const [configuration = ""] = [...part.matchAll(/```toml\n(.*?)```/gs)].map(([, block = ""]) => block);
const [emulator = "", ...blocks] = [...part.matchAll(/```sh\n(.*?)```/gs)].map(([, block = ""]) => block);

test("the first quarter of an hour goes as README says", async () => {
  const world = await freshWorld();
  const port = await freePort();
  // The emulator runs in the second terminal, on a port of the test's own.
  expect(emulator).toMatch(/^jc-integrations emulator --auto-approve \| tee -a config\.toml\n$/);
  const second = launch(world, ["emulator", "--auto-approve", "--port", String(port)]);
  await until("the emulator listens", () => second.out().includes("[alerts.telegram]"));
  const file = join(world.dir, "config.toml");
  writeFileSync(
    file,
    `${configuration}${second.out()}`.replace(
      "[smartrecruiters]",
      `redirect_port = ${await freePort()}\n[smartrecruiters]`,
    ),
  );
  const stateDir = join(world.dir, "state");
  const env = { JC_CONFIG: file, JC_STATE_DIR: stateDir };
  const bin = join(world.dir, "bin");
  mkdirSync(bin);
  const shim = `#!/bin/sh\nexec "${process.execPath}" "${BIN}" "$@"\n`;
  writeFileSync(join(bin, "jc-integrations"), shim, { mode: 0o755 });
  const type = (script: string) =>
    execFileSync("sh", ["-ec", script.replaceAll(":8480", `:${port}`)], {
      cwd: world.dir,
      encoding: "utf8",
      env: { PATH: `${bin}:${process.env.PATH}`, HOME: world.dir, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
  const said: string[] = [];
  for (const block of blocks) {
    // The browser is the test's own.
    const [before = "", ...parts] = block.split(/^jc-integrations (connect hubspot).*\n/m);
    let out = type(before);
    for (let n = 0; n < parts.length; n += 2) {
      out += (
        await succeed(
          { ...world, run: (argv, more) => world.run(argv, { ...more, env }) },
          parts[n]?.split(" ") ?? [],
        )
      ).out;
      out += type(`export JC_CONFIG=${file} JC_STATE_DIR=${stateDir}\n${parts[n + 1] ?? ""}`);
    }
    said.push(out);
  }
  const [delivery, revoked, property, rejected, backup] = said;
  expect(delivery).toContain("1 stored");
  expect(delivery).toContain("Delivered to HubSpot");
  expect(delivery).toContain('"jc_disc_d":"68"');
  expect(revoked).toContain("must reconnect");
  expect(revoked).toContain("delivered");
  expect(property).toContain("created 1, 16 there already");
  expect(rejected).toMatch(/rejected/);
  expect(rejected).toMatch(/1 delivered/);
  expect(backup).toContain("The log is the backup's");
  // Its end is `doctor`, which ended with 0.
  expect(backup).toMatch(/^acme {2}\d+ warnings$/m);
  // Configured, and wanted by nobody.
  expect(backup).not.toContain("SmartRecruiters is not connected");
  expect(backup).not.toContain("The secret smartrecruiters.client-secret is not set");
});
