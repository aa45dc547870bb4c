// What the package carries that no bundler makes: Node, and the native parts built for it.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, cpSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** Each with its one file that is needed at run time, below `build/Release`. */
export const NATIVE = { "better-sqlite3": "better_sqlite3.node", keytar: "keytar.node" };

const AS_BUILT_BY_NPM = "node_modules";

/** The Node that runs, and the parts that npm built for it. */
export function presentParts() {
  return {
    node: { program: process.execPath, version: process.versions.node, license: null },
    natives: AS_BUILT_BY_NPM,
    isForTrying: true,
  };
}

/**
 * The LTS of the day, as its npm package has it: program, headers and licence. `node.json` says which, and the hash of its
 * tarball; a newer one is a change there.
 */
export function fetchNode(work) {
  const pinned = JSON.parse(readFileSync("packaging/node.json", "utf8"));
  const name = `${pinned.package}@${pinned.version}`;
  const tarball = npm(["pack", "--silent", `--pack-destination=${work}`, name]).trim();
  const found = `sha512-${createHash("sha512")
    .update(readFileSync(join(work, tarball)))
    .digest("base64")}`;
  if (found !== pinned.integrity) throw new Error(`${name} is not what packaging/node.json says: ${found}`);
  const directory = join(work, "node");
  mkdirSync(directory);
  execFileSync("tar", ["-xzf", join(work, tarball), "-C", directory, "--strip-components=1"]);
  const program = join(directory, "bin/node");
  const lts = execFileSync(program, ["-p", "process.release.lts"], { encoding: "utf8" }).trim();
  if (lts === "undefined") throw new Error(`${name} is no LTS, by its own word`);
  return { program, version: pinned.version, license: join(directory, "LICENSE"), directory };
}

/** Compiled from the sources that npm installed here, with that Node's own headers. Where they then lie. */
export function buildNativeParts({ program, directory }, work) {
  const gyp = join(dirname(npmProgram()), "../node_modules/node-gyp/bin/node-gyp.js");
  const place = join(work, "native/node_modules");
  mkdirSync(place, { recursive: true });
  // keytar's headers.
  cpSync("node_modules/node-addon-api", join(place, "node-addon-api"), { recursive: true });
  for (const [name, file] of Object.entries(NATIVE)) {
    if (!existsSync(join("node_modules", name)))
      throw new Error(`${name} is not installed: npm ci, with Debian's libsecret-1-dev`);
    const own = join(place, name);
    cpSync(join("node_modules", name), own, {
      recursive: true,
      filter: (path) => !path.endsWith(`${name}/build`),
    });
    execFileSync(program, [gyp, "rebuild", "--release", `--nodedir=${directory}`], {
      cwd: own,
      env: {
        ...process.env,
        ...flags(work),
        PATH: `${dirname(program)}:${process.env.PATH}`,
        npm_config_nodedir: directory,
      },
      // Its warnings are their makers' affair; an error is shown with all of them.
      stdio: "pipe",
      maxBuffer: 64 * 1_024 * 1_024,
    });
    if (!existsSync(join(own, "build/Release", file))) throw new Error(`${name} has built no ${file}`);
  }
  return place;
}

/** As Debian builds its own; and no word of the directory in what is built. */
function flags(work) {
  const hardened = `-fstack-protector-strong -D_FORTIFY_SOURCE=2 -ffile-prefix-map=${work}=/build`;
  return { CFLAGS: hardened, CXXFLAGS: hardened, LDFLAGS: "-Wl,-z,relro -Wl,-z,now" };
}

/** Without what only a debugger reads. */
export function copyStripped(from, to) {
  mkdirSync(dirname(to), { recursive: true });
  copyFileSync(from, to);
  execFileSync("strip", ["--strip-unneeded", "--remove-section=.comment", "--remove-section=.note", to]);
}

export function npm(words, options = {}) {
  return execFileSync(process.execPath, [npmProgram(), ...words], { encoding: "utf8", ...options });
}

function npmProgram() {
  const path = process.env.npm_execpath;
  if (!path) throw new Error("npm says where it lies: run this as `npm run release`");
  return path;
}
