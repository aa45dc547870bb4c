/** What the built `vault rekey --key-file` takes for a key, and what it leaves alone. */
import { chmodSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { expect, test } from "vitest";
import { launch } from "../end-to-end/program.ts";
import { prepared, type World } from "../world.ts";

const rekeyed = (world: World, file: string) => launch(world, ["vault", "rekey", "--key-file", file]).ended;
const modeOf = (file: string) => (statSync(file).mode & 0o777).toString(8);

async function readableWith(world: World, keyFile: string): Promise<boolean> {
  const env = { ...world.env, JC_VAULT_KEY_FILE: keyFile };
  return (await launch({ ...world, env }, ["vault", "status"]).ended).code === 0;
}

test.each<[string, string | Buffer]>([
  ["a configuration", 'org = "acme"\n[vault]\nkey_file = "vault.key"\n'],
  ["an empty file", ""],
  ["a sentence", "a sentence that is as long as a key would be, and a line"],
  ["more bytes than a key has", randomBytes(1_025)],
])("%s is refused, and stays as it is", async (_, content) => {
  const world = await prepared();
  const file = join(world.dir, "other");
  writeFileSync(file, content);
  chmodSync(file, 0o644);
  const { code, err } = await rekeyed(world, file);
  expect(code).toBe(2);
  expect(err).toContain(`${file} is there, and is no key`);
  expect(err).toContain("Name a path where nothing is");
  expect(modeOf(file)).toBe("644");
  expect(readFileSync(file)).toEqual(Buffer.from(content));
  expect(await readableWith(world, join(world.dir, "vault.key"))).toBe(true);
});

test("a key that somebody wrote down as one word is taken", async () => {
  const world = await prepared();
  const file = join(world.dir, "written.key");
  writeFileSync(file, `${randomBytes(32).toString("hex")}\n`, { mode: 0o600 });
  expect(await rekeyed(world, file)).toMatchObject({ code: 0 });
  expect(await readableWith(world, file)).toBe(true);
});

test("a directory and a link are refused as well", async () => {
  const world = await prepared();
  mkdirSync(join(world.dir, "directory"));
  symlinkSync(join(world.dir, "vault.key"), join(world.dir, "link"));
  for (const name of ["directory", "link"])
    expect(await rekeyed(world, join(world.dir, name))).toMatchObject({ code: 2 });
});

test("a key that was made here is taken, also when it waits closed to others only, and a missing one is made", async () => {
  const world = await prepared();
  const made = join(world.dir, "keys", "made.key");
  expect(await rekeyed(world, made)).toMatchObject({ code: 0 });
  expect([modeOf(made), statSync(made).size]).toEqual(["600", 32]);
  Object.assign(world.env, { JC_VAULT_KEY_FILE: made });
  const brought = join(world.dir, "brought.key");
  writeFileSync(brought, Buffer.from([...randomBytes(31), 0xff]));
  chmodSync(brought, 0o644);
  const refused = await rekeyed(world, brought);
  expect(refused.code).toBe(2);
  expect(refused.err).toContain(`chmod 600 '${brought}'`);
  expect(modeOf(brought)).toBe("644");
  chmodSync(brought, 0o600);
  expect((await rekeyed(world, brought)).out).toContain(`2 items are sealed with the key in ${brought}.`);
  expect(await readableWith(world, brought)).toBe(true);
  expect(await readableWith(world, made)).toBe(false);
});
