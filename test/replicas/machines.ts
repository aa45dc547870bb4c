/**
 * Machines as far as the network goes: each a network namespace of its own, with one cable to where the database is and one to
 * everything else. Both end here.
 */
import { execFileSync, spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { readlinkSync } from "node:fs";
import { describe, onTestFinished } from "vitest";
import { describeWithPostgres } from "../store/postgres-server.ts";
import { until } from "../world.ts";

export interface Machine {
  /** What a shell does before it becomes a program, which then runs there. */
  shell: string;
  toDatabase: Cable;
  toWorld: Cable;
}

export interface Cable {
  /** The address of its end here. */
  near: string;
  /** Of its end in the machine. */
  far: string;
  /** What is sent is lost from now on, either way; whoever is not at the end that goes down is told nothing of it. */
  cut(end?: "near" | "far"): void;
  mend(): void;
}

/** Why no machine can be made here; null where one can be, or where all parts must be tested. */
function missing(): string | null {
  if (process.env.JC_TEST_ALL_PARTS === "1") return null;
  try {
    execFileSync("unshare", ["--net", "ip", "link", "set", "lo", "up"], { stdio: "ignore" });
    return null;
  } catch {
    return "needs root, unshare(1) and ip(8), to make network namespaces";
  }
}

export function describeWithMachines(name: string, work: () => void): void {
  const reason = missing();
  if (reason === null) describeWithPostgres(name, work);
  else describe.skip(`${name} (${reason})`, work);
}

const ip = (...args: string[]) => execFileSync("ip", args, { stdio: "pipe" });

/** Of a range that belongs to no network (RFC 2544), four addresses. */
function subnet(): string {
  return `198.${randomInt(18, 20)}.${randomInt(0, 256)}.${4 * randomInt(0, 64)}`;
}

/** It is gone with the test. */
export async function machine(): Promise<Machine> {
  const keeper = spawn("unshare", ["--net", "sleep", "infinity"], { stdio: "ignore" });
  onTestFinished(() => void keeper.kill("SIGKILL"));
  const own = readlinkSync("/proc/self/ns/net");
  await until("the namespace is there", () => readlinkSync(`/proc/${keeper.pid}/ns/net`) !== own);
  const enter = ["nsenter", `--net=/proc/${keeper.pid}/ns/net`];
  const inside = (...args: string[]) =>
    execFileSync(enter[0] ?? "", [...enter.slice(1), "ip", ...args], { stdio: "pipe" });
  inside("link", "set", "lo", "up");
  const cable = (kind: string): Cable => {
    const [here, there] = [`jc${kind}${keeper.pid}`, `jc${kind}`];
    const first = subnet();
    const address = (n: number) => first.replace(/\d+$/, (last) => String(Number(last) + n));
    const [near, far] = [address(1), address(2)];
    ip("link", "add", here, "type", "veth", "peer", "name", there, "netns", String(keeper.pid));
    ip("address", "add", `${near}/30`, "dev", here);
    inside("address", "add", `${far}/30`, "dev", there);
    ip("link", "set", here, "up");
    inside("link", "set", there, "up");
    return {
      near,
      far,
      cut: (end = "near") =>
        void (end === "near" ? ip("link", "set", here, "down") : inside("link", "set", there, "down")),
      mend: () => {
        ip("link", "set", here, "up");
        inside("link", "set", there, "up");
      },
    };
  };
  return { shell: `exec ${enter.join(" ")} "$@"`, toDatabase: cable("d"), toWorld: cable("w") };
}
