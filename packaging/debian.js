// A Debian package of a tree: control files, maintainer scripts, dates and modes.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, lstatSync, lutimesSync, readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { compressed, write } from "./tree.js";

const MAINTAINER = "JobCannon <postmaster@jobcannon.io>";
const SCRIPTS = ["postinst", "prerm", "postrm"];

/** Returns the package's file. */
export function makeDebian({ root, work, out, laid, sbom, date, compression }) {
  const version = laid.version.replaceAll("-", "~");
  const documents = join(root, laid.documents);
  write(join(documents, "sbom.cdx.json"), sbom);
  write(join(documents, "copyright"), copyright(laid));
  write(join(documents, "changelog.gz"), compressed(changelog(version, date)));
  write(
    join(root, "usr/share/lintian/overrides/jc-integrations"),
    readFileSync("packaging/debian/lintian-overrides"),
  );
  const files = filesBelow(root);
  const control = join(root, "DEBIAN");
  write(join(control, "control"), controlOf(version, { root, work, laid, files }));
  write(join(control, "conffiles"), "/etc/jc-integrations/config.toml\n");
  write(join(control, "md5sums"), files.map((file) => `${md5(file)}  ${relative(root, file)}\n`).join(""));
  for (const script of SCRIPTS)
    write(join(control, script), readFileSync(`packaging/debian/${script}`), 0o755);
  settle(root, date, laid);
  const file = join(out, `jc-integrations_${version}_amd64.deb`);
  execFileSync("dpkg-deb", ["--root-owner-group", `-Z${compression}`, "--build", root, file], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  return file;
}

function controlOf(version, { root, work, laid, files }) {
  const { depends, suggests } = laid.isForTrying
    ? { depends: "libc6", suggests: "libsecret-1-0" }
    : librariesOf({ root, work, laid });
  const size = files.reduce((sum, file) => sum + Math.ceil(lstatSync(file).size / 1_024), 0);
  return `Package: jc-integrations
Version: ${version}
Architecture: amd64
Maintainer: ${MAINTAINER}
Installed-Size: ${size}
Depends: ${depends}, passwd
Recommends: systemd
Suggests: ${suggests}
Section: net
Priority: optional
Homepage: https://jobcannon.io
Description: carries JobCannon's assessment results into HubSpot and SmartRecruiters
 A service that receives JobCannon's webhooks, keeps each on disk before it is
 acknowledged, and delivers every result or shows it as waiting; and the command
 with which its operators connect accounts, watch, repair and replay.
 .
 The package brings a Node.js of its own. Its service is not started before you
 enable it: see /usr/share/doc/jc-integrations/operations.md.
`;
}

/**
 * What its programs need of a Debian, that any has. The keychain's library is for desktops, and only suggested: what is
 * recommended apt would fetch, and there may be no network.
 */
function librariesOf({ root, work, laid }) {
  const [sqlite, keytar] = laid.packages.flatMap(({ native }) => (native ? [join(root, native)] : []));
  write(
    join(work, "shlibs/debian/control"),
    "Source: jc-integrations\n\nPackage: jc-integrations\nArchitecture: any\n",
  );
  const node = join(root, laid.program, "bin/node");
  const told = execFileSync(
    "dpkg-shlibdeps",
    ["-O", "--warnings=0", `-e${node}`, `-e${sqlite}`, "-dSuggests", `-e${keytar}`],
    { cwd: join(work, "shlibs"), encoding: "utf8", stdio: "pipe" },
  );
  const [, depends] = /^shlibs:Depends=(.*)$/m.exec(told);
  const [, suggests] = /^shlibs:Suggests=(.*)$/m.exec(told);
  return { depends, suggests };
}

function changelog(version, date) {
  const day = date.toUTCString().replace(/GMT$/, "+0000");
  return `jc-integrations (${version}) stable; urgency=medium

  * Version ${version}: what changed for operators stands in NEWS.gz.

 -- ${MAINTAINER}  ${day}
`;
}

/** Debian's own form, with every licence as its owner words it. */
function copyright({ node, packages }) {
  const notices = readFileSync("dist/THIRD-PARTY-NOTICES", "utf8");
  const beside = packages.map(({ directory }) => {
    const file = readdirSync(directory).find((entry) => /^licen[cs]e/i.test(entry));
    return `${directory}\n\n${readFileSync(join(directory, file), "utf8")}`;
  });
  const stanzas = [
    ["*", "2026 JobCannon", "Expat", readFileSync("LICENSE", "utf8")],
    ["usr/lib/jc-integrations/dist/*", "their authors, as named below", "bundled", notices],
    ["usr/lib/jc-integrations/node_modules/*", "their authors, as named below", "beside", beside.join("\n")],
    ...(node.license === null
      ? []
      : [
          [
            "usr/lib/jc-integrations/bin/node",
            "Node.js contributors, and others as named below",
            "Node.js",
            readFileSync(node.license, "utf8"),
          ],
        ]),
  ];
  const format = "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n";
  const texts = stanzas.map(
    ([paths, owner, name, text]) =>
      `Files: ${paths}\nCopyright: ${owner}\nLicense: ${name}\n${continued(text)}\n`,
  );
  return [format, ...texts].join("\n");
}

function continued(text) {
  return text
    .trim()
    .split("\n")
    .map((line) => ` ${line.trim() === "" ? "." : line.trimEnd()}`)
    .join("\n");
}

/** In one order for all. */
function filesBelow(root) {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .toSorted();
}

/** Whoever built it and when, each file has one date, and a mode by what it is. */
function settle(root, date, { program }) {
  const programs = ["bin/node", "node_modules/open/xdg-open"].map((path) => join(root, program, path));
  const isProgram = new Set([join(root, "usr/bin/jc-integrations"), ...programs]);
  const isScript = (path) => SCRIPTS.some((name) => path === join(root, "DEBIAN", name));
  const entries = readdirSync(root, { recursive: true, encoding: "utf8" }).map((path) => join(root, path));
  for (const path of [...entries.toSorted().toReversed(), root]) {
    const isDirectory = lstatSync(path).isDirectory();
    chmodSync(path, isDirectory || isProgram.has(path) || isScript(path) ? 0o755 : 0o644);
    lutimesSync(path, date, date);
  }
}

function md5(file) {
  return createHash("md5").update(readFileSync(file)).digest("hex");
}
