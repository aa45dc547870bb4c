// Bundles src/ into dist/: one entry for the program, one for the store's thread, one for the keychain's child process.
// Split, so that a command loads only what it uses; packages with files of their own stay outside.
import { build } from "esbuild";

await build({
  entryPoints: {
    start: "src/start.ts",
    "store-thread": "src/store/sqlite/thread.ts",
    "keychain-child": "src/vault/keychain-child.ts",
  },
  outdir: "dist",
  bundle: true,
  splitting: true,
  format: "esm",
  platform: "node",
  target: "node20",
  minifySyntax: true,
  minifyWhitespace: true,
  keepNames: true,
  sourcemap: true,
  external: ["better-sqlite3", "keytar", "open"],
  banner: {
    js: "import{createRequire as jcRequire}from'node:module';const require=jcRequire(import.meta.url);",
  },
});
