/** The product and the emulator, each against HubSpot's published descriptions: every call of a whole working day. */
import { createServer } from "node:http";
import { text } from "node:stream/consumers";
import { describe, expect, onTestFinished, test } from "vitest";
import { API_VERSIONS, type ApiVersion, VERSIONS } from "../../../src/vendors/hubspot/versions.ts";
import { callApi } from "../../connect/world.ts";
import { importResults, invite, prepared, succeed, type World } from "../../world.ts";
import { descriptionsOf, type Exchange } from "./schemas.ts";

/** Sits between the product and HubSpot, and writes down what they say. */
async function overheard(hubspot: string): Promise<{ url: string; exchanges: Exchange[] }> {
  const exchanges: Exchange[] = [];
  const server = createServer(async (request, response) => {
    const body = await text(request);
    const method = request.method ?? "GET";
    const { authorization = "", "content-type": type = "" } = request.headers;
    const headers = { authorization, ...(type === "" ? {} : { "content-type": type }) };
    const url = request.url ?? "/";
    const answer = await fetch(hubspot + url, { method, headers, ...(body === "" ? {} : { body }) });
    const told = await answer.text();
    exchanges.push({
      method,
      path: url.replace(/\?.*$/, ""),
      request: type.includes("form") ? Object.fromEntries(new URLSearchParams(body)) : parsed(body),
      status: answer.status,
      answer: parsed(told),
    });
    response.writeHead(answer.status, { "content-type": answer.headers.get("content-type") ?? "" }).end(told);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  const port = typeof address === "object" && address ? address.port : 0;
  return { url: `http://127.0.0.1:${port}`, exchanges };
}

function parsed(body: string): unknown {
  return body === "" ? undefined : JSON.parse(body);
}

/** Connects, delivers, is refused, meets drift, refreshes, and leaves with the app. */
async function workingDay(version: ApiVersion): Promise<Exchange[]> {
  const env: Record<string, string> = { JC_HUBSPOT_API_VERSION: version, JC_HUBSPOT_RECREATE: "never" };
  const world: World = await prepared({ env });
  const { url, exchanges } = await overheard(world.emulator.hubspot);
  env.JC_HUBSPOT_API_BASE = url;
  const run = (argv: readonly string[]) => world.run(argv, { env });
  await succeed({ ...world, run }, ["connect", "hubspot"]);
  await importResults(world, [invite({ email: "ann@example.org" }), invite({ email: "no address" })]);
  await run(["run", "retry"]);
  await callApi(world, "PATCH", `/crm/v3/properties/contacts/jc_disc_d`, {
    type: "datetime",
    fieldType: "date",
  });
  await world.portal.changeProperty("jc_disc_i", { dataSensitivity: "sensitive" });
  await world.portal.removeContact("ann@example.org");
  await importResults(
    world,
    ["ann@example.org", "ben@example.org"].map((email) => invite({ email, sent_at: "2024-06-01T09:00:00Z" })),
  );
  await run(["run", "retry"]);
  await world.portal.changeProperty("jc_disc_s", { dataSensitivity: "sensitive" });
  await run(["resync-properties"]);
  await run(["disconnect", "hubspot", "--yes", "--uninstall"]);
  return exchanges;
}

describe.each(API_VERSIONS)("all that is said in %s", (version) => {
  test("is as the descriptions have it: our requests, and the emulator's answers", async () => {
    const exchanges = await workingDay(version);
    const check = descriptionsOf(version);
    const { paths } = VERSIONS[version];
    const wrong = exchanges.flatMap((exchange) =>
      check(exchange).map((fault) => `${exchange.method} ${exchange.path} → ${exchange.status}: ${fault}`),
    );
    expect(wrong).toEqual([]);
    const said = new Set(exchanges.map(({ method, path, status }) => `${method} ${path} ${status}`));
    expect([...said]).toEqual(
      expect.arrayContaining([
        `POST ${paths.token} 200`,
        `POST ${paths.introspect} 200`,
        `GET ${paths.accountDetails} 200`,
        `POST ${paths.propertyGroups} 201`,
        `POST ${paths.properties} 201`,
        `POST ${paths.properties} 409`,
        `GET ${paths.properties}/jc_disc_i 200`,
        `POST ${paths.contacts}/batch/read 207`,
        `POST ${paths.upsertContacts} 200`,
        `POST ${paths.revoke} 200`,
        `DELETE ${paths.uninstall} 204`,
      ]),
    );
    const upserts = exchanges.filter(({ path }) => path === paths.upsertContacts);
    const refused = upserts.filter(({ answer }) => JSON.stringify(answer ?? "").includes('"numErrors"'));
    expect(refused.length).toBeGreaterThan(0);
    expect(refused.every(({ status }) => status === (version === "2026-09" ? 200 : 207))).toBe(true);
  });

  test("is told apart from what they do not have", async () => {
    const exchanges = await workingDay(version);
    const check = descriptionsOf(version);
    const { paths } = VERSIONS[version];
    const find = (path: string) => {
      const found = exchanges.find((exchange) => exchange.path === path && exchange.status < 300);
      if (!found) throw new Error(`nobody asked for ${path}`);
      return found;
    };
    const account = find(paths.accountDetails);
    const { utcOffset: _offset, ...without } = Object(account.answer);
    expect(check({ ...account, answer: without })).toHaveLength(1);
    const upsert = find(paths.upsertContacts);
    expect(
      check({ ...upsert, request: { inputs: [{ id: "a@example.org", properties: { n: 1 } }] } }),
    ).toHaveLength(1);
    expect(check({ ...upsert, answer: {} }).length).toBeGreaterThan(0);
    expect(check({ ...upsert, path: "/crm/v4/contacts" })).toHaveLength(1);
    expect(check({ ...upsert, status: 202 })).toHaveLength(1);
  });
});
