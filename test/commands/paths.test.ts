import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { freshWorld } from "../world.ts";

test("a relative key file in the configuration rests beside that file, wherever the command is typed", async () => {
  const world = await freshWorld();
  const dir = join(world.dir, "etc");
  mkdirSync(dir);
  const config = join(dir, "config.toml");
  writeFileSync(config, '[vault]\nbackend = "sealed"\nkey_file = "vault.key"\n');
  const env = { JC_CONFIG: config, JC_STATE_DIR: join(world.dir, "other-state") };
  const set = await world.run(["secrets", "set", "hubspot.client-secret"], { env, stdin: "a secret" });
  expect(set.code, set.err).toBe(0);
  expect(existsSync(join(dir, "vault.key"))).toBe(true);
  expect(existsSync(join(world.dir, "vault.key"))).toBe(false);
});

test("one from the environment is meant from where the command is typed", async () => {
  const world = await freshWorld();
  const env = {
    JC_VAULT_BACKEND: "sealed",
    JC_VAULT_KEY_FILE: "typed.key",
    JC_STATE_DIR: join(world.dir, "state-2"),
  };
  const set = await world.run(["secrets", "set", "hubspot.client-secret"], { env, stdin: "a secret" });
  expect(set.code, set.err).toBe(0);
  expect(existsSync(join(world.dir, "typed.key"))).toBe(true);
});
