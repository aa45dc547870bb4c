/** What a package manager does to a program that runs: its files go, and others come. */
import { cpSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { allDelivered, launchService, send } from "../end-to-end/program.ts";
import { connected, invite, until, type World } from "../world.ts";
import { temporaryDirectory } from "../directory.ts";

const REPOSITORY = fileURLToPath(new URL("../../", import.meta.url));

/** The built program in a place of its own. */
function installed(): string {
  const directory = temporaryDirectory(tmpdir());
  for (const part of ["bin", "dist", "package.json"])
    cpSync(join(REPOSITORY, part), join(directory, part), { recursive: true });
  symlinkSync(join(REPOSITORY, "node_modules"), join(directory, "node_modules"));
  return directory;
}

async function serviceIn(world: World, directory: string) {
  return await launchService(world, { bin: join(directory, "bin/jc-integrations.js") });
}

test("a service whose program is removed under it does all it did, until it is told to stop", async () => {
  const world = await connected({ env: { JC_SCHEDULE_RETRY_EVERY: "1s" } });
  const directory = installed();
  const service = await serviceIn(world, directory);
  rmSync(directory, { recursive: true });

  expect((await send(service.url, invite()))?.status).toBe(202);
  await allDelivered(world);
  await world.portal.fault({ status: 503, times: 3 });
  expect((await send(service.url, invite()))?.status).toBe(202);
  await until("the outage is told", () => service.err().includes("the vendor fails"));
  await allDelivered(world);
  for (const path of ["/healthz", "/readyz", "/hubspot/oauth-callback?code=1&state=2", "/nowhere"])
    expect((await fetch(service.url + path)).status, path).not.toBe(500);
  await world.portal.fault({
    status: 400,
    body: { error: "invalid_grant" },
    path: "/oauth/v3/token",
    times: 1,
  });
  service.child.kill("SIGHUP");
  await until("it has read anew", () => service.err().includes("are read anew"));
  expect((await world.run(["status"])).out).toContain("the program that serve runs is gone from its place");
  service.child.kill("SIGTERM");
  const { code, err } = await service.ended;
  expect(code, err).toBe(0);
  expect(err).not.toMatch(/ENOENT|Cannot find|this is a bug/);
});

test("a link that was handed out is finished by a service whose program is removed under it", async () => {
  const world = await connected();
  const directory = installed();
  const service = await serviceIn(world, directory);
  rmSync(directory, { recursive: true });
  const url = new URL(service.url);
  const env = { JC_SERVE_PUBLIC_URL: service.url, JC_SERVE_LISTEN: url.host };
  const { out, code } = await world.run(["connect", "hubspot", "--via-service", "--yes"], { env });
  expect(code).toBe(0);
  const page = await fetch(out.trim(), { redirect: "follow" });
  expect(page.status).toBeLessThan(500);
  expect((await fetch(`${service.url}/healthz`)).status).toBe(200);
  expect(service.err()).not.toMatch(/ENOENT|Cannot find|this is a bug/);
});

test("a newer program in its place is told by status, with what to do", async () => {
  const world = await connected();
  const directory = installed();
  const service = await serviceIn(world, directory);
  const manifest = join(directory, "dist/build.json");
  const { version } = JSON.parse(readFileSync(manifest, "utf8"));
  const advice = async () => {
    const { out } = await world.run(["status"]);
    return out.split("\n").filter((line) => line.includes("restart serve"));
  };
  expect(await advice()).toEqual([]);
  writeFileSync(manifest, JSON.stringify({ version: "99.0.0", build: "0" }));
  expect(await advice()).toEqual([
    expect.stringMatching(/^! a newer program \(99\.0\.0\) is installed: restart serve/),
  ]);
  writeFileSync(manifest, JSON.stringify({ version: "0.0.1", build: "0" }));
  expect(await advice()).toEqual([expect.stringContaining("an older program (0.0.1) is installed")]);
  writeFileSync(manifest, JSON.stringify({ version, build: "0" }));
  expect(await advice()).toEqual([expect.stringContaining("another build) is installed")]);
  service.child.kill("SIGTERM");
  await service.ended;
  expect(await advice()).toEqual([]);
});
