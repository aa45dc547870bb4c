// Bundles src/ into dist/: the program in chunks, so that a command loads only what it uses, and a file each for the
// store's thread and the keychain's child process. Packages with files of their own stay outside.
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
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

const OPTIONS = {
  outdir: "dist",
  bundle: true,
  format: "esm",
  platform: "node",
  target: "node20",
  minifySyntax: true,
  minifyWhitespace: true,
  external: ["keytar", "open"],
  plugins: [sqliteBinary],
};

/**
 * Node starts CommonJS several milliseconds sooner than modules, but esbuild splits only modules: so they are
 * split first, and each chunk is turned afterwards.
 */
async function buildProgram() {
  const { outputFiles } = await build({
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
      format: "cjs",
      platform: "node",
      target: "node20",
      supported: { "dynamic-import": false },
      define: { "import.meta.url": "moduleUrl" },
      banner: text.includes("import.meta.url")
        ? 'const moduleUrl=require("node:url").pathToFileURL(__filename).href;'
        : "",
      minifySyntax: true,
      minifyWhitespace: true,
      sourcemap: "external",
      sourcefile: name,
    });
    writeFileSync(join("dist", name), `${code}//# sourceMappingURL=${name}.map\n`);
    writeFileSync(join("dist", `${name}.map`), map);
  }
}

/** What needs no program to answer it, in the program's own words. */
function writeAnswers() {
  const start = 'require("./dist/start.cjs").start()';
  const answerTo = (word) =>
    execFileSync(process.execPath, ["-e", start, "jc-integrations", word], { encoding: "utf8" });
  const answers = Object.fromEntries(["--version", "--help", "-h"].map((word) => [word, answerTo(word)]));
  writeFileSync("dist/answers.json", JSON.stringify(answers));
}

await buildProgram();
writeAnswers();
await build({
  ...OPTIONS,
  entryPoints: {
    "store-thread": "src/store/sqlite/thread.ts",
    "keychain-child": "src/vault/keychain-child.ts",
  },
  sourcemap: true,
  banner: {
    js: "import{createRequire as jcRequire}from'node:module';const require=jcRequire(import.meta.url);",
  },
});
