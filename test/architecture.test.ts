/** Reads every import of src/ and says which one points the wrong way. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { posix } from "node:path";
import { describe, expect, test } from "vitest";

interface Import {
  from: string;
  /** A path below the root, or a package. */
  to: string;
  isTypeOnly: boolean;
  /** Loaded when that line runs. */
  isLate?: boolean;
}

/** What may import what: only what stands in a later row. Those in one row do not know each other. */
const HOUSE = [
  ["start"],
  ["main"],
  ["commands"],
  ["demo"],
  ["app", "daemon"],
  ["declared-secrets"],
  ["flows"],
  ["vendors", "store", "oauth", "vault", "alerts", "systemd"],
  ["postgres"],
  ["core"],
  ["shared"],
];
const root = new URL("../", import.meta.url);
/** A folder with a declaration is a vendor, and knows no other. */
const VENDOR_FOLDERS = readdirSync(new URL("src/vendors/", root)).filter(
  (name) => name !== "contract" && existsSync(new URL(`src/vendors/${name}/declaration.ts`, root)),
);
/**
 * The same inside the folders that have an order. `.` stands for a folder's loose files that are not named: mostly its roof,
 * which may import its subfolders, and in `core` and `shared` its ground.
 */
const ROOMS: Readonly<Record<string, readonly (readonly string[])[]>> = {
  "src/commands": [["."], ["help"], ["session"]],
  "src/daemon": [["."], ["metrics"], ["admin", "receiving"], ["pages", "trouble"], ["http"]],
  "src/flows": [
    ["jobs", "doctor"],
    ["trial", "rerun", "intake", "backup", "retention", "copying"],
    ["status"],
    ["deliver", "connect", "ats", "erasure", "alerting"],
    ["account", "watch"],
  ],
  "src/vendors": [["."], VENDOR_FOLDERS, ["reading", "calling"], ["contract"]],
  "src/store": [["postgres", "sqlite"], ["rows"], ["contract"]],
  "src/store/sqlite": [
    ["."],
    ["delivery", "reads"],
    ["restore", "copying"],
    ["intake", "connections", "rerun", "retention", "erasure"],
    ["rows", "coordination", "commits"],
    ["file"],
  ],
  "src/store/postgres": [
    ["."],
    ["delivery", "reads", "copying"],
    ["intake", "connections", "rerun", "retention", "erasure"],
    ["rows", "coordination"],
    ["server"],
  ],
  "src/vault": [["."], ["keychain", "sealed"], ["file", "postgres"], ["rows"], ["contract"]],
  "src/oauth": [[".", "consent"], ["endpoint"]],
  "src/core": [["advice", "delivery"], ["."]],
  "src/shared": [["."]],
};
/** Data, which loads no vendor. */
const VENDOR_LIST = "src/vendors/index.ts";
const READS_VENDOR_LIST = ["main", "commands", "demo", "declared-secrets"];
const LISTED = /\/(declaration|keys|words|versions|guide)\.ts$/;
/** Those who start the emulator for people. */
const STARTS_EMULATOR = ["commands", "demo"];
const READS_PROCESS = ["src/start.ts"];
/** What runs by itself, in a process or a thread of its own. */
const PROGRAMS = [
  "src/vault/keychain/keychain-child.ts",
  "src/store/sqlite/thread.ts",
  "src/store/sqlite/backup-thread.ts",
];
/** Who is alive, who we are and how long the machine runs is asked of the kernel, what a native part was built for of Node. */
const READS_NODE_PROCESS = [
  "src/shared/clock.ts",
  "src/shared/process-identity.ts",
  "src/shared/native-part.ts",
  "src/shared/kept-code.ts",
  "src/shared/private-files.ts",
  "src/store/sqlite/file/checkpoint.ts",
  // The kernel's monotonic clock, which systemd's own is.
  "src/systemd/notify.ts",
  "src/vault/keychain/keychain-child.ts",
];
/** What costs a command milliseconds before it says a word. */
const HEAVY = [
  "node:crypto",
  "node:fs/promises",
  "undici",
  "valibot",
  "chalk",
  "cli-table3",
  "@inquirer/prompts",
  "open",
  "keytar",
  "node:tls",
  "node:http",
  "pg",
];
const HOMELESS = ["utils", "helpers", "common", "services", "managers"];

const files = readdirSync(new URL("src/", root), { recursive: true, encoding: "utf8" })
  .map((path) => `src/${path.replaceAll("\\", "/")}`)
  .filter((path) => path.endsWith(".ts"));
const sources = new Map(files.map((path) => [path, readFileSync(new URL(path, root), "utf8")]));
const imports = [...sources].flatMap(([path, text]) => importsOf(path, text));

describe("the map of the house", () => {
  test("has every import pointing the right way", () => {
    expect(imports.length).toBeGreaterThan(100);
    expect(imports.flatMap(faultsOf)).toEqual([]);
  });

  test("has no circle of imports, of types neither", () => {
    expect(circlesIn(imports)).toEqual([]);
  });

  test("has no room without a place in the order", () => {
    const folders = files.flatMap((path) =>
      Object.keys(ROOMS)
        .filter((room) => path.startsWith(`${room}/`))
        .map((room) => [room, path] as const),
    );
    expect(() =>
      folders.map(([room, path]) => rowOf(ROOMS[room] ?? [], placeIn(room, ROOMS[room] ?? [], path))),
    ).not.toThrow();
  });

  test("lists the vendors without loading any", () => {
    const reached = loadedWith(VENDOR_LIST).filter((path) => path.startsWith("src/vendors/"));
    expect(reached.length).toBeGreaterThan(3);
    expect(reached.filter((path) => path !== VENDOR_LIST && !LISTED.test(path))).toEqual([]);
    expect(loadedWith("src/vendors/hubspot/hubspot.ts")).toContain("src/shared/http-answer.ts");
  });

  test("loads no network and no reader of vendors' answers to tell how things stand", () => {
    const told = [
      "src/start.ts",
      "src/main.ts",
      "src/commands/status.ts",
      "src/app.ts",
      "src/flows/status/status.ts",
    ];
    const packages = new Set(
      told.flatMap((file) => loadedWith(file)).filter((path) => !path.startsWith("src/")),
    );
    for (const heavy of HEAVY) expect([...packages]).not.toContain(heavy);
    expect([...packages]).toContain("commander");
  });

  test("names no file or folder for what has no home", () => {
    const homeless = files.filter((path) => path.split("/").some((part) => HOMELESS.includes(part)));
    expect(homeless).toEqual([]);
  });

  test("has one tie to the process", () => {
    const readers = [...sources].filter(([, text]) => /\b(process|console)\s*\.\s*\w/.test(codeOf(text)));
    expect(readers.map(([path]) => path).filter((path) => !READS_PROCESS.includes(path))).toEqual([]);
    const importers = imports.filter(({ to }) => /^(node:)?process$/.test(to)).map(({ from }) => from);
    expect(importers.filter((path) => !READS_NODE_PROCESS.includes(path))).toEqual([]);
  });
});

test("a module that is imported does nothing", () => {
  const acting = [...sources]
    .filter(([path]) => !PROGRAMS.includes(path))
    .flatMap(([path, text]) => actsOf(text).map((line) => `${path}: ${line}`));
  expect(acting).toEqual([]);
  expect(PROGRAMS.filter((path) => actsOf(sources.get(path) ?? "").length === 0)).toEqual([]);
});

test.each([
  "let opened = 0;",
  "const known = new Map<string, number>();",
  "export const seen: string[] = [];",
  'const text = readFileSync("a.txt", "utf8");',
  "const timer = setInterval(look, 1_000);",
  'const { found } = await import("./a.ts");',
  "register(VENDORS);",
])("%s is something that it does", (line) => {
  expect(actsOf(`import { a } from "./a.ts";\n${line}\n`)).toEqual([line]);
});

test("a circle is found, however long", () => {
  const link = (from: string, to: string) => ({ from, to, isTypeOnly: true });
  const chain = [link("a", "b"), link("b", "c"), link("c", "d")];
  expect(circlesIn(chain)).toEqual([]);
  expect(circlesIn([...chain, link("d", "b")])).toEqual(["b → c → d"]);
});

describe("an import is refused", () => {
  const refused: [why: string, from: string, to: string, isTypeOnly: boolean][] = [
    ["to the left", "src/core/fold.ts", "src/store/contract/store.ts", true],
    ["of a neighbour", "src/vault/sealed/sealed.ts", "src/store/contract/store.ts", true],
    ["of another vendor", "src/vendors/hubspot/api.ts", "src/vendors/jobcannon/event.ts", true],
    ["of all vendors by one", "src/vendors/hubspot/api.ts", "src/vendors/index.ts", false],
    ["of the product by the emulator", "src/emulator/http.ts", "src/core/event.ts", true],
    ["of the emulator by the product", "src/flows/connect/connect.ts", "src/emulator/emulator.ts", true],
    ["of the real store", "src/flows/deliver/deliver.ts", "src/store/sqlite/sqlite.ts", false],
    ["of the real vault", "src/daemon/serve.ts", "src/vault/open.ts", false],
    ["of a real vendor", "src/flows/deliver/deliver.ts", "src/vendors/hubspot/hubspot.ts", false],
    ["of the commands by the app", "src/app.ts", "src/commands/status.ts", true],
    ["of the roof by a room", "src/daemon/receiving/receiver.ts", "src/daemon/serve.ts", true],
    ["of a room by the ground", "src/core/push.ts", "src/core/delivery/retry.ts", true],
    ["of a neighbouring room", "src/flows/deliver/deliver.ts", "src/flows/connect/grant.ts", true],
    ["of an upper room", "src/flows/account/access.ts", "src/flows/deliver/deliver.ts", true],
    ["of the app by a flow", "src/flows/status/status.ts", "src/app.ts", true],
  ];
  test.each(refused)("%s", (_why, from, to, isTypeOnly) => {
    expect(faultsOf({ from, to, isTypeOnly })).toEqual([expect.stringContaining(`${from} → ${to}`)]);
  });

  test("in whichever words it is written", () => {
    const text = `
      import type { A } from "../store/contract.ts";
      import { type B, c } from "./b.ts"; // import { no } from "./comment.ts";
      import {
        type D,
      } from "./d.ts";
      import "./e.ts";
      export { f } from "./f.ts";
      const g = await import("./g.ts");
      type H = typeof import("./h.ts").h;
      import { readFileSync } from "node:fs";
    `;
    expect(importsOf("src/core/a.ts", text).map(({ to, isTypeOnly }) => [to, isTypeOnly])).toEqual([
      ["src/store/contract.ts", true],
      ["src/core/b.ts", false],
      ["src/core/d.ts", true],
      ["src/core/e.ts", false],
      ["src/core/f.ts", false],
      ["src/core/g.ts", false],
      ["src/core/h.ts", true],
      ["node:fs", false],
    ]);
  });
});

function faultsOf(link: Import): string[] {
  const fault = faultOf(link);
  return fault ? [`${link.from} → ${link.to}: ${fault}`] : [];
}

function faultOf(link: Import): string | null {
  const { from, to, isTypeOnly } = link;
  if (!to.startsWith("src/")) return null;
  const [left, right] = [placeIn("src", HOUSE, from), placeIn("src", HOUSE, to)];
  if (left === "emulator")
    return ["emulator", "shared"].includes(right) ? null : "the emulator knows shared only";
  if (right === "emulator") return STARTS_EMULATOR.includes(left) ? null : "the product knows no emulator";
  const isList = to === VENDOR_LIST && READS_VENDOR_LIST.includes(left);
  if (left !== "app" && left !== right && !isTypeOnly && !isList && isReal(to))
    return "only app.ts and its folder put the real parts together";
  return wrongWayIn("src", HOUSE, link) ?? wrongWayInRooms(link);
}

function wrongWayInRooms(link: Import): string | null {
  for (const [room, rows] of Object.entries(ROOMS)) {
    const isInside = link.from.startsWith(`${room}/`) && link.to.startsWith(`${room}/`);
    const fault = isInside ? wrongWayIn(room, rows, link) : null;
    if (fault) return fault;
  }
  return null;
}

function wrongWayIn(room: string, rows: readonly (readonly string[])[], { from, to }: Import): string | null {
  const [left, right] = [placeIn(room, rows, from), placeIn(room, rows, to)];
  if (left === right || rowOf(rows, left) < rowOf(rows, right)) return null;
  return `in ${room}, ${left} stands beside or below ${right}`;
}

/** Stores, vaults and vendors are known to others by their contracts, and the vault by what rests in it. */
function isReal(path: string): boolean {
  if (!/^src\/(store|vault|vendors)\//.test(path)) return false;
  return !path.startsWith("src/vendors/contract/") && path !== "src/vault/secrets.ts";
}

/** `src/store/sqlite/file/open.ts` → in `src` `store`, in `src/store` `sqlite`, in `src/store/sqlite` `file`. */
function placeIn(room: string, rows: readonly (readonly string[])[], path: string): string {
  const [first = "", ...rest] = path.slice(room.length + 1).split("/");
  const name = first.replace(/\.ts$/, "");
  if (rest.length > 0 || room === "src" || rows.some((row) => row.includes(name))) return name;
  return ".";
}

function rowOf(rows: readonly (readonly string[])[], place: string): number {
  const row = rows.findIndex((names) => names.includes(place));
  if (row >= 0) return row;
  throw new Error(`${place} is not on the map: give it its place in this file`);
}

/** What is loaded at once when that file is. */
function loadedWith(file: string, loaded = new Set<string>()): string[] {
  if (loaded.has(file)) return [];
  loaded.add(file);
  for (const { from, to, isTypeOnly, isLate } of imports)
    if (from === file && !isTypeOnly && !isLate) loadedWith(to, loaded);
  return [...loaded];
}

/** Groups of files that reach each other, found by Tarjan's algorithm. */
function circlesIn(links: readonly Import[]): string[] {
  const next = new Map<string, Import[]>();
  for (const link of links) next.set(link.from, [...(next.get(link.from) ?? []), link]);
  const index = new Map<string, number>();
  const lowest = new Map<string, number>();
  const open: string[] = [];
  const circles: string[] = [];
  const visit = (file: string): void => {
    index.set(file, index.size);
    lowest.set(file, index.size - 1);
    open.push(file);
    for (const { to } of next.get(file) ?? []) {
      if (!index.has(to)) visit(to);
      const reach = open.includes(to) ? lowest.get(to) : undefined;
      lowest.set(file, Math.min(lowest.get(file) ?? 0, reach ?? Number.POSITIVE_INFINITY));
    }
    if (lowest.get(file) !== index.get(file)) return;
    const circle = open.splice(open.indexOf(file));
    if (circle.length > 1) circles.push(circle.join(" → "));
  };
  for (const { from } of links) if (!index.has(from)) visit(from);
  return circles;
}

function importsOf(from: string, text: string): Import[] {
  const code = withoutComments(text);
  const found = [
    ...code.matchAll(
      /\b(?:import|export)\s+(?<type>type\s+)?(?:(?<names>[^"';]*?)\sfrom\s*)?"(?<to>[^"]+)"/g,
    ),
    ...code.matchAll(/(?<type>\btypeof\s+)?\bimport\(\s*"(?<to>[^"]+)"/g),
  ].sort((a, b) => a.index - b.index);
  return found.map(({ 0: text, groups = {} }) => {
    const { type, names, to = "" } = groups;
    return {
      from,
      to: to.startsWith(".") ? posix.join(posix.dirname(from), to) : to,
      isTypeOnly: type !== undefined || (names !== undefined && areTypes(names)),
      ...(text.startsWith("import(") ? { isLate: true } : {}),
    };
  });
}

/** `{ type A, type B }` */
function areTypes(names: string): boolean {
  const listed = /^\s*\{(.*)\}\s*$/s
    .exec(names)?.[1]
    ?.split(",")
    .map((name) => name.trim());
  return listed?.filter(Boolean).every((name) => name.startsWith("type ")) ?? false;
}

function withoutComments(text: string): string {
  return text.replace(/\/\*.*?\*\//gs, "").replace(/(^|[^:"'`])\/\/.*$/gm, "$1");
}

/**
 * The lines outside of functions that do more than declare: that call, loop or wait, read or listen, or keep what changes.
 * The formatter leaves only those at the line's beginning.
 */
function actsOf(text: string): string[] {
  const outer = withoutComments(text)
    .replace(/`(?:[^`\\]|\\.)*`/gs, "``")
    .split("\n")
    .filter((line) => /^[^\s})\]>`]/.test(line));
  const isAct = (line: string) =>
    !/^(import|export|const|declare|(async )?function|type|interface|class)\b/.test(line) ||
    /^(export )?(let|var)\b/.test(line) ||
    /^(export )?const [^=]*= (new (Weak)?(Map|Set)(<.*>)?\(\)|\[\]);/.test(line) ||
    (/^(export )?const /.test(line) && !line.includes("=>") && DOES.test(line));
  return outer.filter(isAct);
}

const DOES =
  /\b(await|(read|write|open|stat|mkdir)\w*Sync|createServer|set(Timeout|Interval)|spawn\w*|execFile\w*|randomBytes|now)\b/;

/** Neither comments nor texts. */
function codeOf(text: string): string {
  return withoutComments(text).replace(/"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'/g, '""');
}
