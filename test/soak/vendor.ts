/** A vendor that fails a third of the time: it passes calls on to the emulator, or refuses, or loses its answer. */
import { createServer, type IncomingMessage } from "node:http";
import { onTestFinished } from "vitest";

export interface FailingVendor {
  url: string;
  calls: number;
  failures: number;
}

const KEPT_HEADERS = ["content-type", "authorization"];

export async function failingVendor(emulator: string): Promise<FailingVendor> {
  const vendor: FailingVendor = { url: "", calls: 0, failures: 0 };
  const server = createServer(async (request, response) => {
    const body = await bodyOf(request);
    const isDelivery = request.url?.includes("/batch/upsert") ?? false;
    if (isDelivery) vendor.calls += 1;
    const fails = isDelivery && vendor.calls % 3 === 0;
    if (fails) vendor.failures += 1;
    if (fails && vendor.failures % 2 === 0) return void response.writeHead(503).end();
    const headers = Object.fromEntries(
      KEPT_HEADERS.flatMap((name) => {
        const value = request.headers[name];
        return typeof value === "string" ? [[name, value]] : [];
      }),
    );
    const { method = "GET" } = request;
    const answer = await fetch(emulator + request.url, { method, headers, ...(body && { body }) });
    const text = await answer.text();
    // The work was done, and nobody hears of it.
    if (fails) return void request.socket.destroy();
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
  vendor.url = `http://127.0.0.1:${address.port}`;
  return vendor;
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}
