// The trees that are packed: the npm tarball's, and the Debian package's as it will lie below /.
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { copyStripped, NATIVE, npm } from "./parts.js";

/** Where the package has the program. */
const PROGRAM = "/usr/lib/jc-integrations";
const DOCUMENTS = "/usr/share/doc/jc-integrations";

/**
 * The code that V8 keeps of a build is never the same twice, and good for one Node at one place: the package keeps it where
 * it is installed, and who installs the tarball does without.
 */
const IS_OF_ONE_BUILD = /\/dist\/(.*\.code|built-from)$/;

export function packTarball({ work, out }) {
  const place = join(work, "tarball");
  const { files } = JSON.parse(readFileSync("package.json", "utf8"));
  for (const part of [...files, "package.json", "README.md", "LICENSE"])
    if (!part.startsWith("!")) copy(part, join(place, part));
  npm(["pack", "--silent", "--ignore-scripts", `--pack-destination=${out}`], { cwd: place });
}

/** Returns what it has laid below `root`, by its parts and places. */
export async function layOut({ root, parts: { node, natives, isForTrying = false } }) {
  const program = join(root, PROGRAM);
  for (const part of ["bin", "dist", "package.json"]) copy(part, join(program, part));
  for (const elsewhere of ["man", "completion"])
    rmSync(join(program, "dist", elsewhere), { recursive: true });
  copyStripped(node.program, join(program, "bin/node"));
  const packages = [...layNativeParts(program, natives), ...layPackages(program, "open")];
  for (const [path, text] of Object.entries(await serviceFiles())) write(join(root, path), text);
  write(join(root, "/usr/bin/jc-integrations"), LAUNCHER, 0o755);
  layDocuments(root);
  const { version } = JSON.parse(readFileSync("package.json", "utf8"));
  return { version, node, packages, program: PROGRAM, documents: DOCUMENTS, isForTrying };
}

const LAUNCHER = `#!/bin/sh
exec ${PROGRAM}/bin/node ${PROGRAM}/bin/jc-integrations.js "$@"
`;

/** Units and configuration as \`service install\` writes them. */
async function serviceFiles() {
  const { outputFiles } = await build({
    entryPoints: ["src/systemd/packaged.ts"],
    bundle: true,
    format: "esm",
    platform: "node",
    write: false,
  });
  const source = Buffer.from(outputFiles[0].contents).toString("base64");
  const { packagedFiles } = await import(`data:text/javascript;base64,${source}`);
  return packagedFiles(PROGRAM);
}

/** Of each what runs: its JavaScript, and the one file that was compiled. */
function layNativeParts(program, natives) {
  return Object.entries(NATIVE).map(([name, file]) => {
    const [from, to] = [join("node_modules", name), join(program, "node_modules", name)];
    for (const part of readdirSync(from).filter((entry) => /^(package\.json|lib)$/.test(entry)))
      copy(join(from, part), join(to, part));
    copyStripped(join(natives, name, "build/Release", file), join(to, "build/Release", file));
    return { directory: from, native: join(PROGRAM, "node_modules", name, "build/Release", file) };
  });
}

/** A package that brings files of its own, and all that it needs. */
function layPackages(program, name, seen = new Set()) {
  if (seen.has(name)) return [];
  seen.add(name);
  const directory = join("node_modules", name);
  const isNeeded = (path) => !/\.d\.[cm]?ts$|\/(readme\.md|cli\.js)$/i.test(path);
  cpSync(directory, join(program, directory), { recursive: true, filter: isNeeded });
  const { dependencies = {} } = JSON.parse(readFileSync(join(directory, "package.json"), "utf8"));
  return [
    { directory },
    ...Object.keys(dependencies).flatMap((needed) => layPackages(program, needed, seen)),
  ];
}

/** Where each shell looks for what completes a line. */
const COMPLETIONS = {
  bash: "/usr/share/bash-completion/completions/jc-integrations",
  zsh: "/usr/share/zsh/vendor-completions/_jc-integrations",
  fish: "/usr/share/fish/vendor_completions.d/jc-integrations.fish",
};

/** Those for people, and what `man` and the shells read. */
function layDocuments(root) {
  const to = join(root, DOCUMENTS);
  for (const name of readdirSync("docs").filter((entry) => entry.endsWith(".md")))
    copy(join("docs", name), join(to, name));
  write(join(to, "NEWS.gz"), compressed(readFileSync("CHANGELOG.md")));
  for (const page of readdirSync("dist/man/man1"))
    write(
      join(root, "/usr/share/man/man1", `${page}.gz`),
      compressed(readFileSync(join("dist/man/man1", page))),
    );
  for (const [shell, path] of Object.entries(COMPLETIONS))
    copy(join("dist/completion", shell), join(root, path));
}

export function compressed(content) {
  return gzipSync(content, { level: 9 });
}

export function write(path, content, mode = 0o644) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content, { mode });
}

function copy(from, to) {
  cpSync(from, to, { recursive: true, filter: (path) => !IS_OF_ONE_BUILD.test(`/${path}`) });
}
