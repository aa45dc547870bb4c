// Loads the program's chunks with the code that V8 kept of them when they were built: to compile them costs more than to
// run them. Another V8 than the build's refuses that code and compiles them anew.
const { readFileSync, writeFileSync } = require("node:fs");
const { createRequire } = require("node:module");
const { Script } = require("node:vm");

const DIST = `${__dirname}/../dist/`;
/** All of it in one file, which is read at once: first its table of contents, a line of JSON. */
const KEPT = `${DIST}kept-code`;
const requireOutside = createRequire(`${DIST}start.cjs`);
const loaded = new Map();
let kept = null;

/** A chunk's exports, by its file's name in dist/. */
function load(name) {
  const known = loaded.get(name);
  if (known) return known.module.exports;
  kept ??= readKept();
  const filename = DIST + name;
  // On the chunk's own first line, from which its source map counts.
  const source = `(function(exports,require,module,__filename,__dirname){${readFileSync(filename, "utf8")}\n})`;
  const script = new Script(source, { filename, cachedData: kept.get(name) });
  const module = { exports: {} };
  loaded.set(name, { script, module });
  const run = script.runInThisContext();
  run.call(module.exports, module.exports, requireFrom, module, filename, DIST);
  return module.exports;
}

function requireFrom(id) {
  return id.startsWith("./") ? load(id.slice(2)) : requireOutside(id);
}

function readKept() {
  try {
    const file = readFileSync(KEPT);
    const begin = file.indexOf("\n") + 1;
    const places = JSON.parse(file.subarray(0, begin).toString());
    return new Map(places.map(([name, from, to]) => [name, file.subarray(begin + from, begin + to)]));
  } catch {
    // It is there for speed alone.
    return new Map();
  }
}

/** Keeps the code of all that was loaded, as far as it ran. For the build. */
function keepCode() {
  const codes = [];
  const places = [];
  let from = 0;
  for (const [name, { script }] of loaded) {
    const code = script.createCachedData();
    codes.push(code);
    places.push([name, from, from + code.length]);
    from += code.length;
  }
  writeFileSync(KEPT, Buffer.concat([Buffer.from(`${JSON.stringify(places)}\n`), ...codes]));
}

module.exports = { load, keepCode };
