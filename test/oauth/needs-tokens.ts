/** A process that needs a live token whenever a line names the time, and says what came of it. */
import { createInterface } from "node:readline";
import { createTokens } from "../../src/oauth/tokens.ts";
import { isAppError } from "../../src/shared/errors.ts";
import { systemClock } from "../../src/shared/clock.ts";
import { createHttp } from "../../src/shared/http.ts";
import { secret } from "../../src/shared/secret.ts";
import { openVault } from "../../src/vault/open.ts";

const { options, connection, issuer } = JSON.parse(process.argv[2] ?? "{}");
let aheadMs = 0;
const clock = { ...systemClock, now: () => systemClock.now() + aheadMs };
const http = createHttp({ caFile: null, proxy: null });
const vault = openVault({ ...options, childUrl: new URL(options.childUrl), clock });
const tokens = createTokens({ clock, http, vault });
const clientSecret = async () => {
  // Asked for by the one that holds the refresh lock, right before its refresh begins.
  console.log("refreshing");
  return secret("right");
};
console.log("ready");
for await (const line of createInterface(process.stdin)) {
  aheadMs = Number(line);
  try {
    console.log((await tokens.token({ connection, issuer, clientSecret })).reveal());
  } catch (error) {
    if (!isAppError(error)) throw error;
    console.log(`${error.code} ${error.message}`);
  }
}
