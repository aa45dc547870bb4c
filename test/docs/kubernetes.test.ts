/** The manifest in docs/scaling.md, as far as it can be tried without a cluster: what it sets and asks is what `serve` takes and answers. */
import { randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { request } from "undici";
import { expect, test } from "vitest";
import { launchService } from "../end-to-end/program.ts";
import { describeWithPostgres, postgresServer } from "../store/postgres-server.ts";
import { freshWorld, until } from "../world.ts";

const text = readFileSync(new URL("../../docs/scaling.md", import.meta.url), "utf8");
const manifest = /```yaml\n([^`]*)```/.exec(text)?.[1] ?? "";
const set = new Map(
  [...manifest.matchAll(/- \{ name: ([A-Z_]+), value: "?([^"}]+?)"? \}/g)].map(
    ([, name = "", value = ""]) => [name, value],
  ),
);

describeWithPostgres("the manifest for Kubernetes", () => {
  test("sets what serve takes, and asks what it answers", async () => {
    expect([...set.keys()]).toContain("JC_STORE_URL");
    expect(set.get("JC_SERVE_LISTEN")).toBe("0.0.0.0:8470");
    expect(manifest).toContain("containerPort: 8470");
    const world = await freshWorld();
    // As a secret is mounted: root's, and readable for the pod's group.
    const secrets = join(world.dir, "secrets");
    mkdirSync(secrets);
    writeFileSync(join(secrets, "vault-key"), randomBytes(32), { mode: 0o440 });
    writeFileSync(join(secrets, "pgpass"), "*:*:*:*:password\n", { mode: 0o440 });
    writeFileSync(join(secrets, "db-ca.pem"), "", { mode: 0o440 });
    const here = new Map([
      ["JC_STATE_DIR", join(world.dir, "state-of-pod")],
      ["JC_SERVE_LISTEN", "127.0.0.1:0"],
      ["JC_STORE_URL", await (await postgresServer()).database()],
    ]);
    const env = Object.fromEntries(
      [...set].map(([name, value]) => [name, here.get(name) ?? value.replace(/^\/secrets\b/, secrets)]),
    );
    const service = await launchService({ ...world, env: { ...env, JC_SERVE_ADMIN_LISTEN: "127.0.0.1:0" } });
    const probes = new Set(
      [...manifest.matchAll(/httpGet: \{ path: (\S+), port: 8470 \}/g)].map(([, path]) => path),
    );
    expect([...probes].toSorted()).toEqual(["/healthz", "/readyz"]);
    for (const path of probes)
      await until(`${path} says 200`, async () => {
        const answer = await request(`${service.url}${path}`);
        await answer.body.dump();
        return answer.statusCode === 200;
      });
    service.child.kill("SIGTERM");
    expect((await service.ended).code).toBe(0);
  });
});
