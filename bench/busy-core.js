// Keeps the last core of the machine busy until it is ended.
import { spawnSync } from "node:child_process";
import { cpus } from "node:os";

spawnSync("taskset", ["-cp", String(cpus().length - 1), String(process.pid)]);
console.log("busy");
const endsAt = Date.now() + 3_600_000;
while (Date.now() < endsAt);
