/** Reads every import of src/ and says which one points the wrong way. */
import { readdirSync, readFileSync } from "node:fs";
import { posix } from "node:path";
import { describe, expect, test } from "vitest";

interface Import {
  from: string;
  /** A path below the root, or a package. */
  to: string;
  isTypeOnly: boolean;
}

/** What may import what: to the right, and within its own folder. Those at one height do not know each other. */
const HEIGHTS = [
  ["start"],
  ["main"],
  ["commands"],
  ["demo"],
  ["app"],
  ["daemon"],
  ["flows"],
  ["vendors", "store", "oauth", "vault", "alerts"],
  ["core"],
  ["shared"],
];
/** Types of the command line's world that those below it may name. */
const LENT: Readonly<Record<string, readonly string[]>> = {
  "src/commands/world.ts": ["start", "demo", "app"],
  "src/commands/with-app.ts": ["demo"],
};
/** Those who start the emulator for people. */
const STARTS_EMULATOR = ["commands", "demo"];
const READS_PROCESS = ["src/start.ts", "src/app.ts"];
/** The second is a program of its own. */
const READS_NODE_PROCESS = ["src/shared/running.ts", "src/vault/keychain-child.ts"];
const HOMELESS = ["utils", "helpers", "common", "services", "managers"];

const root = new URL("../", import.meta.url);
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

describe("an import is refused", () => {
  const refused: [why: string, from: string, to: string, isTypeOnly: boolean][] = [
    ["to the left", "src/core/fold.ts", "src/store/contract.ts", true],
    ["of a neighbour", "src/vault/sealed.ts", "src/store/contract.ts", true],
    ["of another vendor", "src/vendors/hubspot/api.ts", "src/vendors/jobcannon/event.ts", true],
    ["of all vendors by one", "src/vendors/hubspot/api.ts", "src/vendors/index.ts", false],
    ["of the product by the emulator", "src/emulator/http.ts", "src/core/event.ts", true],
    ["of the emulator by the product", "src/flows/connect.ts", "src/emulator/emulator.ts", true],
    ["of the real store", "src/flows/deliver.ts", "src/store/sqlite/sqlite.ts", false],
    ["of the real vault", "src/daemon/serve.ts", "src/vault/open.ts", false],
    ["of a real vendor", "src/flows/deliver.ts", "src/vendors/hubspot/hubspot.ts", false],
    ["of the commands by the app", "src/app.ts", "src/commands/status.ts", true],
    ["of the app by a flow", "src/flows/status.ts", "src/app.ts", true],
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

function faultOf({ from, to, isTypeOnly }: Import): string | null {
  if (!to.startsWith("src/")) return null;
  const [left, right] = [folderOf(from), folderOf(to)];
  if (left === "emulator")
    return ["emulator", "shared"].includes(right) ? null : "the emulator knows shared only";
  if (right === "emulator") return STARTS_EMULATOR.includes(left) ? null : "the product knows no emulator";
  if (isTypeOnly && LENT[to]?.includes(left)) return null;
  if (left === right) return left === "vendors" ? faultAmongVendors({ from, to, isTypeOnly }) : null;
  if (heightOf(left) >= heightOf(right)) return `${left} stands beside or below ${right}`;
  if (left !== "app" && !isTypeOnly && isReal(to)) return "only app.ts puts the real parts together";
  return null;
}

/** Stores, vaults and vendors are known to others by their contracts; of the vendors' also the one error. */
function isReal(path: string): boolean {
  const folder = folderOf(path);
  return ["store", "vault"].includes(folder) || (folder === "vendors" && path !== "src/vendors/contract.ts");
}

function faultAmongVendors({ from, to, isTypeOnly }: Import): string | null {
  const [own, other] = [vendorOf(from), vendorOf(to)];
  if (own !== null && other !== null && own !== other) return "no vendor knows another";
  if (own !== null && to === "src/vendors/index.ts" && !isTypeOnly) return "no vendor knows the others";
  return null;
}

function vendorOf(path: string): string | null {
  return /^src\/vendors\/([^/]+)\//.exec(path)?.[1] ?? null;
}

/** `src/store/sqlite/file.ts` → `store`, `src/main.ts` → `main`. */
function folderOf(path: string): string {
  return path.split("/")[1]?.replace(/\.ts$/, "") ?? path;
}

function heightOf(folder: string): number {
  const height = HEIGHTS.findIndex((names) => names.includes(folder));
  if (height >= 0) return height;
  throw new Error(`src/${folder} is not on the map: give it its place in this file`);
}

function importsOf(from: string, text: string): Import[] {
  const code = withoutComments(text);
  const found = [
    ...code.matchAll(
      /\b(?:import|export)\s+(?<type>type\s+)?(?:(?<names>[^"';]*?)\sfrom\s*)?"(?<to>[^"]+)"/g,
    ),
    ...code.matchAll(/(?<type>\btypeof\s+)?\bimport\(\s*"(?<to>[^"]+)"/g),
  ].sort((a, b) => a.index - b.index);
  return found.map(({ groups = {} }) => {
    const { type, names, to = "" } = groups;
    return {
      from,
      to: to.startsWith(".") ? posix.join(posix.dirname(from), to) : to,
      isTypeOnly: type !== undefined || (names !== undefined && areTypes(names)),
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

/** Neither comments nor texts. */
function codeOf(text: string): string {
  return withoutComments(text).replace(/"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'/g, '""');
}
