/** The built program, from the sources at hand: made by the first that needs it, in whatever process; others wait. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import Database from "better-sqlite3";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
/** What the present `dist/` was built from; whoever builds it otherwise takes the file away with all others. */
const STAMP = join(ROOT, "dist/built-from");
const LONGEST_BUILD_MS = 300_000;

let isBuilt = false;

/** `dist/`, of these sources. Modules whose tests all run the program call it as they load, outside any test's time. */
export function dist(): URL {
  if (!isBuilt && !isOf(sources())) aloneOnThisMachine(buildUnlessBuilt);
  isBuilt = true;
  return new URL("../dist/", import.meta.url);
}

function buildUnlessBuilt(): void {
  const present = sources();
  if (isOf(present)) return;
  execFileSync(process.execPath, ["build.js"], { cwd: ROOT, stdio: "inherit" });
  writeFileSync(STAMP, present);
}

function isOf(present: string): boolean {
  return existsSync(STAMP) && readFileSync(STAMP, "utf8") === present;
}

/** A hash of all that a build reads, and of the Node whose code it keeps. */
function sources(): string {
  const hash = createHash("sha256").update(process.version);
  const files = readdirSync(join(ROOT, "src"), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts"))
    .sort()
    .map((file) => join("src", file));
  for (const file of [
    "build.js",
    "bin/load.js",
    "bin/keep-code.js",
    "package.json",
    "package-lock.json",
    ...files,
  ])
    hash.update(`${file}\n`).update(readFileSync(join(ROOT, file)));
  return hash.digest("hex");
}

/** SQLite's file lock goes with its holder, however that ends. */
function aloneOnThisMachine(work: () => void): void {
  const name = createHash("sha256").update(ROOT).digest("hex").slice(0, 16);
  const lock = new Database(join(tmpdir(), `jc-build-${name}.lock`), { timeout: LONGEST_BUILD_MS });
  try {
    lock.exec("begin exclusive");
    work();
  } finally {
    lock.close();
  }
}
