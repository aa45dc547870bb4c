/** Whose code goes into the bundle goes with its licence. */
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as v from "valibot";
import { expect, test } from "vitest";
import { dist } from "./built.ts";
import { TEMPORARY, temporaryDirectory } from "./directory.ts";

const REPOSITORY = fileURLToPath(new URL("..", import.meta.url));
const SourceMap = v.object({ sources: v.array(v.string()) });
/** Of several chunks in one file. */
const MapInSections = v.object({ sections: v.array(v.object({ map: SourceMap })) });
const Package = v.object({ name: v.string(), version: v.string(), license: v.string() });

/** The packages whose code the chunks hold, by what their source maps say. */
function bundledPackages(): string[] {
  const built = fileURLToPath(dist());
  const chunks = readdirSync(built).filter((name) => /\.c?js$/.test(name));
  const sources = chunks.flatMap((name) => sourcesOf(join(built, name)));
  const names = sources.flatMap((path) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? []);
  return [...new Set(names)];
}

function sourcesOf(chunk: string): string[] {
  const map = v.parse(v.union([SourceMap, MapInSections]), JSON.parse(readFileSync(`${chunk}.map`, "utf8")));
  return "sources" in map ? map.sources : map.sections.flatMap((section) => section.map.sources);
}

test("each package in the bundle has its name, version and licence in THIRD-PARTY-NOTICES and bundled.json", () => {
  const notices = readFileSync(new URL("THIRD-PARTY-NOTICES", dist()), "utf8");
  const packages = bundledPackages();
  const listed = v.parse(v.array(Package), JSON.parse(readFileSync(new URL("bundled.json", dist()), "utf8")));
  expect(listed).toHaveLength(packages.length);
  expect(packages).toEqual(expect.arrayContaining(["undici", "commander", "valibot", "better-sqlite3"]));
  for (const each of packages) {
    const directory = join(REPOSITORY, "node_modules", each);
    const { name, version, license } = v.parse(
      Package,
      JSON.parse(readFileSync(join(directory, "package.json"), "utf8")),
    );
    expect(notices).toContain(`\n${name} ${version} (${license})\n`);
    expect(listed).toContainEqual({ name, version, license });
    expect(notices).toContain(licenceIn(directory));
  }
});

/** The file's text; of a package that has none, the end of its README. */
function licenceIn(directory: string): string {
  const names = readdirSync(directory);
  const file = names.find((entry) => /^licen[cs]e/i.test(entry));
  if (file) return readFileSync(join(directory, file), "utf8").trim();
  const readme = names.find((entry) => /^readme/i.test(entry)) ?? "";
  const permission =
    readFileSync(join(directory, readme), "utf8")
      .split(/^(?=.*Copyright)/m)
      .at(-1) ?? "";
  expect(permission).toContain("Permission is hereby granted");
  return permission.trim();
}

test("npm's tarball has it", () => {
  dist();
  const told = execFileSync("npm", ["pack", "--dry-run", "--ignore-scripts", "--json"], {
    cwd: REPOSITORY,
    encoding: "utf8",
  });
  expect(told).toContain('"dist/THIRD-PARTY-NOTICES"');
});

test("a package without a licence's text does not get into a bundle", () => {
  const place = temporaryDirectory(TEMPORARY);
  for (const part of ["src", "bin", "build.js", "package.json", "package-lock.json"])
    cpSync(join(REPOSITORY, part), join(place, part), { recursive: true });
  mkdirSync(join(place, "node_modules"));
  const installed = join(REPOSITORY, "node_modules");
  for (const name of readdirSync(installed))
    if (name !== "smol-toml") symlinkSync(join(installed, name), join(place, "node_modules", name));
  cpSync(join(installed, "smol-toml"), join(place, "node_modules/smol-toml"), { recursive: true });
  rmSync(join(place, "node_modules/smol-toml/LICENSE"));
  const { status, stderr } = spawnSync(process.execPath, ["build.js"], { cwd: place, encoding: "utf8" });
  expect({ status, stderr }).toEqual({ status: 1, stderr: expect.stringContaining("smol-toml is bundled") });
});
