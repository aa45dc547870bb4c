// Loads the program's chunks with the code that V8 kept of them when they were built: to compile them costs more than to
// run them. Node built otherwise than the one that kept it, or a damaged file, and they are read and compiled anew.
const { readFileSync, readdirSync, writeFileSync } = require("node:fs");
const { createRequire } = require("node:module");
const { Script } = require("node:vm");

const DIST = `${__dirname}/../dist/`;
/** A line of JSON, then each chunk's text and its code; and all of that once more, since V8 runs code unseen. */
const KEPT = `${DIST}kept-code`;
const requireOutside = createRequire(`${DIST}start.cjs`);
const loaded = new Map();
let kept = null;

/** A chunk's exports, by its file's name in dist/. */
function load(name) {
  const known = loaded.get(name);
  if (known) return known.module.exports;
  kept ??= readKept();
  // Text and code come from the same file: those of two releases would not go together.
  const { source, code } = kept.get(name) ?? { source: readChunk(name) };
  const script = new Script(source, { filename: DIST + name, cachedData: code });
  const module = { exports: {} };
  loaded.set(name, { source, script, module });
  const run = script.runInThisContext();
  run.call(module.exports, module.exports, requireFrom, module, DIST + name, DIST);
  return module.exports;
}

/** Reads every chunk that was not read yet: an upgrade in this place then takes nothing from under a process that stays. */
function readAll() {
  for (const name of readdirSync(DIST))
    if (name.endsWith(".cjs") && !kept.has(name)) kept.set(name, { source: readChunk(name) });
}

function requireFrom(id) {
  return id.startsWith("./") ? load(id.slice(2)) : requireOutside(id);
}

/** On the chunk's own first line, from which its source map counts. */
function readChunk(name) {
  return `(function(exports,require,module,__filename,__dirname){${readFileSync(DIST + name, "utf8")}\n})`;
}

function builtFor() {
  return [process.version, process.platform, process.arch].join(" ");
}

function readKept() {
  const chunks = new Map();
  try {
    const file = readFileSync(KEPT);
    const half = file.length / 2;
    const one = file.subarray(0, half);
    if (!one.equals(file.subarray(half))) return chunks;
    const begin = one.indexOf("\n") + 1;
    const { node, places } = JSON.parse(one.subarray(0, begin).toString());
    if (node !== builtFor()) return chunks;
    const parts = one.subarray(begin);
    for (const [name, from, middle, to] of places)
      chunks.set(name, { source: parts.toString("utf8", from, middle), code: parts.subarray(middle, to) });
  } catch {
    // It is there for speed alone.
  }
  return chunks;
}

/** Keeps the code of all that was loaded, as far as it ran. For the build. */
function keepCode() {
  const parts = [];
  const places = [];
  let size = 0;
  for (const [name, { source, script }] of loaded) {
    const [text, code] = [Buffer.from(source), script.createCachedData()];
    parts.push(text, code);
    places.push([name, size, size + text.length, size + text.length + code.length]);
    size += text.length + code.length;
  }
  const whole = [Buffer.from(`${JSON.stringify({ node: builtFor(), places })}\n`), ...parts];
  writeFileSync(KEPT, Buffer.concat([...whole, ...whole]));
}

module.exports = { load, readAll, keepCode };
