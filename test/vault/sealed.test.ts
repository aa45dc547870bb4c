import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { expect, test } from "vitest";
import { deriveKey, seal } from "../../src/shared/seal.ts";
import { onFileSystem, testWithMounts } from "../store/parts.ts";
import { rekeyVault } from "../../src/vault/rekey.ts";
import { bundled } from "./processes.ts";
import { open, put, readAll, TOKEN, vaultOptions } from "./world.ts";
import { temporaryDirectory } from "../directory.ts";

const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8);

function sql(stateDir: string, ...statements: string[]): void {
  const db = new Database(join(stateDir, "vault.db"));
  for (const statement of statements) db.exec(statement);
  db.close();
}

test("files are for this user alone, and hold no secret in plain", async () => {
  const options = vaultOptions({ stateDir: join(temporaryDirectory(), "state") });
  await put(open(options), TOKEN, "very secret token");
  expect(modeOf(options.stateDir)).toBe("700");
  expect(modeOf(join(options.stateDir, "vault.db"))).toBe("600");
  expect(modeOf(join(options.stateDir, "key"))).toBe("600");
  const bytes = readFileSync(join(options.stateDir, "vault.db"));
  expect(bytes.includes("very secret")).toBe(false);
  expect(bytes.includes(TOKEN)).toBe(true);
});

test("the same value is sealed differently each time", async () => {
  const options = vaultOptions();
  const vault = open(options);
  await put(vault, "a", "same");
  await put(vault, "b", "same");
  const db = new Database(join(options.stateDir, "vault.db"), { readonly: true });
  expect(db.prepare("select count(distinct sealed) from item").pluck().get()).toBe(2);
  db.close();
});

test("touches no file before it is used", () => {
  const options = vaultOptions({ stateDir: join(temporaryDirectory(), "state") });
  expect(open(options).describe()).toBe(
    `the sealed vault in ${options.stateDir}, key from ${options.keyFile}`,
  );
  expect(existsSync(options.stateDir)).toBe(false);
});

testWithMounts("a disk that is full is told in words, and what was kept can be read", async () => {
  const directory = temporaryDirectory();
  const file = await bundled(new URL("fill-disk.ts", import.meta.url));
  const argument = JSON.stringify({ directory, keyFile: join(temporaryDirectory(), "key") });
  const [command = "", ...words] = onFileSystem(directory, "size=1m");
  const said = execFileSync(command, [...words, process.execPath, file, argument], { encoding: "utf8" });
  const hint = "Free space on that file system.";
  const full = expect.stringMatching(/vault\.db cannot grow: the disk is full$/);
  expect(
    said
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line)),
  ).toEqual([
    { code: "VAULT_UNAVAILABLE", message: full, hint },
    { kept: "kept" },
    { code: "VAULT_UNAVAILABLE", message: full, hint },
  ]);
});

test("another key is told from an altered row", async () => {
  const options = vaultOptions();
  await put(open(options), TOKEN, "one");
  const otherKey = join(options.stateDir, "other");
  writeFileSync(otherKey, "k".repeat(32), { mode: 0o600 });
  await expect(open({ ...options, keyFile: otherKey }).read([TOKEN])).rejects.toMatchObject({
    code: "VAULT_UNAVAILABLE",
    message: expect.stringContaining("does not open the vault"),
  });
  sql(
    options.stateDir,
    "update item set sealed = cast(substr(sealed, 1, 20) || zeroblob(length(sealed) - 20) as blob)",
  );
  await expect(open(options).read([TOKEN])).rejects.toMatchObject({
    code: "VAULT_UNAVAILABLE",
    message: expect.stringContaining("was altered"),
  });
});

test("a row copied to another name does not open", async () => {
  const options = vaultOptions();
  const vault = open(options);
  await put(vault, TOKEN, "one");
  sql(options.stateDir, "insert into item select 'token/evil/hubspot/production', sealed from item");
  await expect(vault.read(["token/evil/hubspot/production"])).rejects.toThrow("was altered");
  expect(await readAll(vault, TOKEN)).toEqual({ [TOKEN]: "one" });
});

test("a missing key file is made while the vault is empty, and never again", async () => {
  const options = vaultOptions();
  const vault = open(options);
  expect(await vault.read([TOKEN])).toEqual(new Map());
  expect(existsSync(join(options.stateDir, "key"))).toBe(false);
  await put(vault, TOKEN, "none yet");
  await vault.write(new Map([[TOKEN, null]]));
  const first = readFileSync(join(options.stateDir, "key"));
  renameSync(join(options.stateDir, "key"), join(options.stateDir, "away"));
  await put(open(options), TOKEN, "one");
  expect(readFileSync(join(options.stateDir, "key"))).not.toEqual(first);
  renameSync(join(options.stateDir, "key"), join(options.stateDir, "away"));
  await expect(open(options).read([TOKEN])).rejects.toMatchObject({
    code: "VAULT_UNAVAILABLE",
    message: expect.stringContaining("key is missing"),
    hint: expect.stringContaining("Restore the key file"),
  });
  expect(existsSync(join(options.stateDir, "key"))).toBe(false);
  renameSync(join(options.stateDir, "away"), join(options.stateDir, "key"));
  expect(await readAll(open(options), TOKEN)).toEqual({ [TOKEN]: "one" });
});

test("a key that others can read is closed to them; one that is too short, a link, or another user's is refused", async () => {
  const options = vaultOptions();
  const keyFile = join(options.stateDir, "key");
  writeFileSync(keyFile, "k".repeat(32));
  chmodSync(keyFile, 0o640);
  expect(await readAll(open(options), TOKEN)).toEqual({});
  expect(modeOf(keyFile)).toBe("600");
  symlinkSync(keyFile, `${keyFile}-link`);
  await expect(open({ ...options, keyFile: `${keyFile}-link` }).read([TOKEN])).rejects.toMatchObject({
    message: `The key file ${keyFile}-link is a link`,
  });
  if (process.getuid?.() === 0) {
    chownSync(keyFile, 65534, 65534);
    await expect(open(options).read([TOKEN])).rejects.toMatchObject({
      message: `The key file ${keyFile} belongs to another user (65534)`,
    });
    chownSync(keyFile, 0, 0);
  }
  writeFileSync(keyFile, "too short");
  await expect(open(options).read([TOKEN])).rejects.toMatchObject({
    code: "VAULT_UNAVAILABLE",
    message: expect.stringContaining("fewer than 32 bytes"),
  });
});

test("a systemd credential is the key where no key file is set, whatever its permissions", async () => {
  const credentialsDirectory = temporaryDirectory();
  const options = vaultOptions({ keyFile: null, credentialsDirectory });
  await expect(open(options).read([TOKEN])).rejects.toMatchObject({
    code: "VAULT_UNAVAILABLE",
    hint: expect.stringContaining("LoadCredential"),
  });
  writeFileSync(join(credentialsDirectory, "vault-key"), "c".repeat(40), { mode: 0o444 });
  await put(open(options), TOKEN, "one");
  expect(await readAll(open(options), TOKEN)).toEqual({ [TOKEN]: "one" });
});

test("without any key it says how to give one, and works as soon as there is one", async () => {
  const options = vaultOptions({ keyFile: null });
  await expect(open(options).read([TOKEN])).rejects.toMatchObject({
    code: "VAULT_UNAVAILABLE",
    hint: expect.stringContaining("key_file"),
  });
});

test("the backend never changes silently while there are items", async () => {
  const options = vaultOptions();
  const vault = open(options);
  await put(vault, TOKEN, "one");
  const other = open({ ...options, backend: "keychain" });
  for (const verb of [other.read([TOKEN]), other.names(""), put(other, TOKEN, "two")])
    await expect(verb).rejects.toMatchObject({
      code: "VAULT_UNAVAILABLE",
      message: expect.stringMatching(/sealed.*keychain/),
      hint: expect.stringContaining('backend = "sealed"'),
    });
  await put(vault, TOKEN, null);
  expect(await other.names("")).toEqual([]);
});

test("a damaged file and a directory in its place are vault errors", async () => {
  const damaged = vaultOptions();
  writeFileSync(join(damaged.stateDir, "vault.db"), "no database ".repeat(100));
  await expect(open(damaged).read([TOKEN])).rejects.toMatchObject({
    code: "VAULT_UNAVAILABLE",
    hint: expect.stringContaining("damaged"),
  });
  const misplaced = vaultOptions();
  mkdirSync(join(misplaced.stateDir, "vault.db"));
  await expect(open(misplaced).read([TOKEN])).rejects.toMatchObject({ code: "VAULT_UNAVAILABLE" });
});

test("another file in the vault's place is the vault from then on, and none in its place is told", async () => {
  const options = vaultOptions();
  const [vault, path] = [open(options), join(options.stateDir, "vault.db")];
  await put(vault, TOKEN, "one");
  const copy = readFileSync(path);
  await put(vault, TOKEN, "two");
  const revision = vault.revision();
  writeFileSync(`${path}.restored`, copy);
  renameSync(path, `${path}.aside`);
  await expect(vault.read([TOKEN])).rejects.toMatchObject({
    code: "VAULT_UNAVAILABLE",
    message: expect.stringContaining("was moved away"),
  });
  expect(existsSync(path)).toBe(false);
  renameSync(`${path}.restored`, path);
  expect(vault.revision()).not.toBe(revision);
  expect(await readAll(vault, TOKEN)).toEqual({ [TOKEN]: "one" });
  await put(vault, TOKEN, "three");
  expect(await readAll(open(options), TOKEN)).toEqual({ [TOKEN]: "three" });
});

test("rekey puts a new key in the old one's place, and open vaults go on", async () => {
  const options = vaultOptions();
  const vault = open(options);
  await put(vault, TOKEN, "one");
  await put(vault, "secret/acme/x/1", "two");
  const before = readFileSync(join(options.stateDir, "key"));
  expect(await rekeyVault(options, null)).toEqual({ items: 2, keyFile: options.keyFile });
  expect(readFileSync(join(options.stateDir, "key"))).not.toEqual(before);
  expect(await readAll(vault, TOKEN, "secret/acme/x/1")).toEqual({
    [TOKEN]: "one",
    "secret/acme/x/1": "two",
  });
  writeFileSync(join(options.stateDir, "key"), before);
  await expect(open(options).read([TOKEN])).rejects.toThrow("does not open the vault");
});

test("a rekey that died before the new key was in place is finished by whoever opens next", async () => {
  const options = vaultOptions();
  await put(open(options), TOKEN, "one");
  const key = join(options.stateDir, "key");
  const old = readFileSync(key);
  await rekeyVault(options, null);
  renameSync(key, `${key}.next`);
  writeFileSync(key, old, { mode: 0o600 });
  expect(await readAll(open(options), TOKEN)).toEqual({ [TOKEN]: "one" });
  expect(existsSync(`${key}.next`)).toBe(false);
  expect(await readAll(open(options), TOKEN)).toEqual({ [TOKEN]: "one" });
});

test("rekey to a key file of the operator's leaves the old key where it is", async () => {
  const options = vaultOptions();
  await put(open(options), TOKEN, "one");
  const newKey = join(options.stateDir, "new-key");
  expect(await rekeyVault(options, newKey)).toEqual({ items: 1, keyFile: newKey });
  expect(await readAll(open({ ...options, keyFile: newKey }), TOKEN)).toEqual({ [TOKEN]: "one" });
  await expect(open(options).read([TOKEN])).rejects.toThrow("does not open the vault");
});

test("rekey has nothing to do in a keychain, and cannot write a credential", async () => {
  await expect(rekeyVault(vaultOptions({ backend: "keychain" }), null)).rejects.toMatchObject({
    code: "USAGE",
  });
  const credential = vaultOptions({ keyFile: null, credentialsDirectory: temporaryDirectory() });
  await expect(rekeyVault(credential, null)).rejects.toMatchObject({
    code: "USAGE",
    hint: expect.stringContaining("--key-file"),
  });
});

function rowsOf(stateDir: string) {
  const db = new Database(join(stateDir, "vault.db"), { readonly: true });
  const rows = db.prepare<[], { name: string; sealed: Buffer }>("select name, sealed from item").all();
  const check = db.prepare<[], { salt: Buffer; proof: Buffer }>("select salt, proof from choice").get();
  db.close();
  return { rows, check };
}

function putBack(stateDir: string, rows: readonly { name: string; sealed: Buffer }[]) {
  const db = new Database(join(stateDir, "vault.db"));
  const put = db.prepare("insert or replace into item (name, sealed) values (?, ?)");
  for (const { name, sealed } of rows) put.run(name, sealed);
  db.close();
}

/** As programs wrote it that did not bind the rows. */
function asAnOlderProgram(stateDir: string, items: Record<string, string>) {
  const salt = randomBytes(32);
  const key = deriveKey("vault", readFileSync(join(stateDir, "key")), salt);
  const db = new Database(join(stateDir, "vault.db"));
  db.prepare("update choice set salt = ?, proof = ?").run(salt, seal(key, "", "jc-integrations"));
  db.pragma("user_version = 1");
  db.close();
  putBack(
    stateDir,
    Object.entries(items).map(([name, text]) => ({ name, sealed: seal(key, name, text) })),
  );
}

const SECRET = "secret/acme/jobcannon.webhook-secret/1";

test("a row that was removed, or replaced, does not open when it is put back", async () => {
  const options = vaultOptions();
  const vault = open(options);
  await put(vault, SECRET, "leaked");
  await put(vault, TOKEN, "one");
  const { rows } = rowsOf(options.stateDir);
  await put(vault, SECRET, null);
  await put(vault, TOKEN, "two");
  putBack(options.stateDir, rows);
  for (const reader of [vault, open(options)]) {
    await expect(reader.read([SECRET])).rejects.toThrow(`${SECRET} in the vault was altered`);
    await expect(reader.read([TOKEN])).rejects.toThrow(`${TOKEN} in the vault was altered`);
  }
  // Other writes do not take them in, and what the hint says mends it.
  await put(vault, "secret/acme/other/1", "other");
  await expect(vault.read([SECRET])).rejects.toThrow("was altered");
  await expect(rekeyVault(options, null)).rejects.toThrow("was altered");
  await put(vault, SECRET, null);
  await put(vault, TOKEN, "three");
  expect(await readAll(vault, SECRET, TOKEN)).toEqual({ [TOKEN]: "three" });
});

test("a row that was taken out of the file is told, not taken for one that never was", async () => {
  const options = vaultOptions();
  await put(open(options), TOKEN, "one");
  sql(options.stateDir, "delete from item");
  await expect(open(options).read([TOKEN])).rejects.toThrow("was altered");
  expect(await readAll(open(options), SECRET)).toEqual({});
});

test("a vault of an older program is read as it is, and bound at its first write", async () => {
  const options = vaultOptions();
  await put(open(options), "x", null);
  asAnOlderProgram(options.stateDir, { [SECRET]: "leaked", [TOKEN]: "one" });
  const before = rowsOf(options.stateDir);
  const vault = open(options);
  expect(await readAll(vault, SECRET, TOKEN)).toEqual({ [SECRET]: "leaked", [TOKEN]: "one" });
  await put(vault, SECRET, null);
  expect(await readAll(open(options), SECRET, TOKEN)).toEqual({ [TOKEN]: "one" });
  const after = rowsOf(options.stateDir);
  putBack(options.stateDir, before.rows);
  await expect(open(options).read([SECRET])).rejects.toThrow("was altered");
  // Nor with the older program's proof, which knows of no list: rows of today do not open beside it.
  const db = new Database(join(options.stateDir, "vault.db"));
  db.prepare("update choice set salt = ?, proof = ?").run(before.check?.salt, before.check?.proof);
  db.close();
  putBack(options.stateDir, after.rows);
  await expect(open(options).read([TOKEN])).rejects.toThrow("was altered");
});

test("an older vault with a damaged row is bound all the same, and the row is told", async () => {
  const options = vaultOptions();
  await put(open(options), "x", null);
  asAnOlderProgram(options.stateDir, { [SECRET]: "kept", [TOKEN]: "one" });
  sql(options.stateDir, `update item set sealed = zeroblob(60) where name = '${TOKEN}'`);
  const vault = open(options);
  await put(vault, "secret/acme/other/1", "other");
  expect(await readAll(vault, SECRET)).toEqual({ [SECRET]: "kept" });
  await expect(vault.read([TOKEN])).rejects.toThrow("was altered");
  await put(vault, TOKEN, "two");
  expect(await readAll(vault, TOKEN)).toEqual({ [TOKEN]: "two" });
});

test("an older vault is bound by rekey too", async () => {
  const options = vaultOptions();
  await put(open(options), "x", null);
  asAnOlderProgram(options.stateDir, { [SECRET]: "leaked", [TOKEN]: "one" });
  const { rows } = rowsOf(options.stateDir);
  expect(await rekeyVault(options, null)).toMatchObject({ items: 2 });
  putBack(options.stateDir, rows);
  await expect(open(options).read([SECRET])).rejects.toThrow("was altered");
});
