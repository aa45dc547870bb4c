import { rmSync } from "node:fs";
import { expect, onTestFinished, test } from "vitest";
import { AppError } from "../../src/shared/errors.ts";
import { secret } from "../../src/shared/secret.ts";
import { carryVault } from "../../src/vault/carry.ts";
import { openVaultIn, type VaultOptions } from "../../src/vault/open.ts";
import { rekeyIn } from "../../src/vault/rekey.ts";
import { asked, describeWithPostgres, postgresServer, takenAway } from "../store/postgres-server.ts";
import { temporaryDirectory } from "../directory.ts";
import { until } from "../world.ts";
import { open, put, readAll, rowsIn, TOKEN, vaultOptions } from "./world.ts";

const SECRET = "secret/acme/jobcannon.webhook-secret/1";

/** Machines with one key and one database. */
async function machines(count: number) {
  const url = await (await postgresServer()).database();
  const first = vaultOptions();
  const all = Array.from({ length: count }, (_, index) => ({
    ...vaultOptions({ keyFile: first.keyFile, ...(index === 0 ? { stateDir: first.stateDir } : {}) }),
    url,
  }));
  return { url, all, vaults: all.map(open) };
}

const texts = (rows: readonly unknown[]) => JSON.stringify(rows);

describeWithPostgres("a vault whose rows lie in PostgreSQL", () => {
  test("is made by the first that writes, and not by who looks for names", async () => {
    const { url, vaults } = await machines(1);
    expect(await vaults[0]?.names("")).toEqual([]);
    expect(await asked(url, "SELECT nspname FROM pg_namespace WHERE nspname = 'jc_vault'")).toEqual([]);
    await vaults[0]?.write(new Map([[SECRET, secret("s")]]));
    expect(await vaults[0]?.names("")).toEqual([SECRET]);
  });

  test("holds nothing there that can be read without the key, and opens with it alone", async () => {
    const { url, all, vaults } = await machines(1);
    const [vault] = vaults;
    await vault?.write(new Map([[SECRET, secret("clear words")]]));
    const rows = await asked(
      url,
      "SELECT encode(sealed, 'escape') AS sealed, encode(proof, 'escape') AS proof FROM jc_vault.items, jc_vault.vault",
    );
    expect(rows).toHaveLength(1);
    expect(texts(rows)).not.toContain("clear words");
    const stranger = open({ ...vaultOptions(), url });
    await expect(stranger.read([SECRET])).rejects.toMatchObject({
      code: "VAULT_UNAVAILABLE",
      message: expect.stringContaining("The vault's key is missing"),
    });
    const wrong = vaultOptions();
    await put(open(wrong), TOKEN, "makes a key");
    await expect(open({ ...wrong, url }).read([SECRET])).rejects.toThrow("does not open the vault");
    expect(await readAll(open(all[0] ?? { ...wrong, url }), SECRET)).toEqual({ [SECRET]: "clear words" });
  });

  test("tells a row that was replaced, taken out, or put back", async () => {
    const { url, vaults } = await machines(1);
    const [vault] = vaults;
    if (!vault) throw new Error("no vault");
    await put(vault, TOKEN, "old");
    await asked(url, "CREATE TABLE old AS TABLE jc_vault.items");
    await put(vault, TOKEN, "new");
    await asked(url, "UPDATE jc_vault.items SET sealed = (SELECT sealed FROM old)");
    await expect(vault.read([TOKEN])).rejects.toThrow("was altered");
    await asked(url, "DELETE FROM jc_vault.items");
    await expect(vault.read([TOKEN])).rejects.toThrow("was altered");
    await put(vault, TOKEN, "mended");
    expect(await readAll(vault, TOKEN)).toEqual({ [TOKEN]: "mended" });
  });

  test("takes no more writes from the moment in which nobody is to write there", async () => {
    const { url, all } = await machines(1);
    let isRefused = false;
    const rows = rowsIn(url, async () => {
      if (isRefused) throw new AppError("CONFIG_INVALID", "nobody writes here now");
    });
    onTestFinished(rows.close);
    const vault = openVaultIn(rows, all[0] ?? vaultOptions());
    await put(vault, TOKEN, "t");
    isRefused = true;
    await expect(put(vault, TOKEN, "u")).rejects.toMatchObject({ code: "CONFIG_INVALID" });
    expect(await readAll(vault, TOKEN)).toEqual({ [TOKEN]: "t" });
  });

  test("knows when each secret was set", async () => {
    const { vaults } = await machines(2);
    const [ours, theirs] = vaults;
    await ours?.write(new Map([[SECRET, secret("s")]]));
    const times = await theirs?.setAt("secret/");
    expect(times?.get(SECRET)).toBeGreaterThan(0);
    await ours?.write(new Map([[SECRET, null]]));
    expect(await theirs?.setAt("secret/")).toEqual(new Map());
  });

  test("frees a lock whose holder's session ends, and gives it to one at a time", async () => {
    const { url, vaults } = await machines(2);
    const [ours, theirs] = vaults;
    let leave = () => {};
    let isIn = false;
    const held = ours?.exclusively(TOKEN, async () => {
      isIn = true;
      await new Promise<void>((resolve) => {
        leave = resolve;
      });
    });
    await until("it is held", () => isIn);
    let other = false;
    const second = theirs?.exclusively(TOKEN, async () => {
      other = true;
    });
    await asked(
      url,
      "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted AND classid = 27236",
    );
    await second;
    expect(other).toBe(true);
    leave();
    await held;
  });

  test("holds no lock that came to it too late, from a server that stood still", async () => {
    const { url, vaults } = await machines(2);
    const [ours, theirs] = vaults;
    if (!ours || !theirs) throw new Error("no vaults");
    await ours.exclusively("another", async () => {});
    const [row] = await asked(
      url,
      "SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND query LIKE 'SELECT pg_advisory_unlock%'",
    );
    const pid = Number(Object(row).pid);
    process.kill(pid, "SIGSTOP");
    try {
      await expect(ours.exclusively(TOKEN, async () => {})).rejects.toMatchObject({
        code: "VAULT_UNAVAILABLE",
      });
    } finally {
      process.kill(pid, "SIGCONT");
    }
    expect(await theirs.exclusively(TOKEN, async () => "theirs")).toBe("theirs");
    expect(await ours.exclusively(TOKEN, async () => "ours")).toBe("ours");
  });

  test("hears of others' writes again once a cut connection is open again", async () => {
    const { url, vaults } = await machines(2);
    const [ours, theirs] = vaults;
    if (!ours || !theirs) throw new Error("no vaults");
    await put(theirs, TOKEN, "one");
    await until("it listens", async () => {
      ours.revision();
      return (
        (
          await asked(
            url,
            "SELECT 1 FROM pg_stat_activity WHERE query = 'SELECT revision FROM jc_vault.vault'",
          )
        ).length > 0
      );
    });
    await asked(
      url,
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query = 'SELECT revision FROM jc_vault.vault'",
    );
    await ours.read([TOKEN]);
    const before = ours.revision();
    await put(theirs, TOKEN, "two");
    await until("it is heard of", () => ours.revision() !== before);
    expect(await readAll(ours, TOKEN)).toEqual({ [TOKEN]: "two" });
  });

  test("says that it cannot be reached, and is there again with the database", async () => {
    const { url, vaults } = await machines(1);
    const [vault] = vaults;
    if (!vault) throw new Error("no vault");
    await put(vault, TOKEN, "t");
    const back = await takenAway(url);
    const refused = { code: "VAULT_UNAVAILABLE", message: expect.stringMatching(/^the vault: the database/) };
    await expect(vault.read([TOKEN])).rejects.toMatchObject(refused);
    await expect(vault.names("")).rejects.toMatchObject(refused);
    await expect(put(vault, TOKEN, "u")).rejects.toMatchObject(refused);
    const before = vault.revision();
    await until("nobody relies on what was read", () => vault.revision() !== before);
    await back();
    expect(await readAll(vault, TOKEN)).toEqual({ [TOKEN]: "t" });
  });

  test("is sealed anew as a whole: who has the new key reads on, who has not is told", async () => {
    const { url, all, vaults } = await machines(2);
    const [ours, theirs] = vaults;
    const [first, second] = all;
    if (!ours || !theirs || !first || !second) throw new Error("no vaults");
    await put(ours, TOKEN, "t");
    await put(ours, SECRET, "s");
    expect(await readAll(theirs, TOKEN)).toEqual({ [TOKEN]: "t" });
    const newKey = `${temporaryDirectory()}/new-key`;
    const rows = rowsIn(url);
    const rekeyed = await rekeyIn(rows.place, first, newKey);
    await rows.close();
    expect(rekeyed).toEqual({ items: 2, keyFile: newKey });
    await expect(theirs.read([TOKEN])).rejects.toThrow("does not open the vault");
    const moved: VaultOptions = { ...second, keyFile: newKey };
    expect(await readAll(open({ ...moved, url }), TOKEN, SECRET)).toEqual({ [TOKEN]: "t", [SECRET]: "s" });
  });

  test("takes what a vault's file holds, and keeps what only it holds", async () => {
    const { url, all, vaults } = await machines(1);
    const [shared] = vaults;
    const [options] = all;
    if (!shared || !options) throw new Error("no vault");
    await put(shared, SECRET, "set there beforehand");
    const file = open(vaultOptions());
    await put(file, TOKEN, "t");
    const rows = rowsIn(url);
    for (const _ of ["once", "and again, as after a cut"])
      expect(await carryVault(file, rows, options)).toBe(1);
    await rows.close();
    expect(await readAll(shared, TOKEN, SECRET)).toEqual({ [TOKEN]: "t", [SECRET]: "set there beforehand" });
  });

  test("keeps the notes of what it holds, of nothing else, and all of them while the database is new", async () => {
    const { url, vaults } = await machines(2);
    const [ours, theirs] = vaults;
    if (!ours?.notes || !theirs) throw new Error("no vaults");
    const other = TOKEN.replace("production", "sandbox");
    await put(ours, TOKEN, "t");
    await put(ours, other, "t");
    for (const name of [TOKEN, other]) await ours.notes.write(name, secret("noted"));
    const noted = async () =>
      await Promise.all([TOKEN, other].map(async (name) => (await ours.notes?.read(name))?.reveal()));
    const readAnew = () =>
      until("it has heard of the write", async () => {
        const before = ours.revision();
        await ours.read([TOKEN]);
        return ours.revision() === before;
      });
    await asked(url, "CREATE TABLE kept AS TABLE jc_vault.items; DELETE FROM jc_vault.items");
    await expect(ours.read([TOKEN])).rejects.toThrow("was altered");
    expect(await ours.read([])).toEqual(new Map());
    expect(await noted()).toEqual(["noted", "noted"]);
    await asked(url, "INSERT INTO jc_vault.items TABLE kept");
    await put(theirs, other, null);
    await readAnew();
    expect(await noted()).toEqual(["noted", undefined]);
  });

  test("keeps notes on each machine for itself, sealed, which nobody without the key reads", async () => {
    const { all, vaults } = await machines(2);
    const [ours, theirs] = vaults;
    await ours?.write(new Map([[SECRET, secret("makes the key")]]));
    await ours?.notes?.write(TOKEN, secret("noted here"));
    expect((await ours?.notes?.read(TOKEN))?.reveal()).toBe("noted here");
    expect(await theirs?.notes?.read(TOKEN)).toBe(null);
    rmSync(all[0]?.keyFile ?? "");
    expect(await ours?.notes?.read(TOKEN)).toBe(null);
    await ours?.notes?.write(TOKEN, null);
  });
});
