// Draws docs/demo.svg from a run of the demo: what it says, line after line. What differs between two runs is left out, so
// that the drawing is the same each time; its words are held against a run by a test.
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = new URL("../", import.meta.url);
const bin = fileURLToPath(new URL("bin/jc-integrations.js", root));
const said = execFileSync("sh", ["-c", `"${process.execPath}" "${bin}" demo 2>&1`], {
  encoding: "utf8",
  env: { PATH: process.env.PATH, HOME: "/nonexistent", COLUMNS: "80" },
});

/** Steps, and what they came to; which candidates are shown, and how fast it went, is another run's. */
const STAYS = /^\d {2}\S|^ {3}\S|^(scorecard|title|summary|result|fields) |^ {9}\S|^\s*$/;
const VARIES = /█|^ {3}events|events kept/;
const lines = said
  .split("\n")
  .filter((line) => STAYS.test(line) && !VARIES.test(line))
  .map((line) => line.replace(/127\.0\.0\.1:\d+/g, "127.0.0.1:8470").replace(/\s+$/, ""))
  .filter((line, index, all) => line !== "" || all[index - 1] !== "");
while (lines.at(-1) === "") lines.pop();

const [COLUMNS, LINE, TOP, SECONDS_A_LINE] = [80, 18, 44, 0.35];
const shown = ["$ jc-integrations demo", "", ...lines];
const escaped = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
const texts = shown.map((line, index) => {
  const colour = /^\d {2}|^\$/.test(line) ? "#ffffff" : line.includes("[Connected]") ? "#7ee787" : "#c9d1d9";
  const at = (index * SECONDS_A_LINE).toFixed(2);
  return `<text x="16" y="${TOP + index * LINE}" fill="${colour}" style="animation-delay:${at}s">${escaped(line)}</text>`;
});
const widest = Math.max(COLUMNS, ...shown.map((line) => line.length));
const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${widest * 8.5 + 32} ${TOP + shown.length * LINE + 16}" role="img">
<title>jc-integrations demo, from the connect to the result</title>
<style>text{font:14px ui-monospace,Menlo,Consolas,monospace;white-space:pre;opacity:0;animation:a .2s forwards}@keyframes a{to{opacity:1}}@media (prefers-reduced-motion:reduce){text{opacity:1;animation:none}}</style>
<rect width="100%" height="100%" rx="8" fill="#0d1117"/>
<circle cx="20" cy="18" r="5" fill="#ff5f56"/><circle cx="38" cy="18" r="5" fill="#ffbd2e"/><circle cx="56" cy="18" r="5" fill="#27c93f"/>
${texts.join("\n")}
</svg>
`;
writeFileSync(new URL("docs/demo.svg", root), svg);
