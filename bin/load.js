// Loads the program's chunks with the code that V8 kept of them when they were built: to compile them costs more than to
// run them. Node built otherwise than the one that kept it, a chunk that is not the one it was kept of, or a damaged file,
// and they are compiled anew. What runs is always the text that lies in dist/, for everybody to read.
const { readFileSync, readdirSync, writeFileSync } = require("node:fs");
const { createRequire } = require("node:module");
const { Script } = require("node:vm");

const DIST = `${__dirname}/../dist/`;
/** Chunks that are loaded together lie in one file, which gives out theirs by their names; this says in which. */
const MERGED = `${DIST}merged.json`;
/** Beside a file: a line of JSON, the text that was compiled, and its code twice, since V8 runs code unseen. */
const KEPT = ".code";
/** Modules of Node that take milliseconds to load, and that many a command names and few use. */
const LOADED_WHEN_USED = new Set(["node:child_process", "node:crypto", "node:timers/promises"]);
const requireOutside = createRequire(`${DIST}start.cjs`);
const modules = new Map();
const parts = new Map();
const compiled = new Map();
const texts = new Map();
let merged = null;

/** A chunk's exports, by its name. */
function load(name) {
  merged ??= readMerged();
  const file = merged[name];
  if (file === undefined) return run(name);
  const known = parts.get(name);
  if (known) return known;
  const part = run(file).chunks[name]();
  parts.set(name, part);
  return part;
}

function run(file) {
  const known = modules.get(file);
  if (known) return known.exports;
  const module = { exports: {} };
  modules.set(file, module);
  compile(file).call(module.exports, module.exports, requireFrom, module, DIST + file, DIST);
  return module.exports;
}

function compile(file) {
  const text = texts.get(file) ?? readFileSync(DIST + file);
  const script = new Script(wrapped(text), { filename: DIST + file, cachedData: keptCodeOf(file, text) });
  compiled.set(file, { text, script });
  return script.runInThisContext();
}

/** Reads every chunk that was not read yet: an upgrade in this place then takes nothing from under a process that stays. */
function readAll() {
  for (const name of readdirSync(DIST)) if (name.endsWith(".cjs")) texts.set(name, readFileSync(DIST + name));
}

function requireFrom(id) {
  if (LOADED_WHEN_USED.has(id)) return whenUsed(id);
  return id.startsWith("./") ? load(id.slice(2)) : requireOutside(id);
}

/** Of no names until one is asked for: who copies all of its names at once (`import *`) gets none. */
function whenUsed(id) {
  const used = Object.create(
    new Proxy({}, { get: (_, name) => (used[name] = process.getBuiltinModule(id)[name]) }),
  );
  return used;
}

/** On the file's own first line, from which its source map counts; the build leaves nothing but ASCII in it. */
function wrapped(text) {
  return `(function(exports,require,module,__filename,__dirname){${text.latin1Slice()}\n})`;
}

function readMerged() {
  try {
    return JSON.parse(readFileSync(MERGED, "utf8"));
  } catch {
    // While it is built each chunk is a file.
    return {};
  }
}

function builtFor() {
  return [process.version, process.platform, process.arch].join(" ");
}

/** V8 itself compares no more than the text's length. Undefined where none was kept of that very text by this very Node. */
function keptCodeOf(name, text) {
  try {
    const file = readFileSync(DIST + name + KEPT);
    const from = file.indexOf("\n") + 1;
    const { node, length } = JSON.parse(file.latin1Slice(0, from));
    const [middle, half] = [from + text.length, from + text.length + length];
    const code = file.subarray(middle, half);
    const isSound =
      node === builtFor() && text.equals(file.subarray(from, middle)) && code.equals(file.subarray(half));
    return isSound ? code : undefined;
  } catch {
    // It is there for speed alone.
    return undefined;
  }
}

/** For the build: which chunks were loaded so far, in their order. */
function loaded() {
  return [...modules.keys()];
}

/** Keeps the code of these files, as far as it ran. For the build. */
function keepCode(names) {
  for (const name of names) {
    const { text, script } = compiled.get(name);
    const code = script.createCachedData();
    const head = Buffer.from(`${JSON.stringify({ node: builtFor(), length: code.length })}\n`);
    writeFileSync(DIST + name + KEPT, Buffer.concat([head, text, code, code]));
  }
}

module.exports = { load, readAll, loaded, keepCode };
