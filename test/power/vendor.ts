/** A vendor behind a pane of glass: passes every call on to the emulator, and notes when which token was given and used. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { onTestFinished } from "vitest";

export interface TokenUse {
  /** A refresh token was sent to be exchanged, its successor was given, an access token was used. */
  kind: "spent" | "given" | "used";
  token: string;
  /** `process.hrtime`, ns. */
  at: number;
}

export interface WatchedVendor {
  url: string;
  uses: TokenUse[];
  /** From now on answers come a byte a second and have no end; or not any more. */
  drip(isOn: boolean): void;
}

export const now = (): number => Number(process.hrtime.bigint());

export async function watchedVendor(emulator: string): Promise<WatchedVendor> {
  const uses: TokenUse[] = [];
  let isDripping = false;
  const server = createServer(async (request, response) => {
    if (isDripping) return drip(response);
    const body = await bodyOf(request);
    const spent = new URLSearchParams(body).get("refresh_token");
    if (spent !== null) uses.push({ kind: "spent", token: spent, at: now() });
    const used = /^Bearer (.+)$/.exec(request.headers.authorization ?? "")?.[1];
    if (used !== undefined) uses.push({ kind: "used", token: used, at: now() });
    const { method = "GET" } = request;
    const headers = Object.fromEntries(
      ["content-type", "authorization"].flatMap((name) => {
        const value = request.headers[name];
        return typeof value === "string" ? [[name, value]] : [];
      }),
    );
    const answer = await fetch(emulator + request.url, { method, headers, ...(body && { body }) });
    const text = await answer.text();
    if (spent !== null && answer.ok)
      uses.push({ kind: "given", token: JSON.parse(text).access_token, at: now() });
    response.writeHead(answer.status, { "content-type": answer.headers.get("content-type") ?? "text/plain" });
    response.end(text);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("no port");
  return {
    url: `http://127.0.0.1:${address.port}`,
    uses,
    drip: (isOn) => {
      isDripping = isOn;
    },
  };
}

function drip(response: ServerResponse): void {
  response.writeHead(200, { "content-type": "application/json" });
  const drops = setInterval(() => response.write(" "), 1_000);
  response.once("close", () => clearInterval(drops));
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}
