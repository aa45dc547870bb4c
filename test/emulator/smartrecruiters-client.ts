/** What an app, an admin and a receiver of webhooks do with the SmartRecruiters side of the emulator. */
import { createHmac } from "node:crypto";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import type { Emulator } from "../../src/emulator/emulator.ts";
import { type Answer, type Ask, ask, asking, control, post, textAt } from "./client.ts";

export const SCOPES = [
  "candidates:read",
  "candidates:write",
  "assessments:read",
  "assessments:write",
  "custom_fields:read",
];
export const REDIRECT_URI = "http://localhost:8977/smartrecruiters/oauth-callback";

export interface App {
  clientId: string;
  accessToken: string;
  refreshToken: string;
  api: Ask;
}

export function allowUrl({ smartrecruiters }: Emulator, more: Record<string, string> = {}): string {
  const query = {
    response_type: "code",
    client_id: "app",
    redirect_uri: REDIRECT_URI,
    scope: SCOPES.join(" "),
    state: "s1",
    ...more,
  };
  return `${smartrecruiters}/identity/oauth/allow?${new URLSearchParams(query)}`;
}

export async function consentCode(started: Emulator, more: Record<string, string> = {}): Promise<string> {
  const { headers } = await ask(allowUrl(started, more));
  return new URL(headers.get("location") ?? "").searchParams.get("code") ?? "";
}

export function token({ smartrecruiters }: Emulator, form: Record<string, string>): Promise<Answer> {
  const client = { client_id: "app", client_secret: "secret" };
  return post(`${smartrecruiters}/identity/oauth/token`, { ...client, ...form });
}

export function exchange(started: Emulator, code: string, more: Record<string, string> = {}) {
  return token(started, { grant_type: "authorization_code", code, redirect_uri: REDIRECT_URI, ...more });
}

export function refresh(started: Emulator, refreshToken: string, more: Record<string, string> = {}) {
  return token(started, { grant_type: "refresh_token", refresh_token: refreshToken, ...more });
}

export async function connect(started: Emulator, clientId = "app"): Promise<App> {
  const code = await consentCode(started, { client_id: clientId });
  const { body } = await exchange(started, code, { client_id: clientId });
  const accessToken = textAt(body, "access_token");
  const api = asking(started.smartrecruiters, { authorization: `Bearer ${accessToken}` });
  return { clientId, accessToken, refreshToken: textAt(body, "refresh_token"), api };
}

export function settings(started: Emulator, changes: object): Promise<Answer> {
  return control(started)("POST", "/smartrecruiters/settings", changes);
}

/** A candidate in job j1 who was asked to take that test. */
export async function invited(
  { api }: App,
  test = "disc",
): Promise<{ candidateId: string; assessmentId: string }> {
  const person = { firstName: "Ann", lastName: "Lee", email: "ann@example.com" };
  const candidateId = textAt((await api("POST", "/v1/candidates", person)).body, "id");
  await api("POST", `/v1/candidates/${candidateId}/jobs/j1`);
  const asked = await api("POST", "/v1/assessments", { candidateId, jobId: "j1", test });
  return { candidateId, assessmentId: textAt(asked.body, "id") };
}

export function writeBack({ api }: App, assessmentId: string, more: object = {}): Promise<Answer> {
  return api("POST", `/v1/assessments/${assessmentId}/results`, { title: "DISC", score: 68, ...more });
}

export interface Received {
  path: string;
  headers: IncomingHttpHeaders;
  text: string;
  body: unknown;
}

/** Someone who listens; `answers` are the statuses of the first calls, 202 comes after. */
export async function receiver(...answers: number[]): Promise<{ url: string; received: Received[] }> {
  const received: Received[] = [];
  const server = createServer(async (request, response) => {
    let text = "";
    for await (const chunk of request) text += chunk;
    received.push({ path: request.url ?? "", headers: request.headers, text, body: JSON.parse(text) });
    response.writeHead(answers.shift() ?? 202).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => new Promise<void>((resolve) => server.close(() => resolve())));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, received };
}

export async function subscribe(
  { api }: App,
  targetUrl: string,
  headers: object = { "X-Custom-Header": "JobCannon" },
): Promise<{ id: string; secret: string }> {
  const event = "candidate.assessment.completed";
  const { body } = await api("POST", "/v1/webhooks/subscriptions", { event, targetUrl, headers });
  return { id: textAt(body, "id"), secret: textAt(body, "secret") };
}

export function signatureOf(text: string, secret: string): string {
  return `sha256=${createHmac("sha256", secret).update(text).digest("hex")}`;
}
