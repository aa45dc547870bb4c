import { copyFileSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, test } from "vitest";
import { leastOf, msOf } from "../least.ts";
import type { VaultOptions } from "../../src/vault/open.ts";
import { missingForKeychain, startKeyring, startSilentBus } from "./keyring.ts";
import { open, put, readAll, TOKEN, vaultOptions } from "./world.ts";
import { dist } from "../built.ts";
import { temporaryDirectory } from "../directory.ts";

/** A Linux host with this environment. */
function keychainOptions(env: Record<string, string>, change: Partial<VaultOptions> = {}): VaultOptions {
  const host = { platform: "linux" as const, nodePath: process.execPath, env };
  return vaultOptions({ backend: "keychain", host, ...change });
}

/** Expects `VAULT_UNAVAILABLE`, and returns what was said. */
async function unavailable(work: Promise<unknown>) {
  const error: unknown = await work.then(
    () => "it worked",
    (reason: unknown) => reason,
  );
  expect(error).toMatchObject({ code: "VAULT_UNAVAILABLE" });
  return error;
}

describe.skipIf(missingForKeychain() !== null)("with a real keyring", () => {
  test("a locked keyring is an error, for reading and for writing, and never an absent item", async () => {
    const keyring = await startKeyring();
    const vault = open(keychainOptions(keyring.env));
    await put(vault, TOKEN, "one");
    expect(await readAll(vault, "token/none")).toEqual({});
    await keyring.lock();
    expect(await unavailable(vault.read(["token/none"]))).toMatchObject({
      message: expect.stringContaining("locked, or was emptied"),
      hint: expect.stringContaining("Unlock"),
    });
    await unavailable(put(vault, "token/two", "two"));
    expect(await vault.names("")).toEqual([TOKEN]);
  });

  test("no secret is written to the state directory", async () => {
    const { env } = await startKeyring();
    const options = keychainOptions(env);
    await put(open(options), TOKEN, "very secret token");
    const files = readdirSync(options.stateDir, { recursive: true, withFileTypes: true });
    const bytes = files
      .filter((file) => file.isFile())
      .map((file) => readFileSync(join(file.parentPath, file.name)));
    expect(bytes.some((content) => content.includes(TOKEN))).toBe(true);
    expect(bytes.some((content) => content.includes("very secret"))).toBe(false);
  });

  test("secrets set again after the keyring was emptied make it usable again", async () => {
    const first = await startKeyring();
    const options = keychainOptions(first.env);
    await put(open(options), TOKEN, "one");
    const emptied = await startKeyring();
    const vault = open({ ...options, host: { ...options.host, env: emptied.env } });
    await unavailable(vault.read([TOKEN]));
    await put(vault, "secret/acme/x/1", "again");
    expect(await readAll(vault, TOKEN, "secret/acme/x/1")).toEqual({ "secret/acme/x/1": "again" });
  });
});

test("without a session bus it fails at once and names both ways out", async () => {
  const vault = open(keychainOptions({ PATH: process.env.PATH ?? "" }));
  expect(await unavailable(vault.read([TOKEN]))).toMatchObject({
    hint: expect.stringMatching(/dbus-run-session.*backend = "sealed"/),
  });
});

test("a write that failed leaves nothing behind that would keep the operator from the sealed vault", async () => {
  const options = keychainOptions({});
  await unavailable(put(open(options), TOKEN, "one"));
  const sealed = open({ ...options, backend: "sealed" });
  await put(sealed, TOKEN, "one");
  expect(await readAll(sealed, TOKEN)).toEqual({ [TOKEN]: "one" });
});

test.skipIf(missingForKeychain() !== null)(
  "a bus that never answers is given up, also by those who queue",
  async () => {
    const givenUpAfterMs = async () => {
      const vault = open(keychainOptions(await startSilentBus()));
      return await msOf(async () => {
        const work = [vault.read([TOKEN]), vault.read(["token/two"]), put(vault, TOKEN, "one")];
        for (const error of await Promise.all(work.map(unavailable)))
          expect(error).toMatchObject({
            message: expect.stringContaining("did not answer within 3 seconds"),
          });
      });
    };
    expect(await leastOf(4_000, givenUpAfterMs)).toBeLessThan(4_000);
  },
);

test("a bus address that leads nowhere is unavailable", async () => {
  const vault = open(keychainOptions({ DBUS_SESSION_BUS_ADDRESS: "unix:path=/nonexistent/bus" }));
  await unavailable(vault.read([TOKEN]));
});

test("a missing keytar names libsecret and the sealed vault", async () => {
  const elsewhere = temporaryDirectory();
  const built = dist();
  for (const name of readdirSync(built).filter((name) => name.endsWith(".js")))
    copyFileSync(new URL(name, built), join(elsewhere, name));
  const childUrl = pathToFileURL(join(elsewhere, "keychain-child.js"));
  const vault = open(
    keychainOptions({ DBUS_SESSION_BUS_ADDRESS: "unix:path=/nonexistent/bus" }, { childUrl }),
  );
  expect(await unavailable(vault.read([TOKEN]))).toMatchObject({
    message: expect.stringContaining("keytar cannot be loaded"),
    hint: expect.stringMatching(/libsecret.*sealed/),
  });
});
