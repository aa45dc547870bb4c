import { describe, expect, test } from "vitest";
import { secret } from "../../src/shared/secret.ts";
import type { VaultOptions } from "../../src/vault/open.ts";
import { missingForPostgres, postgresServer } from "../store/postgres-server.ts";
import { until } from "../world.ts";
import { missingForKeychain, startKeyring } from "./keyring.ts";
import { open, put, readAll, TOKEN, vaultOptions } from "./world.ts";

const vaults: {
  backend: string;
  missing: string | null;
  options: () => Promise<VaultOptions & { url?: string }>;
}[] = [
  { backend: "sealed", missing: null, options: async () => vaultOptions() },
  {
    backend: "keychain",
    missing: missingForKeychain(),
    options: async () => {
      const { env } = await startKeyring();
      const { host } = vaultOptions();
      return vaultOptions({ backend: "keychain", host: { ...host, env } });
    },
  },
  {
    backend: "shared",
    missing: missingForPostgres(),
    options: async () => ({ ...vaultOptions(), url: await (await postgresServer()).database() }),
  },
];

describe.each(vaults)("the $backend vault", ({ missing, options }) => {
  const contract = test.skipIf(missing !== null);

  contract(
    "gives back what was written, also to another process's vault, and leaves out what is absent",
    async () => {
      const shared = await options();
      const [ours, theirs] = [open(shared), open(shared)];
      await put(ours, TOKEN, "Zürich 🗝 'quoted'\nand more");
      expect(await readAll(theirs, TOKEN, "token/acme/hubspot/sandbox")).toEqual({
        [TOKEN]: "Zürich 🗝 'quoted'\nand more",
      });
    },
  );

  contract("takes values of any length, replaces them whole, and removes them whole", async () => {
    const vault = open(await options());
    const long = "long token ".repeat(1_000);
    for (const value of [long, "short", `parts:3:${"ab".repeat(6)}`, `${long}!`, ""]) {
      await put(vault, TOKEN, value);
      expect(await readAll(vault, TOKEN)).toEqual({ [TOKEN]: value });
    }
    await put(vault, TOKEN, long);
    await put(vault, TOKEN, null);
    expect(await readAll(vault, TOKEN)).toEqual({});
    expect(await vault.names("")).toEqual([]);
  });

  contract("changes several items at once", async () => {
    const vault = open(await options());
    await put(vault, "secret/acme/a/1", "old");
    await vault.write(
      new Map([
        ["secret/acme/a/1", null],
        ["secret/acme/a/2", secret("new")],
        [TOKEN, secret("t")],
      ]),
    );
    expect(await readAll(vault, "secret/acme/a/1", "secret/acme/a/2", TOKEN)).toEqual({
      "secret/acme/a/2": "new",
      [TOKEN]: "t",
    });
  });

  contract("lists names by prefix, sorted, and takes nothing in a prefix for a pattern", async () => {
    const vault = open(await options());
    for (const name of ["secret/a/x/2", "secret/a/x/1", "secret/ab/x/1", TOKEN]) await put(vault, name, "v");
    expect(await vault.names("secret/a/")).toEqual(["secret/a/x/1", "secret/a/x/2"]);
    expect(await vault.names("secret/%")).toEqual([]);
    expect(await vault.names("")).toHaveLength(4);
  });

  contract("has a revision that moves with every write of anyone, and with nothing else", async () => {
    const shared = await options();
    const [ours, theirs] = [open(shared), open(shared)];
    await put(ours, TOKEN, "one");
    const before = ours.revision();
    await ours.read([TOKEN]);
    expect(ours.revision()).toBe(before);
    await put(theirs, TOKEN, "two");
    await until("it is heard of", () => ours.revision() !== before);
  });

  contract("runs one piece of work at a time under a lock, and others beside it", async () => {
    const shared = await options();
    const [ours, theirs] = [open(shared), open(shared)];
    const steps: string[] = [];
    let leave = () => {};
    const stay = new Promise<void>((resolve) => {
      leave = resolve;
    });
    const first = ours.exclusively("a", async () => {
      steps.push("first in");
      await stay;
      steps.push("first out");
    });
    await until("the first is in", () => steps.length > 0);
    const second = theirs.exclusively("a", async () => void steps.push("second"));
    await theirs.exclusively("b", async () => void steps.push("other"));
    leave();
    await Promise.all([first, second]);
    expect(steps).toEqual(["first in", "other", "first out", "second"]);
  });

  contract("frees the lock when the work fails", async () => {
    const vault = open(await options());
    const failing = vault.exclusively("a", () => Promise.reject(new Error("no")));
    await expect(failing).rejects.toThrow("no");
    expect(await vault.exclusively("a", async () => "free")).toBe("free");
  });
});
