/** A company at SmartRecruiters: a server on loopback that answers what a test told it to, and keeps what it heard. */
import { UNCOUNTED } from "../../../src/flows/account/rate-window.ts";
import { once } from "node:events";
import { createServer } from "node:http";
import { onTestFinished } from "vitest";
import { listKeysCommand } from "../../../src/core/advice/command-lines.ts";
import { loadConfig } from "../../../src/shared/config.ts";
import { variableOf } from "../../../src/shared/config-keys.ts";
import { createHttp } from "../../../src/shared/http.ts";
import { secret } from "../../../src/shared/secret.ts";
import type { Destination, Update } from "../../../src/vendors/contract/destination.ts";
import type { Ats, VendorCatalog } from "../../../src/vendors/contract/ats.ts";
import type { LookUp } from "../../../src/vendors/contract/look-up.ts";
import { VENDORS } from "../../../src/vendors/index.ts";
import { openLookUp } from "../../../src/vendors/smartrecruiters/look-up.ts";
import type { Access } from "../../../src/vendors/contract/access.ts";
import { createV1 } from "../../../src/vendors/smartrecruiters/v1/destination.ts";
import { type FakeClock, fakeClock } from "../../fake-clock.ts";

export interface Heard {
  call: string;
  headers: Readonly<Record<string, string | string[] | undefined>>;
  body: string;
}

export interface Reply {
  status?: number;
  headers?: Record<string, string>;
  /** Text goes as it is, anything else as JSON. */
  body?: unknown;
  /** Cuts the connection instead. */
  isCut?: boolean;
}

export interface Company {
  smartrecruiters: Destination;
  ats: Ats;
  lookUp: LookUp;
  access: Access;
  clock: FakeClock;
  heard: Heard[];
  /** What `GET /v1/…` is answered with, in turn; the last one stays. */
  on(call: string, ...replies: Reply[]): void;
  /** How often a token was asked for, and how often in place of a refused one. */
  tokens: { asked: number; renewed: number };
  slots(): number;
  heeded: Parameters<Access["heed"]>[0][];
}

export async function openCompany(): Promise<Company> {
  const heard: Heard[] = [];
  const script = new Map<string, Reply[]>();
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const call = `${request.method} ${request.url}`;
    heard.push({ call, headers: request.headers, body: Buffer.concat(chunks).toString("utf8") });
    const replies = script.get(call) ?? [{ status: 404, body: refusal("NOT_FOUND", `no ${call}`) }];
    const {
      status = 200,
      headers = {},
      body = "",
      isCut,
    } = (replies.length > 1 ? replies.shift() : replies[0]) ?? {};
    if (isCut) return request.socket.destroy();
    response.writeHead(status, headers).end(typeof body === "string" ? body : JSON.stringify(body));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const http = createHttp({ caFile: null, proxy: null });
  onTestFinished(async () => {
    await http.close();
    server.closeAllConnections();
    server.close();
  });

  const clock = fakeClock();
  const smartrecruiters = createV1(
    {
      apiBase: `http://127.0.0.1:${port}/`,
      identityBase: `http://127.0.0.1:${port}`,
      clientId: "acme-app",
      profile: "v1",
      pkce: false,
      redirectPort: 8977,
      region: "eu",
      resultBase: "https://jobcannon.io",
    },
    http,
    clock,
  );
  if (!smartrecruiters.ats) throw new Error("SmartRecruiters is an applicant tracking system");
  const toml = { api_base: `http://127.0.0.1:${port}`, client_id: "acme-app" };
  const env = Object.fromEntries(
    Object.entries(toml).map(([key, value]) => [variableOf(`smartrecruiters.${key}`), value]),
  );
  const config = loadConfig({
    file: "/nowhere",
    isRequired: false,
    env,
    flags: {},
    listKeys: listKeysCommand,
    vendors: VENDORS,
  });
  const tokens = { asked: 0, renewed: 0 };
  const heeded: Company["heeded"] = [];
  let slots = 0;
  return {
    smartrecruiters,
    ats: smartrecruiters.ats,
    lookUp: openLookUp({ config, org: "acme", environment: "production", http, clock }),
    clock,
    heard,
    tokens,
    heeded,
    slots: () => slots,
    on: (call, ...replies) => script.set(call, replies),
    access: {
      signal: new AbortController().signal,
      token: async (options) => {
        tokens[options?.renewed ? "renewed" : "asked"] += 1;
        return secret(options?.renewed ? "fresh-token" : "first-token");
      },
      slot: async () => {
        slots += 1;
        return UNCOUNTED;
      },
      heed: async (told) => {
        heeded.push(told);
      },
    },
  };
}

/** A refusal in SmartRecruiters' own shape. */
export function refusal(code: string, message: string) {
  return { message, errors: [{ code, message }] };
}

/** The catalogue that the vendor keeps. */
export function catalogThere({ catalog }: Pick<Ats, "catalog">): VendorCatalog {
  if (catalog.kept === "there") return catalog;
  throw new Error("the catalogue is kept here");
}

export function anUpdate(projection: Record<string, string> = {}): Update {
  return {
    subject: "a1",
    traceId: "trace-1",
    version: 1,
    projection: { title: "JobCannon: DISC", ...projection },
  };
}
