/** What a reader who knows only the README asked: what is said, is said of what is there. */
import { describe, expect, test } from "vitest";
import { connectedAts } from "../ats/world.ts";
import { issued, missingForCertificates, tlsSettings } from "../certificates.ts";
import { temporaryDirectory } from "../directory.ts";
import { connected, freshWorld, importResults, invite, succeed } from "../world.ts";

const CONFIGURED = { JC_SMARTRECRUITERS_CLIENT_ID: "any" };
const ASKED_THERE = { vendor: "smartrecruiters", candidate_id: "c1", job_id: "j1", assessment_id: "a1" };

describe("a vendor that is configured and no more", () => {
  test("is no next step, until results for it are there", async () => {
    const world = await connected({ env: CONFIGURED });
    const step = "connect: jc-integrations connect smartrecruiters --org acme";
    await importResults(world, [invite()]);
    const before = await succeed(world, ["status"]);
    expect(before.out).toContain("SmartRecruiters  [Not connected]");
    expect(before.out).not.toContain(step);
    await importResults(world, [invite({ source: ASKED_THERE })]);
    expect((await succeed(world, ["status"])).out).toContain(`→ ${step}\n`);
  });

  test("is one once it was connected", async () => {
    const world = await connectedAts();
    await succeed(world, ["disconnect", "smartrecruiters", "--yes"]);
    const { out } = await world.run(["status"]);
    expect(out).toContain("→ connect: jc-integrations connect smartrecruiters --org acme\n");
  });
});

describe("what a command cannot do", () => {
  test("names the shells there are", async () => {
    const world = await freshWorld();
    const { code, err } = await world.run(["completion", "tcsh"]);
    expect(code).toBe(2);
    expect(err).toMatch(/^Error: "tcsh" is no shell: there are bash, zsh, fish\n/);
    const option = await world.run(["demo", "--profile", "v3"]);
    expect(option.err).toMatch(/^Error: "v3" is no profile: there are v1, published\n/);
  });

  test("is refused: a demo in JSON", async () => {
    const world = await freshWorld();
    const { code, out, err } = await world.run(["demo", "--json"]);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(JSON.parse(err).error).toMatchObject({ code: "USAGE", hint: "jc-integrations demo" });
  });

  test("and what it did is said: man pages", async () => {
    const world = await freshWorld();
    const directory = temporaryDirectory();
    const { out } = await succeed(world, ["help", "--man-pages", directory]);
    expect(out).toMatch(new RegExp(`^\\d+ man pages written into ${directory}\n$`));
  });

  test("a person of whom nothing is held is erased in words that fit", async () => {
    const world = await connected();
    const { out } = await succeed(world, ["erase", "nobody@example.org", "--yes"]);
    expect(out).toContain("acme held nothing about them. Later events about them are refused, and counted.");
    expect(out).not.toContain("Erased from");
  });
});

describe("webhooks subscribe", () => {
  test("warns where serve.public_url is this machine alone, and only there", async () => {
    const world = await connectedAts();
    const words = "! serve.public_url leads to 127.0.0.1, which is this machine alone";
    const at = (url: string) =>
      world.run(["webhooks", "subscribe", "--dry-run"], { env: { JC_SERVE_PUBLIC_URL: url } });
    expect((await at("http://127.0.0.1:8470")).err).toContain(words);
    expect((await at("https://results.example.org")).err).not.toContain("this machine alone");
  });
});

describe.skipIf(missingForCertificates !== null)("admin link", () => {
  test("warns of a host that the certificate does not name", async () => {
    const env = tlsSettings(issued({ names: ["results.example.org", "*.inner.example.org"] }));
    const world = await connected({ env });
    const at = async (listen: string, more = {}) =>
      await world.run(["admin", "link", "--json"], { env: { JC_SERVE_ADMIN_LISTEN: listen, ...more } });
    expect((await at("127.0.0.1:8471")).json).toMatchObject({ certificateOf: null });
    expect((await at("127.0.0.2:8471")).json).toMatchObject({
      certificateOf: expect.stringContaining("results.example.org"),
    });
    expect((await at("one.inner.example.org:8471")).json).toMatchObject({ certificateOf: null });
    const proxied = await at("127.0.0.2:8471", { JC_SERVE_ADMIN_URL: "https://admin.example.org" });
    expect(proxied.json).toMatchObject({ certificateOf: null });
    const { err } = await world.run(["admin", "link"], { env: { JC_SERVE_ADMIN_LISTEN: "127.0.0.2:8471" } });
    const names = ["results.example.org", "::1"];
    const sixth = { ...tlsSettings(issued({ names })), JC_SERVE_ADMIN_LISTEN: "[::1]:8471" };
    expect((await world.run(["admin", "link", "--json"], { env: sixth })).json).toMatchObject({
      url: expect.stringContaining("https://[::1]:8471/"),
      certificateOf: null,
    });
    expect((await world.run(["admin", "link"], { env: sixth })).err).toContain(
      "ssh -N -L 8471:[::1]:8471 <this machine>",
    );
    expect(err).toContain("does not name 127.0.0.2: a browser warns of it. Set serve.admin_url");
  });
});
