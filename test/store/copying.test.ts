/** A log that is copied from SQLite into PostgreSQL: row by row the same, and the same to whoever works on it. */
import { join } from "node:path";
import Database from "better-sqlite3";
import fc from "fast-check";
import { Client } from "pg";
import { expect, onTestFinished, test } from "vitest";
import { copyLog, type CopyContext } from "../../src/flows/copying/copy.ts";
import { isAppError } from "../../src/shared/errors.ts";
import { unmarkCopied } from "../../src/shared/copied-log.ts";
import type { CopySource, CopyTarget } from "../../src/store/contract/copying.ts";
import type { Store } from "../../src/store/contract/store.ts";
import { openCopyTarget } from "../../src/store/postgres/copying/target.ts";
import { openPostgresStore } from "../../src/store/postgres/postgres.ts";
import {
  COPIED_TABLES,
  NOT_COPIED,
  NOT_COPIED_FROM_SQLITE,
  NOT_COPIED_TO_POSTGRES,
} from "../../src/store/rows/copied-tables.ts";
import { openCopySource } from "../../src/store/sqlite/copying/source.ts";
import { NOON } from "../core/example.ts";
import { temporaryDirectory } from "../directory.ts";
import { fillLog } from "./large-log.ts";
import { asked, describeWithPostgres, postgresServer } from "./postgres-server.ts";
import { step, told } from "./random-history.ts";
import { openDirect } from "./world.ts";
import { tries } from "../tries.ts";

async function copied(
  stateDir: string,
  url: string,
  changes: Partial<CopyContext> = {},
  {
    source: ofSource = (source: CopySource) => source,
    target: ofTarget = (target: CopyTarget) => target,
  } = {},
) {
  const source = openCopySource(stateDir, NOON);
  try {
    const target = await openCopyTarget({ url }, "--to");
    const quiet = { carryVault: async () => 0, signal: new AbortController().signal, onProgress: () => {} };
    try {
      return await copyLog({
        source: ofSource(source),
        target: ofTarget(target),
        to: url,
        ...quiet,
        ...changes,
      });
    } finally {
      await target.close();
    }
  } finally {
    source.close();
  }
}

/** False where it is refused for a copy's sake. */
async function opens(opening: Promise<Store>): Promise<boolean> {
  try {
    await (await opening).close();
    return true;
  } catch (error) {
    if (!isAppError(error, "CONFIG_INVALID")) throw error;
    return false;
  }
}

async function emptyLog(): Promise<string> {
  const stateDir = temporaryDirectory();
  await (await openDirect(stateDir)).close();
  return stateDir;
}

function inLog<Result>(stateDir: string, work: (db: Database.Database) => Result): Result {
  const db = new Database(join(stateDir, "log.db"));
  try {
    return work(db);
  } finally {
    db.close();
  }
}

const newDatabase = async () => (await postgresServer()).database();

/** Texts that are hard to carry, by the number of their row. */
const TEXTS = ["plain", "Zoë\u0301 \u{1f600}\r\n\t\\", "a\u0000b"];
const HELD_TEXTS = ["plain", "Zoë\u0301 \u{1f600}\r\n\t\\", "a\ufffdb"];

/** Three rows of each table, whose numbers are those of the rows that they name. */
function fillAllTables(db: Database.Database): void {
  db.pragma("foreign_keys = OFF");
  for (const { name } of COPIED_TABLES) {
    const columns = db
      .prepare<[string], { name: string; type: string; pk: number }>(
        "SELECT name, type, pk FROM pragma_table_info(?)",
      )
      .all(name);
    const put = db.prepare(`INSERT INTO ${name} VALUES (${columns.map(() => "?").join(", ")})`);
    for (const n of [1, 2, 3])
      put.run(
        columns.map(({ name: column, type, pk }) => {
          if (column === "details") return `{"z":"\\u0000 \\ud800","a":[${n},1.50,{"y":null,"x":"${n}"}]}`;
          if (type === "INTEGER") return n;
          if (type === "BLOB") return Buffer.from([n, 0, 255]);
          return pk > 0 || /(^|_)(id|org|state|source)$/.test(column)
            ? `${column} ${n}`
            : `${TEXTS[n - 1]} of ${column} ${n}`;
        }),
      );
  }
}

function rowsInLog(stateDir: string, table: string, key: readonly string[]): unknown[] {
  return inLog(stateDir, (db) => db.prepare(`SELECT * FROM ${table} ORDER BY ${key.join(", ")}`).all());
}

describeWithPostgres("a copied log", () => {
  test("has every table of either store, with the same columns, or says why not", async () => {
    const stateDir = await emptyLog();
    const url = await newDatabase();
    await (await openPostgresStore({ url })).close();
    const names = COPIED_TABLES.map(({ name }) => name);
    const ours = inLog(stateDir, (db) =>
      db
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
        .pluck()
        .all(),
    );
    const known = (...lists: Readonly<Record<string, string>>[]) =>
      [...names, ...lists.flatMap((list) => Object.keys(list))].toSorted();
    expect(known(NOT_COPIED, NOT_COPIED_FROM_SQLITE)).toEqual(ours.toSorted());
    const theirs = await asked(url, "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'jc'");
    expect(known(NOT_COPIED, NOT_COPIED_TO_POSTGRES)).toEqual(
      theirs.map((row) => String(Object(row).name)).toSorted(),
    );
    for (const name of names) {
      const inSqlite = inLog(stateDir, (db) =>
        db.prepare("SELECT name FROM pragma_table_info(?)").pluck().all(name),
      );
      const inPostgres = await asked(
        url,
        `SELECT column_name AS name FROM information_schema.columns WHERE table_schema = 'jc' AND table_name = '${name}'`,
      );
      expect([name, inPostgres.map((row) => Object(row).name).toSorted()]).toEqual([
        name,
        inSqlite.toSorted(),
      ]);
    }
  });

  test("holds each row of each table as the log has it, but for what PostgreSQL cannot hold", async () => {
    const stateDir = await emptyLog();
    const url = await newDatabase();
    inLog(stateDir, fillAllTables);
    const { tables } = await copied(stateDir, url);
    expect(tables.map(({ name, rows }) => [name, rows])).toEqual(COPIED_TABLES.map(({ name }) => [name, 3]));
    for (const { name, key, instead = {} } of COPIED_TABLES) {
      const expected = rowsInLog(stateDir, name, key).map((row) =>
        Object.fromEntries(
          Object.entries(Object(row)).map(([column, value]) => [column, heldValue(column, value, instead)]),
        ),
      );
      const found = await asked(url, `SELECT * FROM jc.${name} ORDER BY ${key.join(", ")}`);
      expect([name, found.map(numbered)]).toEqual([name, expected]);
    }
  });

  test("gives out numbers and versions behind those of the log, also of rows that are gone", async () => {
    const stateDir = await emptyLog();
    const url = await newDatabase();
    fillLog(stateDir, 3);
    inLog(stateDir, (db) => {
      db.exec("INSERT INTO leases (id, pid, started_at, boot_id, claimed_at) VALUES (41, 1, '', '', 0)");
      db.exec(
        "INSERT INTO alerts (id, key, org, text, opened_at, due_at) VALUES (17, 'a', 'acme', 'x', 0, 0)",
      );
      db.exec("DELETE FROM leases; DELETE FROM alerts");
      db.exec("UPDATE counters SET value = 900 WHERE name = 'version'");
    });
    await copied(stateDir, url);
    const next = async (sequence: string) =>
      Number(Object((await asked(url, `SELECT nextval('jc.${sequence}') AS n`))[0]).n);
    expect(await next("versions")).toBe(901);
    expect(await next("leases_id_seq")).toBe(42);
    expect(await next("alerts_id_seq")).toBe(18);
    expect(await next("invites_id_seq")).toBe(4);
    expect(await next("events_seq_seq")).toBe(4);
  });

  test("answers as the log does, whatever happened in it, and goes on as the log would", async () => {
    const directory = temporaryDirectory();
    let runs = 0;
    const steps = fc.array(step, { maxLength: 10, size: "max" });
    await fc.assert(
      fc.asyncProperty(steps, steps, async (before, after) => {
        runs += 1;
        const stateDir = join(directory, String(runs));
        const first = await openDirect(stateDir);
        await told(first, before);
        await first.close();
        const url = await newDatabase();
        await copied(stateDir, url);
        unmarkCopied(stateDir);
        const stores = [await openDirect(stateDir), await openPostgresStore({ url })] as const;
        try {
          const [inLog, inCopy] = [await allReads(stores[0]), await allReads(stores[1])];
          expect(inCopy).toEqual(inLog);
          expect(await told(stores[1], after)).toEqual(await told(stores[0], after));
        } finally {
          for (const store of stores) await store.close();
        }
      }),
      tries(12),
    );
  });

  test("goes on wherever it was stopped, and doubles nothing", async () => {
    const stateDir = await emptyLog();
    const url = await newDatabase();
    fillLog(stateDir, 5_000);
    let [stops, reached] = [0, 0];
    for (let isWhole = false; !isWhole; ) {
      const stop = new AbortController();
      isWhole = await copied(stateDir, url, {
        signal: stop.signal,
        onProgress: (stage, done) => {
          if (stage !== "copying" || done <= reached) return;
          reached = done;
          stop.abort();
        },
      }).then(
        ({ standing }) => standing === "resumed",
        (error: unknown) => {
          if (!stop.signal.aborted) throw error;
          stops += 1;
          return false;
        },
      );
    }
    expect(stops).toBeGreaterThan(10);
    for (const table of ["invites", "events", "pushes", "attempts"])
      expect(await asked(url, `SELECT count(*)::int AS n FROM jc.${table}`)).toEqual([{ n: 5_000 }]);
    expect(await asked(url, "SELECT n::int FROM jc.invite_counts")).toEqual([{ n: 5_000 }]);
    expect(await asked(url, "SELECT n::int FROM jc.push_counts")).toEqual([{ n: 5_000 }]);
  });

  test.each([
    ["mark", "before"],
    ["mark", "after"],
    ["finish", "before"],
    ["finish", "after"],
  ] as const)(
    "cut off at its end, %s: %s, is never in use in two places, and ends when it is typed again",
    async (step, when) => {
      const stateDir = await emptyLog();
      const url = await newDatabase();
      fillLog(stateDir, 10);
      const cut = new Error("cut off");
      const cutting = <Args extends unknown[]>(work: (...args: Args) => unknown) => {
        return (...args: Args) => {
          if (when === "before") throw cut;
          const done = work(...args);
          if (done instanceof Promise) return done.then(() => Promise.reject(cut));
          throw cut;
        };
      };
      const cutAt = {
        source: (source: CopySource) =>
          step === "mark" ? { ...source, mark: cutting(source.mark) } : source,
        target: (target: CopyTarget) =>
          step === "finish"
            ? { ...target, finish: async () => void (await cutting(target.finish)()) }
            : target,
      };
      await expect(copied(stateDir, url, {}, cutAt)).rejects.toThrow(cut);
      const inUse = async () => [await opens(openDirect(stateDir)), await opens(openPostgresStore({ url }))];
      const before = await inUse();
      expect(before).not.toEqual([true, true]);
      expect(before).toEqual([step === "mark" && when === "before", step === "finish" && when === "after"]);
      await copied(stateDir, url);
      expect(await inUse()).toEqual([false, true]);
      expect(await asked(url, "SELECT count(*)::int AS n FROM jc.events")).toEqual([{ n: 10 }]);
    },
  );

  test("that somebody else wrote to is found out row by row; the log stays in use, and a copy anew is whole", async () => {
    const stateDir = await emptyLog();
    const url = await newDatabase();
    fillLog(stateDir, 300);
    const other = new Client({ connectionString: url });
    await other.connect();
    onTestFinished(() => other.end());
    let changed: Promise<unknown> | null = null;
    const meddledWith = (target: CopyTarget): CopyTarget => ({
      ...target,
      page: async (table, after, limit) => {
        changed ??= other.query("UPDATE jc.attempts SET duration_ms = 13 WHERE id = 77");
        await changed;
        return await target.page(table, after, limit);
      },
    });
    await expect(copied(stateDir, url, {}, { target: meddledWith })).rejects.toThrow(
      "what is in the log: attempts.",
    );
    await (await openDirect(stateDir)).close();
    expect((await copied(stateDir, url)).standing).toBe("anew");
    expect(await asked(url, "SELECT 1 FROM jc.attempts WHERE duration_ms = 13")).toEqual([]);
  });
});

function heldValue(
  column: string,
  value: unknown,
  instead: Readonly<Record<string, number | null>>,
): unknown {
  if (Object.hasOwn(instead, column)) return instead[column];
  if (typeof value !== "string") return value;
  if (column === "details")
    return JSON.parse(value.replaceAll("\\u0000", "\\ufffd").replaceAll("\\ud800", "\\ufffd"));
  return value.replace(TEXTS[2] ?? "", HELD_TEXTS[2] ?? "");
}

/** The driver gives numbers of eight bytes as text. */
function numbered(row: unknown): object {
  return Object.fromEntries(
    Object.entries(Object(row)).map(([column, value]) => [
      column,
      typeof value === "string" && /^\d+$/.test(value) ? Number(value) : value,
    ]),
  );
}

/** All that is told of a log without a change to it. */
async function allReads(store: Store): Promise<unknown> {
  const now = NOON + 3_600_000;
  const of = { org: "acme", vendor: "smartrecruiters", environment: "production", limit: 50 } as const;
  const connections = await store.connections();
  const invites = await store.invites({ org: "acme", limit: 50 });
  const whole = { org: "acme", limit: 50 };
  return {
    connections,
    invites,
    histories: await Promise.all(invites.map(({ invite }) => store.invite("acme", invite.invitationId))),
    overview: await store.overview(null, now),
    orgs: await store.orgs(),
    received: await store.received(of),
    webhooks: await store.webhookLog(of),
    questions: await store.questions({ after: 0, limit: 50 }),
    attempts: await store.attempts(whole),
    sums: await store.attemptSums({ org: "acme" }),
    logs: await Promise.all(connections.map(({ id }) => store.deliveryLog({ connectionId: id, limit: 50 }))),
    sources: await store.sources(),
    due: await Promise.all(connections.map(({ id }) => store.dueWork(now, id))),
  };
}
