import { once } from "node:events";
import { createServer } from "node:http";
import { onTestFinished } from "vitest";

/** A vendor that takes each refresh token once; of the first `silent` calls it takes note and says nothing. */
export async function startRotatingEndpoint(silent = 0) {
  let valid = "r0";
  let before = valid;
  let calls = 0;
  let called = () => {};
  let gate: Promise<void> | null = null;
  const firstCall = new Promise<void>((resolve) => {
    called = resolve;
  });
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    calls++;
    const call = calls;
    const isTaken = new URLSearchParams(body).get("refresh_token") === valid;
    const next = `r${call}`;
    if (call > silent && isTaken) [before, valid] = [valid, next];
    called();
    if (call <= silent) return;
    const until = gate;
    gate = null;
    await until;
    if (!isTaken) return response.writeHead(400).end('{"error":"invalid_grant"}');
    response.end(JSON.stringify({ access_token: `a${call}`, refresh_token: next, expires_in: 1800 }));
  }).listen(0, "127.0.0.1");
  onTestFinished(() => void server.close());
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" ? address?.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    calls: () => calls,
    firstCall,
    /** The next answer waits to be given. */
    held: () => {
      let give = () => {};
      gate = new Promise<void>((resolve) => {
        give = resolve;
      });
      return { asked: firstCall, give: () => give() };
    },
    /** As if the last call had never come. */
    takeBack: () => {
      valid = before;
    },
  };
}
