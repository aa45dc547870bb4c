#!/usr/bin/env node
// Starts the program. `--version` is answered here, before anything is loaded.
import { readFileSync } from "node:fs";

if (process.argv.length === 3 && process.argv[2] === "--version") {
  const manifest = new URL("../package.json", import.meta.url);
  process.stdout.write(`${JSON.parse(readFileSync(manifest, "utf8")).version}\n`);
} else {
  const { start } = await import("../dist/start.js");
  await start();
}
