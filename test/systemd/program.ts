/** The built program on a machine of its own, and what its operator types there. For tests inside the box. */
import { execFileSync, spawn } from "node:child_process";
import { chmodSync, cpSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import Database from "better-sqlite3";
import * as v from "valibot";
import { expect } from "vitest";
import type { Emulator } from "../../src/emulator/emulator.ts";
import { type Answer, createRunner } from "../../src/systemd/runner.ts";
import { ask } from "../daemon/serving.ts";
import { emulated } from "../emulated.ts";
import { follow } from "../oauth/browser.ts";
import { invite, sign, until } from "../world.ts";
import { REPOSITORY } from "./box.ts";

export const PROGRAM = "/opt/jc-integrations";
export const EXEC = `'${process.execPath}' '${scriptIn(PROGRAM)}' service exec --`;
export const UNIT_FILE = "/etc/systemd/system/jc-integrations.service";
export const CONFIG = "/etc/jc-integrations/config.toml";
export const { run } = createRunner(process.env);

/** The built program as npm would install it; its packages are those of this checkout. */
export function installProgram(directory: string) {
  mkdirSync(join(directory, "node_modules"), { recursive: true });
  for (const part of ["bin", "dist", "package.json"])
    cpSync(join(REPOSITORY, part), join(directory, part), { recursive: true });
  execFileSync("mount", ["--bind", join(REPOSITORY, "node_modules"), join(directory, "node_modules")]);
  execFileSync("chmod", ["--recursive", "a+rX", join(directory, "bin"), join(directory, "dist")]);
  chmodSync("/root", 0o700);
}

export function scriptIn(directory: string): string {
  return join(directory, "bin/jc-integrations.js");
}

export function cli(directory: string, ...words: string[]): Promise<Answer> {
  return run(process.execPath, [scriptIn(directory), ...words]);
}

export async function json(...words: string[]): Promise<Record<string, unknown>> {
  const asked = words.includes("--") ? words : [...words, "--json"];
  const { out } = await ok(cli(PROGRAM, ...asked));
  return v.parse(v.record(v.string(), v.unknown()), JSON.parse(out));
}

export async function ok(running: Promise<Answer>): Promise<Answer> {
  const ended = await running;
  expect(ended, ended.err).toMatchObject({ code: 0 });
  return ended;
}

/** As root types it. */
export function type(line: string): Promise<Answer> {
  return run("bash", ["-c", line]);
}

/** The lines of a section of docs/operations.md, as root types them there. */
export async function typeDocumented(section: string): Promise<string> {
  const page = readFileSync(join(REPOSITORY, "docs/operations.md"), "utf8");
  const own = page.split(/^## /m).find((text) => text.startsWith(`${section}\n`)) ?? "";
  const lines = [...own.matchAll(/```bash\n(.*?)```/gs)].map(([, block = ""]) => block);
  expect(lines, section).not.toEqual([]);
  typed.add(section);
  const shell = `sudo() { "$@"; }; jc-integrations() { '${process.execPath}' '${scriptIn(PROGRAM)}' "$@"; }`;
  return (await ok(type(`set -e; ${shell}; ${lines.join("\n")}`))).out;
}

const typed = new Set<string>();

/** The sections that nothing was typed of. */
export function untypedSections(): string[] {
  const page = readFileSync(join(REPOSITORY, "docs/operations.md"), "utf8");
  const sections = page.split(/^## /m).filter((text) => text.includes("```bash\n"));
  return sections.map((text) => text.slice(0, text.indexOf("\n"))).filter((section) => !typed.has(section));
}

export async function setSecret(name: string, value: string, exec = EXEC): Promise<void> {
  await ok(type(`printf %s '${value}' | ${exec} secrets set ${name}`));
}

/** The operator's browser is on another machine; here it can reach the one that listens. */
export async function connectHubspot(exec = EXEC): Promise<void> {
  const child = spawn("bash", ["-c", `${exec} connect hubspot --no-browser`], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  const exit = new Promise((resolve) => child.once("exit", resolve));
  const said: string[] = [];
  for await (const line of createInterface({ input: child.stderr })) {
    said.push(line);
    if (line.startsWith("http")) await follow(line);
  }
  expect(await exit, said.join("\n")).toBe(0);
}

export async function isReady(): Promise<boolean> {
  return await ask("http://127.0.0.1:8470/readyz").then(
    ({ status }) => status === 200,
    () => false,
  );
}

export async function post(email: string): Promise<number> {
  const body = JSON.stringify(invite({ email }));
  const url = "http://127.0.0.1:8470/jobcannon/events";
  return (await ask(url, { method: "POST", headers: sign(body), body })).status;
}

/** Of the events that are in the service's log. */
export function storedIds(): Set<string> {
  const db = new Database("/var/lib/jc-integrations/log.db", { readonly: true });
  try {
    return new Set(db.prepare<[], string>("SELECT event_id FROM events").pluck().all());
  } finally {
    db.close();
  }
}

export async function contacts(emulator: Emulator): Promise<string[]> {
  return Object.keys(await emulated(emulator).hubspot.contacts());
}

/** What systemd says of the service, by its own name for it. */
export async function property(name: string): Promise<string> {
  return (await run("systemctl", ["show", "jc-integrations", `--property=${name}`, "--value"])).out.trim();
}

/** It has been started by systemd itself once more since. */
export async function restartedSince(restarts: number): Promise<void> {
  await until("it was restarted", async () => {
    const isBack =
      Number(await property("NRestarts")) > restarts && (await property("SubState")) === "running";
    return isBack;
  });
}

/** What the service itself wrote to the journal. */
export async function messages(): Promise<string[]> {
  const { out } = await run("journalctl", ["--unit=jc-integrations", "_COMM=node", "--output=cat"]);
  return out.trim().split("\n");
}

export function configuration({ hubspot }: Emulator, more = ""): string {
  return `org = "acme"
[hubspot]
client_id = "app-1"
api_base = "${hubspot}"
authorize_url = "${hubspot}/oauth/authorize"
tier = "none"
[vault]
backend = "sealed"
${more}`;
}
