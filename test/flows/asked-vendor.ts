/**
 * A vendor that only sends ids and is asked by an API key: an API over real HTTP on loopback, its look-up, and the store,
 * vault and access that the look-ups of the product go through.
 */
import { once } from "node:events";
import { createServer } from "node:http";
import * as v from "valibot";
import { onTestFinished } from "vitest";
import { listKeysCommand } from "../../src/core/advice/command-lines.ts";
import type { RateLimit } from "../../src/core/delivery/rate-window.ts";
import { createKeyAccess } from "../../src/flows/account/key-access.ts";
import { answerQuestions, type LookUpContext } from "../../src/flows/intake/look-ups.ts";
import type { Clock } from "../../src/shared/clock.ts";
import { loadConfig } from "../../src/shared/config.ts";
import { AppError } from "../../src/shared/errors.ts";
import { createHttp } from "../../src/shared/http.ts";
import { jsonOf } from "../../src/shared/http-answer.ts";
import { createLog } from "../../src/shared/log.ts";
import { createRedactor } from "../../src/shared/redact.ts";
import { secret } from "../../src/shared/secret.ts";
import type { Store } from "../../src/store/contract/store.ts";
import { openVault } from "../../src/vault/open.ts";
import { setSecret } from "../../src/vault/secrets.ts";
import { callWithToken } from "../../src/vendors/calling/bearer-call.ts";
import type { LookUp } from "../../src/vendors/contract/look-up.ts";
import { aSnapshot } from "../core/example.ts";
import { aThinEvent } from "../store/events.ts";
import { openDirect, opened } from "../store/world.ts";
import { temporaryDirectory } from "../directory.ts";

export const KEY = "harvest-key-of-acme";
const KEY_NAME = "greenhouse.api-key";

/** What the API says of an application; `status` alone is an error of that status. */
export interface Application {
  status?: number;
  email?: string;
  at?: number;
  org?: string;
}

export interface AskedVendor {
  store: Store;
  applications: Map<string, Application>;
  /** The ids that were asked for, in order, and how many were under way at once at most. */
  asked: string[];
  mostAtOnce(): number;
  /** What the API is opened by. */
  keys: Set<string>;
  setKey(key: string, org?: string): Promise<void>;
  receive(ids: readonly string[], changes?: Parameters<typeof aThinEvent>[1]): Promise<void>;
  run(options?: { insists?: boolean }): ReturnType<typeof answerQuestions>;
}

const Shown = v.object({ email: v.string(), at: v.number(), org: v.string() });

export async function openAskedVendor({
  clock,
  rateLimit = null,
  atOnce = 3,
  holdsUntil = 1,
}: {
  clock: Clock;
  rateLimit?: RateLimit | null;
  atOnce?: number;
  /** The API answers once so many were asked, or all that it has. */
  holdsUntil?: number;
}): Promise<AskedVendor> {
  const applications = new Map<string, Application>();
  const asked: string[] = [];
  const keys = new Set([KEY]);
  const held: (() => void)[] = [];
  const answerAll = () => {
    for (const reply of held.splice(0)) reply();
  };
  let [underWay, most] = [0, 0];
  const server = createServer((request, response) => {
    underWay += 1;
    most = Math.max(most, underWay);
    const id = request.url?.split("/").at(-1) ?? "";
    asked.push(id);
    const told = applications.get(id) ?? { status: 404 };
    const isOpen = keys.has(String(request.headers["x-key"]));
    const status = isOpen ? (told.status ?? 200) : 401;
    const { email = `${id}@example.com`, at = clock.now(), org = "acme" } = told;
    held.push(() => {
      underWay -= 1;
      response.writeHead(status).end(JSON.stringify({ email, at, org }));
    });
    const isFull = held.length >= holdsUntil || asked.length >= applications.size;
    // One more that should not come gets the time to.
    if (isFull) setImmediate(() => setImmediate(answerAll));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const base = `http://127.0.0.1:${typeof address === "object" && address ? address.port : 0}`;
  const http = createHttp({ caFile: null, proxy: null });
  const directory = temporaryDirectory();
  const store = await opened(openDirect);
  const vault = openVault({
    backend: "sealed",
    stateDir: directory,
    keyFile: `${directory}/key`,
    credentialsDirectory: null,
    host: { platform: process.platform, nodePath: process.execPath, env: {} },
    childUrl: new URL("../../dist/keychain-child.js", import.meta.url),
    clock,
  });
  onTestFinished(async () => {
    await http.close();
    server.closeAllConnections();
    server.close();
    await vault.close();
  });

  const lookUp: LookUp = {
    label: "Greenhouse",
    apiKeyName: KEY_NAME,
    rateLimit,
    atOnce,
    ask: async (access, { about: { application = "" } }) => {
      const calls = { http, access, label: "Greenhouse", rateOf: () => null };
      const answer = await callWithToken(
        { ...calls, headersOf: (key) => ({ "x-key": key }) },
        { method: "GET", url: `${base}/applications/${application}` },
      );
      if (answer.status === 404) return { kind: "nothing" };
      if (answer.status === 429) throw new AppError("VENDOR_RATE_LIMITED", "it answered 429");
      if (answer.status >= 500) throw new AppError("VENDOR_UNAVAILABLE", `it answered ${answer.status}`);
      if (answer.status >= 400) throw new AppError("VENDOR_REJECTED", `it answered ${answer.status}`);
      const { email, at, org } = v.parse(Shown, jsonOf(answer));
      const candidate = { email, firstName: null, lastName: null };
      return {
        kind: "snapshot",
        snapshot: aSnapshot({ org, at, candidate, invitationId: application, tests: [] }),
      };
    },
  };
  const noConnection = () => Promise.reject(new Error("there is no connection here"));
  const context: LookUpContext = {
    clock,
    config: loadConfig({
      ...{ file: "/nowhere", isRequired: false, env: {}, flags: {}, vendors: [] },
      listKeys: listKeysCommand,
    }),
    log: createLog({
      write: () => {},
      level: () => "error",
      format: "text",
      toJournal: false,
      clock,
      redact: createRedactor(),
    }),
    destination: noConnection,
    access: noConnection,
    lookUp: async ({ vendor }) => (vendor === "greenhouse" ? lookUp : null),
    vault: async () => vault,
    keyAccess: async (of, api, options) => createKeyAccess({ clock, vault, ...options }, of, api),
  };
  return {
    store,
    applications,
    asked,
    mostAtOnce: () => most,
    keys,
    setKey: async (key, org = "acme") => {
      await setSecret(vault, { name: KEY_NAME, org, environment: "production" }, secret(key));
    },
    receive: async (ids, changes) => {
      await store.append(
        ids.map((id) => ({ ...aThinEvent(id, changes), at: clock.now(), receivedAt: clock.now() })),
      );
    },
    run: ({ insists = false } = {}) =>
      answerQuestions(context, store, { insists, signal: new AbortController().signal }),
  };
}
