// Bundles src/ into dist/: the program in chunks, so that a command loads only what it uses, and a file each for the
// store's thread and the keychain's child process. Packages with files of their own stay outside.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { build, transform } from "esbuild";

/** better-sqlite3 looks for its binary in a dozen places; npm builds or unpacks it in this one. */
const sqliteBinary = {
  name: "sqlite-binary",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^bindings$/ }, ({ path }) => ({ path, namespace: "sqlite-binary" }));
    onLoad({ filter: /^/, namespace: "sqlite-binary" }, () => ({
      contents: 'module.exports = (file) => require("better-sqlite3/build/Release/" + file);',
    }));
  },
};

/** The part of undici that calls: its index loads its fetch, WebSockets, mocks and caches too, and with them Node's own copy of it. */
const callingUndici = {
  name: "calling-undici",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^undici$/ }, () => ({ path: "undici", namespace: "calling-undici" }));
    onLoad({ filter: /^/, namespace: "calling-undici" }, () => ({
      contents: `
        import Dispatcher from "undici/lib/dispatcher/dispatcher.js";
        import calls from "undici/lib/api/index.js";
        Object.assign(Dispatcher.prototype, calls);
        export { default as Agent } from "undici/lib/dispatcher/agent.js";
        export { default as Pool } from "undici/lib/dispatcher/pool.js";
        export { default as ProxyAgent } from "undici/lib/dispatcher/proxy-agent.js";
        export { default as buildConnector } from "undici/lib/core/connect.js";`,
      resolveDir: ".",
    }));
  },
};

/** The same for the same sources, on every machine. */
function digestOfSources() {
  const sources = readdirSync("src", { recursive: true }).filter((path) => path.endsWith(".ts"));
  const files = [
    ...sources.map((path) => join("src", path)),
    "build.js",
    "package.json",
    "package-lock.json",
  ];
  const digest = createHash("sha256");
  for (const file of files.toSorted()) digest.update(`${file}\0`).update(readFileSync(file)).update("\0");
  return digest.digest("hex").slice(0, 12);
}

const { version } = JSON.parse(readFileSync("package.json", "utf8"));
const BUILD = digestOfSources();

const OPTIONS = {
  outdir: "dist",
  bundle: true,
  format: "esm",
  platform: "node",
  target: "node20",
  minifySyntax: true,
  minifyWhitespace: true,
  external: ["keytar", "open"],
  metafile: true,
  define: { JC_BUILD: JSON.stringify(BUILD) },
  plugins: [sqliteBinary, callingUndici],
};

const AS_COMMONJS = {
  format: "cjs",
  platform: "node",
  target: "node20",
  supported: { "dynamic-import": false },
  define: { "import.meta.url": "moduleUrl" },
  minifySyntax: true,
  minifyWhitespace: true,
};
const MODULE_URL = 'const moduleUrl=require("node:url").pathToFileURL(__filename).href;';

/**
 * Node starts CommonJS several milliseconds sooner than modules, but esbuild splits only modules: so they are
 * split first, and each chunk is turned afterwards.
 */
async function buildProgram() {
  const { outputFiles, metafile } = await build({
    ...OPTIONS,
    entryPoints: { start: "src/start.ts" },
    splitting: true,
    outExtension: { ".js": ".cjs" },
    sourcemap: "inline",
    write: false,
  });
  mkdirSync("dist", { recursive: true });
  for (const { path, text } of outputFiles) {
    const name = basename(path);
    const { code, map } = await transform(text, {
      ...AS_COMMONJS,
      banner: text.includes("import.meta.url") ? MODULE_URL : "",
      sourcemap: "external",
      sourcefile: name,
    });
    writeChunk(name, code, map);
  }
  return { metafile, chunks: new Map(outputFiles.map(({ path, text }) => [basename(path), text])) };
}

function writeChunk(name, code, map) {
  // bin/load.js loads these when a name of theirs is asked for; who copies all names at once would get none.
  const [whole] = /__toESM\(require\("node:(?:child_process|crypto|timers\/promises)"\)/.exec(code) ?? [];
  if (whole) throw new Error(`${name} takes a module as a whole that loads by its names: ${whole}`);
  writeFileSync(join("dist", name), `${asciiOf(code)}//# sourceMappingURL=${name}.map\n`);
  writeFileSync(join("dist", `${name}.map`), map);
}

/** Where the packages lie whose code is in our chunks. */
function bundledDirectories(metafiles) {
  const inputs = metafiles.flatMap(({ outputs }) => Object.values(outputs).map((output) => output.inputs));
  const paths = inputs.flatMap((each) => Object.keys(each).filter((path) => each[path].bytesInOutput > 0));
  const directories = paths.flatMap((path) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path) ?? []);
  return [...new Set(directories)].toSorted();
}

/** Others' licences have to lie beside their code; and who makes a release lists what is in it. */
function writeNotices(directories) {
  const notices = directories.map(noticeOf);
  const opening = "The program in this directory contains the code of these packages.\n";
  writeFileSync("dist/THIRD-PARTY-NOTICES", [opening, ...notices].join(`\n${"-".repeat(80)}\n\n`));
  const bundled = directories.map((directory) => {
    const { name, version, license } = JSON.parse(readFileSync(join(directory, "package.json"), "utf8"));
    return { name, version, license };
  });
  writeFileSync("dist/bundled.json", `${JSON.stringify(bundled, null, 2)}\n`);
}

function noticeOf(directory) {
  const { name, version, license } = JSON.parse(readFileSync(join(directory, "package.json"), "utf8"));
  const files = readdirSync(directory).filter((file) => /^(licen[cs]e|copying|notice)/i.test(file));
  const texts = files.toSorted().map((file) => readFileSync(join(directory, file), "utf8").trim());
  if (texts.length === 0) texts.push(...licenceInReadme(directory));
  if (typeof license !== "string" || texts.length === 0)
    throw new Error(`${directory} is bundled, but has no licence that could go with it`);
  return `${name} ${version} (${license})\n\n${texts.join("\n\n")}\n`;
}

/** Its last part, in whole: some have theirs nowhere else. */
function licenceInReadme(directory) {
  const file = readdirSync(directory).find((name) => /^readme\.md$/i.test(name));
  const text = file ? readFileSync(join(directory, file), "utf8") : "";
  const [, licence] = /^#+ *licen[cs]e *$(.*)/ims.exec(text) ?? [];
  return licence?.includes("Copyright") ? [licence.trim()] : [];
}

const START =
  'const loader = require("./bin/load.js"); const running = loader.load("start.cjs").start(loader)';

/** What needs no program to answer it, in the program's own words. */
function writeAnswers() {
  writeFileSync("dist/build.json", JSON.stringify({ version, build: BUILD }));
  const answerTo = (word) =>
    execFileSync(process.execPath, ["-e", START, "jc-integrations", word], { encoding: "utf8" });
  const answers = Object.fromEntries(
    ["--version", "-V", "--help", "-h", "help"].map((word) => [word, answerTo(word)]),
  );
  writeFileSync("dist/answers.json", JSON.stringify(answers));
}

/** What a package of the program brings besides: man pages, and what shells load. */
function writeCompanions() {
  const run = (...words) =>
    execFileSync(process.execPath, ["-e", START, "jc-integrations", ...words], { encoding: "utf8" });
  run("help", "--man-pages", "dist/man/man1");
  mkdirSync("dist/completion");
  for (const shell of ["bash", "zsh", "fish"])
    writeFileSync(join("dist/completion", shell), run("completion", shell));
}

/** Runs commands of the built program one after the other in an empty place, then `after` in each. What the last one printed. */
function runBuilt(commands, after) {
  const empty = mkdtempSync(join(tmpdir(), "jc-build-"));
  const env = { PATH: process.env.PATH, JC_STATE_DIR: empty, XDG_CONFIG_HOME: empty };
  try {
    const outputs = commands.map((words) =>
      execFileSync(process.execPath, ["-e", `${START}.then(() => ${after})`, "jc-integrations", ...words], {
        env,
        encoding: "utf8",
        stdio: ["ignore", "pipe", "ignore"],
      }),
    );
    return outputs.at(-1);
  } finally {
    rmSync(empty, { recursive: true });
  }
}

/** The first one creates the store that the second one reads. */
const WITH_A_LOG = [["run", "retry"], ["status"]];

/** What `status` loads, which is looked at most often, lies in three files: each file costs more to load than its length. */
async function mergeChunks({ chunks, metafile }) {
  const loadedBy = (commands) => {
    const output = runBuilt(commands, 'console.log("\\n" + JSON.stringify(loader.loaded()))');
    return JSON.parse(output.trimEnd().split("\n").at(-1));
  };
  const always = loadedBy([["status"]]);
  const withLog = loadedBy(WITH_A_LOG).filter((name) => !always.includes(name));
  const withVault = withImports(chunks, chunkOf(metafile, "src/vault/open.ts")).filter(
    (name) => ![...always, ...withLog].includes(name),
  );
  const files = { "status.cjs": always, "status-of-log.cjs": withLog, "status-of-vault.cjs": withVault };
  for (const [file, names] of Object.entries(files)) await merge(chunks, names, file);
  const places = Object.entries(files).flatMap(([file, names]) => names.map((name) => [name, file]));
  writeFileSync("dist/merged.json", JSON.stringify(Object.fromEntries(places)));
}

/** The chunk that is loaded for a source by its name. */
function chunkOf({ outputs }, source) {
  const [path] = Object.entries(outputs).find(([, { entryPoint }]) => entryPoint === source);
  return basename(path).replace(/\.js$/, ".cjs");
}

/** A chunk and all that it loads at once. */
function withImports(chunks, first) {
  const found = [first];
  for (const name of found)
    for (const [, imported] of chunks.get(name).matchAll(/\bfrom"\.\/([^"]+)"/g))
      if (!found.includes(imported)) found.push(imported);
  return found;
}

/**
 * One scope of them all. What others ask of a chunk is put together when they first ask: `status` alone asks for few of
 * the hundreds of names that commands share.
 */
async function merge(chunks, names, file) {
  const asked = [...askedOf(chunks, names)].map(([name, of], at) => {
    const got = [...of].map((each) => `${each}:_${at}.${each}`);
    return { load: `import * as _${at} from "./${name}";`, get: `"${name}":()=>({${got.join()}})` };
  });
  const { outputFiles } = await build({
    ...AS_COMMONJS,
    bundle: true,
    stdin: {
      contents: [
        ...names.map((name) => `import "./${name}";`),
        ...asked.map(({ load }) => load),
        `export const chunks={${asked.map(({ get }) => get).join()}};`,
      ].join("\n"),
    },
    plugins: [chunksOf(chunks, names)],
    banner: { js: MODULE_URL },
    sourcemap: "external",
    outfile: file,
    write: false,
  });
  for (const name of names) for (const end of ["", ".map"]) rmSync(join("dist", name + end));
  const [map, code] = outputFiles.toSorted((a, b) => b.path.length - a.path.length);
  writeChunk(file, code.text, map.text);
}

/** What is asked for of each chunk by chunks in other files, or by whoever loads it later, which is all that it exports. */
function askedOf(chunks, names) {
  const asked = new Map();
  const ask = (name, what) => {
    if (names.includes(name)) asked.set(name, new Set([...(asked.get(name) ?? []), ...what]));
  };
  const askWhole = (name) => ask(name, namesIn(/\bexport\{([^}]*)\}/.exec(chunks.get(name))[1], -1));
  if (names.includes("start.cjs")) askWhole("start.cjs");
  for (const [importer, text] of chunks) {
    for (const [, name] of text.matchAll(/\bimport\("\.\/([^"]+)"\)/g)) if (chunks.has(name)) askWhole(name);
    if (names.includes(importer)) continue;
    for (const [, name] of text.matchAll(/\bimport"\.\/([^"]+)"/g)) ask(name, []);
    for (const [, list, name] of text.matchAll(/\bimport\{([^}]*)\}from"\.\/([^"]+)"/g))
      ask(name, namesIn(list, 0));
  }
  return asked;
}

/** Of `a as b,c`: the first names, or the last. */
function namesIn(list, which) {
  return list.split(",").map((each) => each.trim().split(" as ").at(which));
}

/** What is loaded later stays outside, and so does all that is in another file. */
function chunksOf(chunks, names) {
  return {
    name: "chunks",
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^/ }, ({ path, kind }) => {
        const isOurs = names.includes(basename(path)) && kind === "import-statement";
        return isOurs ? { path: basename(path), namespace: "chunks" } : { path, external: true };
      });
      onLoad({ filter: /^/, namespace: "chunks" }, ({ path }) => ({ contents: chunks.get(path) }));
    },
  };
}

/** esbuild escapes all but what stands in a regular expression, and one such letter doubles the whole text in memory. */
function asciiOf(text) {
  return text.replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

rmSync("dist", { recursive: true, force: true });
const program = await buildProgram();
writeAnswers();
writeCompanions();
await mergeChunks(program);
execFileSync(process.execPath, ["bin/keep-code.js"]);
const { metafile: ofThreads } = await build({
  ...OPTIONS,
  entryPoints: {
    "store-thread": "src/store/sqlite/thread.ts",
    "backup-thread": "src/store/sqlite/backup-thread.ts",
    "keychain-child": "src/vault/keychain/keychain-child.ts",
  },
  sourcemap: true,
  banner: {
    js: "import{createRequire as jcRequire}from'node:module';const require=jcRequire(import.meta.url);",
  },
});
writeNotices(bundledDirectories([program.metafile, ofThreads]));
