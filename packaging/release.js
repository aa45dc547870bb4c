// `npm run release`: what is handed out, into release/. The npm tarball, the Debian package with a Node of its own, the list
// of what is in it (SBOM) and their SHA-256 sums; the same bytes for the same commit, in whatever directory.
//
//   --out DIR    elsewhere than release/
//   --quick      the Debian package alone, from the present dist/, with the Node that runs and the native parts built
//                for it, not compressed, its libraries not looked up: to try its scripts, not to hand out
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { makeDebian } from "./debian.js";
import { buildNativeParts, fetchNode, presentParts } from "./parts.js";
import { sbomOf } from "./sbom.js";
import { layOut, packTarball } from "./tree.js";

const { values } = parseArgs({
  options: { out: { type: "string", default: "release" }, quick: { type: "boolean", default: false } },
});
const out = resolve(values.out);
process.env.SOURCE_DATE_EPOCH ??= dateOfCommit();
const date = new Date(Number(process.env.SOURCE_DATE_EPOCH) * 1_000);
if (Number.isNaN(date.getTime())) throw new Error("SOURCE_DATE_EPOCH is to be a number of seconds");
// Whoever builds, the files have the same modes.
process.umask(0o022);

rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });
const work = mkdtempSync(join(tmpdir(), "jc-release-"));
try {
  if (values.quick) await makePackage(presentParts(), { compression: "none" });
  else await makeAll();
} finally {
  rmSync(work, { recursive: true });
}

async function makeAll() {
  execFileSync(process.execPath, ["build.js"], { stdio: "inherit" });
  packTarball({ work, out });
  const node = fetchNode(work);
  const natives = buildNativeParts(node, work);
  await makePackage({ node, natives }, { compression: "xz" });
  const files = readdirSync(out).toSorted();
  const sums = files.map((file) => `${sha256(join(out, file))}  ${file}\n`);
  writeFileSync(join(out, "SHA256SUMS"), sums.join(""));
  process.stdout.write(sums.join(""));
}

async function makePackage(parts, { compression }) {
  const root = join(work, "root");
  const laid = await layOut({ root, parts });
  const sbom = `${JSON.stringify(sbomOf({ root, laid, date }), null, 2)}\n`;
  const file = makeDebian({ root, work, out, laid, sbom, date, compression });
  writeFileSync(file.replace(/\.deb$/, ".cdx.json"), sbom);
}

/** The same for everybody who builds this commit. */
function dateOfCommit() {
  try {
    return execFileSync("git", ["log", "-1", "--format=%ct"], { encoding: "utf8" }).trim();
  } catch (cause) {
    throw new Error("this is no clone: set SOURCE_DATE_EPOCH to the release's date, in seconds", { cause });
  }
}

function sha256(file) {
  return createHash("sha256").update(readFileSync(file)).digest("hex");
}
