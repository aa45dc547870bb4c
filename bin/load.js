// Loads the program's chunks with the code that V8 kept of them when they were built: to compile them costs more than to
// run them. Another V8 than the build's refuses that code and compiles them anew.
const { readFileSync, writeFileSync } = require("node:fs");
const { createRequire } = require("node:module");
const { join } = require("node:path");
const { Script } = require("node:vm");

const DIST = join(__dirname, "..", "dist");
const requireOutside = createRequire(join(DIST, "start.cjs"));
const loaded = new Map();

/** A chunk's exports, by its file's name in dist/. */
function load(name) {
  const known = loaded.get(name);
  if (known) return known.module.exports;
  const filename = join(DIST, name);
  // Nothing before the chunk's own first line: its source map counts from there.
  const source = `(function(exports,require,module,__filename,__dirname){${readFileSync(filename, "utf8")}\n})`;
  const script = new Script(source, { filename, cachedData: keptCode(filename) });
  const module = { exports: {} };
  loaded.set(name, { filename, script, module });
  const run = script.runInThisContext();
  run.call(module.exports, module.exports, requireFrom, module, filename, DIST);
  return module.exports;
}

function requireFrom(id) {
  return id.startsWith("./") ? load(id.slice(2)) : requireOutside(id);
}

function keptCode(filename) {
  try {
    return readFileSync(`${filename}.code`);
  } catch {
    return undefined;
  }
}

/** Keeps the code of all that was loaded, with what ran of it. For the build. */
function keepCode() {
  for (const { filename, script } of loaded.values())
    writeFileSync(`${filename}.code`, script.createCachedData());
}

module.exports = { load, keepCode };
