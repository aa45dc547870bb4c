// Loads the program's chunks with the code that V8 kept of them when they were built: to compile them costs more than to
// run them. Node built otherwise than the one that kept it, a chunk that is not the one it was kept of, or a damaged file,
// and they are compiled anew. What runs is always the text that lies in dist/, for everybody to read.
const { readFileSync, readdirSync, writeFileSync } = require("node:fs");
const { createRequire } = require("node:module");
const { Script } = require("node:vm");

const DIST = `${__dirname}/../dist/`;
/** A line of JSON with each chunk's places, their texts and code; and all of that once more, since V8 runs code unseen. */
const KEPT = `${DIST}kept-code`;
const requireOutside = createRequire(`${DIST}start.cjs`);
const loaded = new Map();
const texts = new Map();
let kept = null;

/** A chunk's exports, by its file's name in dist/. */
function load(name) {
  const known = loaded.get(name);
  if (known) return known.module.exports;
  kept ??= readKept();
  const text = texts.get(name) ?? readFileSync(DIST + name);
  const cachedData = keptCodeOf(name, text);
  const script = new Script(wrapped(text), { filename: DIST + name, cachedData });
  const module = { exports: {} };
  loaded.set(name, { text, script, module });
  const run = script.runInThisContext();
  run.call(module.exports, module.exports, requireFrom, module, DIST + name, DIST);
  return module.exports;
}

/** Reads every chunk that was not read yet: an upgrade in this place then takes nothing from under a process that stays. */
function readAll() {
  for (const name of readdirSync(DIST)) if (name.endsWith(".cjs")) texts.set(name, readFileSync(DIST + name));
}

function requireFrom(id) {
  return id.startsWith("./") ? load(id.slice(2)) : requireOutside(id);
}

/** On the chunk's own first line, from which its source map counts. */
function wrapped(text) {
  return `(function(exports,require,module,__filename,__dirname){${text.toString("utf8")}\n})`;
}

/** V8 itself compares no more than the text's length. */
function keptCodeOf(name, text) {
  const found = kept.get(name);
  return found?.text.equals(text) ? found.code : undefined;
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
      chunks.set(name, { text: parts.subarray(from, middle), code: parts.subarray(middle, to) });
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
  for (const [name, { text, script }] of loaded) {
    const code = script.createCachedData();
    parts.push(text, code);
    places.push([name, size, size + text.length, size + text.length + code.length]);
    size += text.length + code.length;
  }
  const whole = [Buffer.from(`${JSON.stringify({ node: builtFor(), places })}\n`), ...parts];
  writeFileSync(KEPT, Buffer.concat([...whole, ...whole]));
}

module.exports = { load, readAll, keepCode };
