// The emulator's HubSpot seen from outside: all that goes through is passed on as it is, and when each contact's call
// and each refresh came is noted, under this process's own clock.
import { Agent, createServer, request as call } from "node:http";
import { UPSERT } from "./portal.js";

const REVOKE = "/oauth/v3/token/revoke";

/** `onContact(email, atMs)` hears of each contact as its call has been read. */
export async function watchVendor(hubspot, onContact) {
  const agent = new Agent({ keepAlive: true });
  const accessTokens = new Set();
  /** By refresh token, which stands for an account. */
  const refreshes = new Map();
  const note = ({ url, headers }, body) => {
    const bearer = /^Bearer (.+)$/.exec(headers.authorization ?? "");
    if (bearer) accessTokens.add(bearer[1]);
    if (url.startsWith(UPSERT))
      for (const { id } of JSON.parse(body).inputs) onContact(id, performance.now());
    const form = new URLSearchParams(url.endsWith("/token") ? body : "");
    if (form.get("grant_type") !== "refresh_token") return;
    const token = form.get("refresh_token");
    refreshes.set(token, [...(refreshes.get(token) ?? []), performance.now()]);
  };
  const server = createServer((request, response) => {
    const chunks = [];
    request.on("data", (chunk) => chunks.push(chunk));
    request.on("end", () => {
      const body = Buffer.concat(chunks);
      note(request, body.toString());
      const { method, headers } = request;
      const passed = call(hubspot + request.url, { method, headers, agent }, (answer) => {
        response.writeHead(answer.statusCode, answer.headers);
        answer.pipe(response);
      });
      passed.once("error", () => response.destroy());
      passed.end(body);
    });
  });
  server.keepAliveTimeout = 0;
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    refreshes,
    /** Every access token that was used so far is refused from now on. */
    endAccessTokens: async () => {
      for (const token of accessTokens) {
        const body = new URLSearchParams({ client_id: "bench", client_secret: "bench", token });
        const { status } = await fetch(hubspot + REVOKE, { method: "POST", body });
        if (status !== 200) throw new Error(`an access token could not be revoked: ${status}`);
      }
    },
    close: () => {
      server.close();
      server.closeAllConnections();
      agent.destroy();
    },
  };
}
