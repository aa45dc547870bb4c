/** A plain HTTP caller for the emulator's tests: what an app, an admin's browser and a test script do. */
import { onTestFinished } from "vitest";
import { type Emulator, type EmulatorOptions, startEmulator } from "../../src/emulator/emulator.ts";

export const SCOPES = [
  "oauth",
  "crm.objects.contacts.read",
  "crm.objects.contacts.write",
  "crm.schemas.contacts.read",
  "crm.schemas.contacts.write",
];
export const REDIRECT_URI = "http://localhost:8976/hubspot/oauth-callback";

export interface Answer {
  status: number;
  headers: Headers;
  /** Parsed JSON, or the text that was no JSON. */
  body: unknown;
}

export type Ask = (method: string, path: string, body?: unknown) => Promise<Answer>;

export interface App {
  accessToken: string;
  refreshToken: string;
  /** Calls the API with the access token. */
  api: Ask;
}

export async function emulator(options: EmulatorOptions = {}): Promise<Emulator> {
  const started = await startEmulator({ autoApprove: true, hubspotLimit: "none", ...options });
  onTestFinished(() => started.close());
  return started;
}

export async function ask(url: string, init: RequestInit = {}): Promise<Answer> {
  const response = await fetch(url, { redirect: "manual", ...init });
  const text = await response.text();
  let body: unknown = text;
  try {
    body = JSON.parse(text);
  } catch {}
  return { status: response.status, headers: response.headers, body };
}

/** Calls below a base URL, with JSON bodies. */
export function asking(base: string, headers: Record<string, string> = {}): Ask {
  return (method, path, body) =>
    ask(base + path, {
      method,
      headers: { ...headers, "content-type": "application/json" },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
}

/** The control as it answers, where that is what a test asks; all others go by `emulated`. */
export function control({ url }: Emulator): Ask {
  return asking(`${url}/_control`);
}

export function authorizeUrl({ hubspot }: Emulator, more: Record<string, string> = {}): string {
  const query = {
    client_id: "app",
    redirect_uri: REDIRECT_URI,
    scope: SCOPES.join(" "),
    state: "s1",
    ...more,
  };
  return `${hubspot}/oauth/authorize?${new URLSearchParams(query)}`;
}

/** Where the browser is sent after the consent. */
export async function consent(started: Emulator, more: Record<string, string> = {}): Promise<URL> {
  const { headers } = await ask(authorizeUrl(started, more));
  return new URL(headers.get("location") ?? "");
}

export function post(url: string, form: Record<string, string>): Promise<Answer> {
  return ask(url, { method: "POST", body: new URLSearchParams(form) });
}

export function codeForm(code: string): Record<string, string> {
  const client = { client_id: "app", client_secret: "secret" };
  return { grant_type: "authorization_code", code, redirect_uri: REDIRECT_URI, ...client };
}

export function refreshForm(refreshToken: string): Record<string, string> {
  return {
    grant_type: "refresh_token",
    refresh_token: refreshToken,
    client_id: "app",
    client_secret: "secret",
  };
}

/** Consents and exchanges the code, as an app does on its first day. */
export async function connect(started: Emulator, more: Record<string, string> = {}): Promise<App> {
  const callback = await consent(started, more);
  const code = callback.searchParams.get("code") ?? "";
  const { body } = await post(`${started.hubspot}/oauth/v3/token`, codeForm(code));
  const accessToken = textAt(body, "access_token");
  const api = asking(started.hubspot, { authorization: `Bearer ${accessToken}` });
  return { accessToken, refreshToken: textAt(body, "refresh_token"), api };
}

/** Steps into parsed JSON; `undefined` where there is nothing. */
export function at(value: unknown, ...path: (string | number)[]): unknown {
  return path.reduce<unknown>((inside, key) => {
    if (typeof inside !== "object" || inside === null) return undefined;
    return Object.entries(inside).find(([name]) => name === String(key))?.[1];
  }, value);
}

export function textAt(value: unknown, ...path: (string | number)[]): string {
  const text = at(value, ...path);
  if (typeof text !== "string") throw new Error(`no text at ${path.join(".")} of ${JSON.stringify(value)}`);
  return text;
}

export function listAt(value: unknown, ...path: (string | number)[]): unknown[] {
  const list = at(value, ...path);
  if (!Array.isArray(list)) throw new Error(`no list at ${path.join(".")} of ${JSON.stringify(value)}`);
  return list;
}

/** The details HubSpot hides as JSON in the message of a validation error. */
export function hiddenDetails(message: string): unknown {
  return JSON.parse(message.slice(message.indexOf("[")));
}

/** A group and one property of each type the tests write to. */
export async function defineProperties({ api }: App): Promise<void> {
  await api("POST", "/crm/v3/properties/contacts/groups", { name: "scores", label: "Scores" });
  const options = ["invited", "completed"].map((value, displayOrder) => ({
    label: value.toUpperCase(),
    value,
    displayOrder,
    hidden: false,
  }));
  await api("POST", "/crm/v3/properties/contacts/batch/create", {
    inputs: [
      { name: "score", type: "number", fieldType: "number" },
      { name: "note", type: "string", fieldType: "text" },
      { name: "done_at", type: "datetime", fieldType: "date" },
      { name: "born_on", type: "date", fieldType: "date" },
      { name: "test_status", type: "enumeration", fieldType: "select", options },
      { name: "tags", type: "enumeration", fieldType: "checkbox", options },
      { name: "member_no", type: "string", fieldType: "text", hasUniqueValue: true },
    ].map((definition) => ({ ...definition, label: definition.name, groupName: "scores" })),
  });
}
