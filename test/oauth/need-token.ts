/** A process that waits for a line, needs a live token, and says which it got. */
import { once } from "node:events";
import { createTokens } from "../../src/oauth/tokens.ts";
import { systemClock } from "../../src/shared/clock.ts";
import { createHttp } from "../../src/shared/http.ts";
import { secret } from "../../src/shared/secret.ts";
import { openVault } from "../../src/vault/open.ts";

const { options, connection, issuer, clientSecret = "right" } = JSON.parse(process.argv[2] ?? "{}");
const http = createHttp({ caFile: null, proxy: null });
const vault = openVault({ ...options, childUrl: new URL(options.childUrl), clock: systemClock });
const tokens = createTokens({ clock: systemClock, http, vault });
console.log("ready");
await once(process.stdin, "data");
process.stdin.destroy();
const token = await tokens.token({ connection, issuer, clientSecret: async () => secret(clientSecret) });
console.log(token.reveal());
await vault.close();
await http.close();
