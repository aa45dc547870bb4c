/** The environment's proxy, as curl reads it. */
import { describe, expect, test } from "vitest";
import type { Environment } from "../../src/shared/config.ts";
import { proxyFrom } from "../../src/shared/proxy.ts";
import { launch, launchService, send } from "../end-to-end/program.ts";
import { connected, invite, until, type World } from "../world.ts";

const basic = (login: string) => `Basic ${Buffer.from(login).toString("base64")}`;

describe("which proxy counts", () => {
  test.each<[string, Environment, string | null]>([
    ["none", {}, null],
    ["lower case before upper case", { https_proxy: "a:1", HTTPS_PROXY: "b:1" }, "https_proxy http://a:1"],
    ["an empty one is none", { https_proxy: "", HTTPS_PROXY: "b:1" }, "HTTPS_PROXY http://b:1"],
    [
      "the one for all after that for https",
      { all_proxy: "a:1", HTTPS_PROXY: "b:1" },
      "HTTPS_PROXY http://b:1",
    ],
    ["the one for all", { HTTPS_PROXY: "", ALL_PROXY: "b:1" }, "ALL_PROXY http://b:1"],
    ["those of plain http never: it stays on this machine", { http_proxy: "a:1", HTTP_PROXY: "b:1" }, null],
  ])("%s", (_, env, expected) => {
    const proxy = proxyFrom(env);
    expect(proxy && `${proxy.variable} ${proxy.url}`).toBe(expected);
  });
});

describe("what a proxy's address means", () => {
  test.each([
    ["proxy.example:3128", "http://proxy.example:3128", null],
    ["proxy.example", "http://proxy.example:1080", null],
    ["http://proxy.example", "http://proxy.example:1080", null],
    ["https://proxy.example", "https://proxy.example:443", null],
    ["HTTP://proxy.example:80/", "http://proxy.example:80", null],
    ["[::1]:3128", "http://[::1]:3128", null],
    ["ann:s3cret@proxy.example:3128", "http://proxy.example:3128", basic("ann:s3cret")],
    ["http://ann@proxy.example:3128", "http://proxy.example:3128", basic("ann:")],
    ["http://ann:p%40s%3As@proxy.example:3128", "http://proxy.example:3128", basic("ann:p@s:s")],
    ["http://ann:p@ss@proxy.example:3128", "http://proxy.example:3128", basic("ann:p@ss")],
  ])("%s", (written, url, authorization) => {
    expect(proxyFrom({ HTTPS_PROXY: written })).toMatchObject({ url, authorization });
  });

  test.each([
    "http://",
    "://",
    "proxy.example:port",
    "proxy.example:99999",
    "proxy.example:0",
    "a b",
    "http://u:s3cret@",
    "socks5://u:s3cret@proxy.example:1080",
    "http://u:%s3cret@proxy.example",
  ])("%s is none: 2, and the variable is named, not its value", (written) => {
    let error: unknown;
    try {
      proxyFrom({ https_proxy: written });
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toMatchObject({
      code: "CONFIG_INVALID",
      message: expect.stringMatching(/^the environment's https_proxy /),
      hint: expect.stringContaining("https_proxy=http://proxy.example:3128"),
    });
    expect(JSON.stringify(error) + String(error)).not.toContain("s3cret");
  });
});

describe("a proxy is passed by", () => {
  test.each([
    ["*", "https://anything.example/"],
    ["vendor.example", "https://vendor.example/"],
    ["vendor.example", "https://api.vendor.example/"],
    [".vendor.example", "https://vendor.example/"],
    ["VENDOR.example.", "https://api.vendor.example/"],
    ["other.example, vendor.example", "https://api.vendor.example/"],
    ["other.example vendor.example", "https://api.vendor.example/"],
    ["vendor.example:8443", "https://vendor.example:8443/"],
    ["10.0.0.0/8", "https://10.20.30.40/"],
    ["192.0.2.7", "https://192.0.2.7/"],
    ["fd00::/8", "https://[fd00::1]/"],
  ])("NO_PROXY=%s for %s", (noProxy, url) => {
    expect(proxyFrom({ HTTPS_PROXY: "p:1", NO_PROXY: noProxy })?.isPassedBy(new URL(url))).toBe(true);
    expect(
      proxyFrom({ HTTPS_PROXY: "p:1", no_proxy: noProxy, NO_PROXY: "x" })?.isPassedBy(new URL(url)),
    ).toBe(true);
  });

  test.each([
    ["", "https://vendor.example/"],
    ["endor.example", "https://vendor.example/"],
    ["api.vendor.example", "https://vendor.example/"],
    ["vendor.example:8443", "https://vendor.example/"],
    ["10.0.0.0/8", "https://11.0.0.1/"],
    ["2.7", "https://192.0.2.7/"],
    ["10.0.0.0/99", "https://10.0.0.1/"],
  ])("never by NO_PROXY=%s for %s", (noProxy, url) => {
    expect(proxyFrom({ HTTPS_PROXY: "p:1", NO_PROXY: noProxy })?.isPassedBy(new URL(url))).toBe(false);
  });
});

describe("the built program", () => {
  const under = (world: World, HTTPS_PROXY: string): World => ({
    ...world,
    env: { ...world.env, HTTPS_PROXY },
  });

  test("ends a command with 2 and names the variable, and takes a proxy without a scheme", async () => {
    const world = await connected();
    const refused = await launch(under(world, "http://u:s3cret@"), ["resync-properties"]).ended;
    expect(refused).toMatchObject({ code: 2, out: "" });
    expect(refused.err).toContain("Error: the environment's HTTPS_PROXY is no address of a proxy\n");
    expect(refused.err).not.toContain("s3cret");
    expect(await launch(under(world, "127.0.0.1:1"), ["resync-properties"]).ended).toMatchObject({ code: 0 });
  });

  test("serves on with what is no proxy: events are kept, and the journal names the variable", async () => {
    const world = await connected();
    const service = await launchService(under(world, "http://"));
    expect((await send(service.url, invite()))?.status).toBe(202);
    await until("the journal tells", () => service.err().includes("HTTPS_PROXY is no address of a proxy"));
    expect(service.child.exitCode).toBe(null);
    expect((await send(service.url, invite()))?.status).toBe(202);
  });
});
