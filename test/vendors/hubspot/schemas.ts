/**
 * HubSpot's published descriptions as JSON Schemas (`test/schemas/hubspot/`), and what they say of calls: which body an
 * answer must have, and what a request may hold. A call that no description knows is a mistake, too.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { ApiVersion } from "../../../src/vendors/hubspot/versions.ts";
import { VERSIONS } from "../../../src/vendors/hubspot/versions.ts";

/** As much of ajv, which is CommonJS, as is used here. */
interface Ajv {
  addSchema(schema: unknown, key: string): unknown;
  getSchema(reference: string): Validate | undefined;
}

interface Validate {
  (value: unknown): boolean;
  errors?: { instancePath: string; message?: string }[] | null;
}

const { Ajv2020 }: { Ajv2020: new (options: object) => Ajv } = createRequire(import.meta.url)(
  "ajv/dist/2020.js",
);

export interface Exchange {
  method: string;
  /** Without the query. */
  path: string;
  /** As the product sent it: parsed JSON or the fields of a form; undefined where it sent none. */
  request: unknown;
  status: number;
  /** Parsed JSON; undefined where there is none. */
  answer: unknown;
}

interface Described {
  request: string | null;
  /** By status; null for an answer without a body. */
  answers: Readonly<Record<number, string | null>>;
}

/** What is wrong with the exchange, one line each; empty where the descriptions allow it. */
export type CheckExchange = (exchange: Exchange) => string[];

export function descriptionsOf(version: ApiVersion): CheckExchange {
  const ajv = new Ajv2020({ allErrors: true, allowUnionTypes: true, strictRequired: false });
  const file = new URL(`../../schemas/hubspot/${version}.json`, import.meta.url);
  ajv.addSchema(JSON.parse(readFileSync(file, "utf8")), version);
  const faultsOf = (name: string, value: unknown): string[] => {
    const validate = ajv.getSchema(`${version}#/$defs/${name}`);
    if (!validate) throw new Error(`${version} describes no ${name}`);
    return validate(value)
      ? []
      : (validate.errors ?? []).map(({ instancePath, message }) => `${name}${instancePath} ${message}`);
  };
  const described = callsOf(version);
  return ({ method, path, request, status, answer }) => {
    const key = keyOf(described, method, path);
    const call = key === undefined ? undefined : described[key];
    if (!call) return [`${version} describes no ${method} ${path}`];
    const wrongRequest = call.request === null ? [] : faultsOf(call.request, request);
    if (!(status in call.answers)) {
      if (status < 400) return [...wrongRequest, `${method} ${path} is not described to answer ${status}`];
      return [...wrongRequest, ...faultsOf(path.startsWith("/oauth/") ? "tokenError" : "error", answer)];
    }
    const body = call.answers[status] ?? null;
    return [...wrongRequest, ...(body === null ? [] : faultsOf(body, answer))];
  };
}

/** A path that ends in a name is described with a star for it. */
function keyOf(described: Readonly<Record<string, Described>>, method: string, path: string) {
  const named = path.replace(/\/[^/]+$/, "/*");
  return [`${method} ${path}`, `${method} ${named}`].find((key) => key in described);
}

function callsOf(version: ApiVersion): Readonly<Record<string, Described>> {
  const { paths } = VERSIONS[version];
  // The description of 2026-09 has errors in the body of 200, and no 207.
  const upserted =
    version === "2026-09" ? { 200: "upsertAnswer" } : { 200: "upsertAnswer", 207: "upsertAnswer" };
  return {
    [`POST ${paths.token}`]: { request: "tokenForm", answers: { 200: "tokens" } },
    [`POST ${paths.introspect}`]: { request: "oneToken", answers: { 200: "introspected" } },
    [`POST ${paths.revoke}`]: { request: "oneToken", answers: { 200: null } },
    [`DELETE ${paths.uninstall}`]: { request: null, answers: { 204: null } },
    [`GET ${paths.accountDetails}`]: { request: null, answers: { 200: "account" } },
    [`GET ${paths.propertyLimits}`]: { request: null, answers: { 200: "limits" } },
    [`GET ${paths.properties}`]: { request: null, answers: { 200: "properties" } },
    [`GET ${paths.properties}/*`]: { request: null, answers: { 200: "property" } },
    [`POST ${paths.properties}`]: { request: "newProperty", answers: { 201: "property" } },
    [`GET ${paths.propertyGroups}`]: { request: null, answers: { 200: "groups" } },
    [`POST ${paths.propertyGroups}`]: { request: "newGroup", answers: { 201: "group" } },
    [`POST ${paths.upsertContacts}`]: { request: "upsert", answers: upserted },
    [`POST ${paths.contacts}/batch/read`]: {
      request: "readContacts",
      answers: { 200: "contacts", 207: "contacts" },
    },
    [`GET ${paths.contacts}/*`]: { request: null, answers: { 200: "contact" } },
    [`DELETE ${paths.contacts}/*`]: { request: null, answers: { 204: null } },
  };
}
