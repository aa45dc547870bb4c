import { join } from "node:path";
import { onTestFinished } from "vitest";
import { systemClock } from "../../src/shared/clock.ts";
import { type Secret, secret } from "../../src/shared/secret.ts";
import type { Vault } from "../../src/vault/contract.ts";
import { connectionConfig, directConfig } from "../../src/postgres/connect.ts";
import { openSharedVault, type SharedVault } from "../../src/vault/postgres/open.ts";
import { openVault, openVaultIn, type VaultOptions } from "../../src/vault/open.ts";
import { temporaryDirectory } from "../directory.ts";

export const TOKEN = "token/acme/hubspot/production";

/** A sealed vault with a key file of its own, unless `change` says otherwise. */
export function vaultOptions(change: Partial<VaultOptions> = {}): VaultOptions {
  const stateDir = change.stateDir ?? temporaryDirectory();
  return {
    backend: "sealed",
    stateDir,
    keyFile: join(stateDir, "key"),
    credentialsDirectory: null,
    host: { platform: process.platform, nodePath: process.execPath, env: {} },
    childUrl: new URL("../../dist/keychain-child.js", import.meta.url),
    clock: systemClock,
    ...change,
  };
}

/** `url`: of the database that its rows lie in. */
export function open(options: VaultOptions & { url?: string }): Vault {
  const vault = options.url === undefined ? openVault(options) : openVaultIn(rowsIn(options.url), options);
  onTestFinished(() => vault.close());
  return vault;
}

export function rowsIn(url: string, insist = async () => {}): SharedVault {
  const reach = { url };
  return openSharedVault({
    config: connectionConfig(reach, "store.url"),
    direct: directConfig(reach),
    where: url,
    clock: systemClock,
    insist,
  });
}

export function put(vault: Vault, name: string, value: string | null): Promise<void> {
  return vault.write(new Map([[name, value === null ? null : secret(value)]]));
}

/** The revealed values, as a plain object. */
export async function readAll(vault: Vault, ...names: string[]): Promise<Record<string, string>> {
  const found: Map<string, Secret> = await vault.read(names);
  return Object.fromEntries([...found].map(([name, value]) => [name, value.reveal()]));
}
