import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import {
  addSecret,
  readSecret,
  readWebhookSecrets,
  rememberingSecrets,
  removeSecrets,
  type SecretPlace,
  setSecret,
} from "../../src/vault/secrets.ts";
import { systemClock } from "../../src/shared/clock.ts";
import { AppError } from "../../src/shared/errors.ts";
import { secret } from "../../src/shared/secret.ts";
import type { Vault } from "../../src/vault/contract.ts";
import { openVault } from "../../src/vault/open.ts";

function sealedVault(): Vault {
  const stateDir = mkdtempSync(join(tmpdir(), "jc-secrets-"));
  const vault = openVault({
    backend: "sealed",
    stateDir,
    keyFile: join(stateDir, "key"),
    credentialsDirectory: null,
    host: { platform: process.platform, nodePath: process.execPath, env: {} },
    childUrl: new URL("../../dist/keychain-child.js", import.meta.url),
    clock: systemClock,
  });
  onTestFinished(async () => {
    await vault.close();
    rmSync(stateDir, { recursive: true, force: true });
  });
  return vault;
}

function place(changes: Partial<SecretPlace> = {}): SecretPlace {
  return { name: "hubspot.client-secret", org: null, environment: "production", ...changes };
}

describe("the secret an org uses", () => {
  test("is its own, else everybody's", async () => {
    const vault = sealedVault();
    await setSecret(vault, place(), secret("everybody's"));
    await setSecret(vault, place({ org: "globex" }), secret("globex's"));
    expect((await readSecret(vault, place({ org: "globex" }))).reveal()).toBe("globex's");
    expect((await readSecret(vault, place({ org: "acme" }))).reveal()).toBe("everybody's");
  });

  test("of the sandbox is never that of production, nor the other way round", async () => {
    const vault = sealedVault();
    await setSecret(vault, place(), secret("production's"));
    await expect(readSecret(vault, place({ environment: "sandbox" }))).rejects.toMatchObject({
      code: "CONFIG_INVALID",
      hint: expect.stringContaining("secrets set hubspot.client-secret"),
    });
    await setSecret(vault, place({ environment: "sandbox" }), secret("sandbox's"));
    expect((await readSecret(vault, place())).reveal()).toBe("production's");
  });

  test("is not that of an org whose name it begins with", async () => {
    const vault = sealedVault();
    await setSecret(vault, place({ org: "acme-labs" }), secret("labs'"));
    await expect(readSecret(vault, place({ org: "acme" }))).rejects.toMatchObject({ code: "CONFIG_INVALID" });
  });
});

describe("what is kept for a vault that cannot be read", () => {
  const BOT = "telegram.bot-token";
  /** A vault that counts its requests, and can be shut. */
  function doored(vault: Vault) {
    const door = { isShut: false, requests: 0 };
    const asked = <T>(answer: () => Promise<T>): Promise<T> => {
      door.requests += 1;
      return door.isShut ? Promise.reject(new AppError("VAULT_UNAVAILABLE", "shut")) : answer();
    };
    const reader = {
      names: (prefix: string) => asked(() => vault.names(prefix)),
      read: (items: readonly string[]) => asked(() => vault.read(items)),
    };
    return { door, secrets: rememberingSecrets(reader) };
  }

  test("is read in two requests, however many orgs there are, and each org's stays its own", async () => {
    const vault = sealedVault();
    await setSecret(vault, place({ name: BOT }), secret("everybody's"));
    for (const org of ["a", "b", "c"]) await setSecret(vault, place({ name: BOT, org }), secret(`${org}'s`));
    const { door, secrets } = doored(vault);
    await secrets.keep(BOT);
    expect(door.requests).toBe(2);
    door.isShut = true;
    const read = async (org: string) => (await readSecret(secrets, place({ name: BOT, org }))).reveal();
    expect([await read("b"), await read("d")]).toEqual(["b's", "everybody's"]);
    await expect(readSecret(secrets, place({ name: BOT, environment: "sandbox" }))).rejects.toMatchObject({
      code: "CONFIG_INVALID",
    });
  });

  test("is nothing else: a secret that was not read is no secret that is not set", async () => {
    const vault = sealedVault();
    await setSecret(vault, place(), secret("a client's"));
    const { door, secrets } = doored(vault);
    await secrets.keep(BOT);
    door.isShut = true;
    await expect(readSecret(secrets, place())).rejects.toMatchObject({ code: "VAULT_UNAVAILABLE" });
  });

  test("is also what was set and read since it was kept", async () => {
    const vault = sealedVault();
    const { door, secrets } = doored(vault);
    await secrets.keep(BOT);
    await setSecret(vault, place(), secret("a client's"));
    await readSecret(secrets, place());
    door.isShut = true;
    expect((await readSecret(secrets, place())).reveal()).toBe("a client's");
  });

  test("goes when it was removed, once it is kept anew", async () => {
    const vault = sealedVault();
    await setSecret(vault, place({ name: BOT }), secret("old"));
    const { door, secrets } = doored(vault);
    await secrets.keep(BOT);
    await removeSecrets(vault, place({ name: BOT }), [1]);
    await secrets.keep(BOT);
    door.isShut = true;
    await expect(readSecret(secrets, place({ name: BOT }))).rejects.toMatchObject({ code: "CONFIG_INVALID" });
  });
});

test("webhook secrets come all at once, each with its org and environment", async () => {
  const vault = sealedVault();
  const name = "jobcannon.webhook-secret";
  await addSecret(vault, place({ name }), secret("first"));
  await addSecret(vault, place({ name }), secret("second"));
  await addSecret(vault, place({ name, org: "globex" }), secret("third"));
  await addSecret(vault, place({ name, environment: "sandbox" }), secret("trial"));
  await addSecret(vault, place({ name: "smartrecruiters.webhook-secret" }), secret("not this"));
  const found = await readWebhookSecrets(vault, name);
  expect(found.map(({ org, environment, secret: each }) => [org, environment, each.reveal()])).toEqual([
    [null, "production", "first"],
    [null, "production", "second"],
    [null, "sandbox", "trial"],
    ["globex", "production", "third"],
  ]);
});
