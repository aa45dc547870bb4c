import type { Connection, ConnectionName } from "../core/connection.ts";
import type { KeyedApi } from "../flows/account/key-access.ts";
import type { Tokens } from "../oauth/tokens.ts";
import type { Http } from "../shared/http.ts";
import { type CallSeen, observedHttp } from "../shared/observed-http.ts";
import type { Store } from "../store/contract/store.ts";
import type { Vault } from "../vault/contract.ts";
import type { Access } from "../vendors/contract/access.ts";
import type { Destination } from "../vendors/contract/destination.ts";
import type { InviteDesk } from "../vendors/contract/invite-desk.ts";
import type { LookUp } from "../vendors/contract/look-up.ts";
import type { Source } from "../vendors/contract/source.ts";
import { checkVendor, openDestination, openInviteDesk, openLookUp, openSources } from "../vendors/index.ts";
import { pathIn } from "./configuration.ts";
import { type AppContext, once } from "./context.ts";

/** The vendors, and the way to the accounts that people have with them. */
export interface AccountParts {
  http(): Promise<Http>;
  tokens(): Promise<Tokens>;
  /** Throws `USAGE` for a vendor that results cannot go to, and so does `destination`. */
  checkVendor(vendor: string): void;
  destination(of: ConnectionName): Promise<Destination>;
  sources(): Promise<readonly Source[]>;
  /** Who answers what a vendor's events only name; null for a vendor that answers no questions. */
  lookUp(of: ConnectionName): Promise<LookUp | null>;
  /** Who invites candidates when a stage asks for it; null where `jobcannon.invites_url` names nobody. */
  inviteDesk(): Promise<InviteDesk | null>;
  /** What calls to an account need that opens by an API key. */
  keyAccess(
    of: ConnectionName,
    api: KeyedApi,
    options: { store: Store; signal: AbortSignal },
  ): Promise<Access>;
  /** What calls to a connection's account need. */
  access(connection: Connection, options: { store: Store; signal: AbortSignal }): Promise<Access>;
  /** Tells of each call to a vendor's API, by whatever is opened from now on. */
  observeCalls(seen: (call: CallSeen) => void): void;
}

export function accountParts(context: AppContext, vault: () => Promise<Vault>): AccountParts {
  const { config, clock } = context;
  const http = once(() => openHttp(context));
  let seen: ((call: CallSeen) => void) | null = null;
  const httpTo = async (vendor: string) => (seen ? observedHttp(await http(), vendor, seen) : await http());
  const tokens = once(async () => {
    const { createTokens } = await import("../oauth/tokens.ts");
    return createTokens({ clock, http: await http(), vault: await vault() });
  });
  const destination: AccountParts["destination"] = async ({ org, vendor, environment }) =>
    openDestination(vendor, { config, org, environment, http: await httpTo(vendor), clock });
  return {
    http,
    tokens,
    checkVendor,
    destination,
    sources: openSources,
    lookUp: async ({ org, vendor, environment }) =>
      openLookUp(vendor, { config, org, environment, http: await httpTo(vendor), clock }),
    inviteDesk: async () =>
      openInviteDesk({ http: await httpTo("jobcannon"), clock, url: config["jobcannon.invites_url"] }),
    keyAccess: async (of, api, options) => {
      const { createKeyAccess } = await import("../flows/account/key-access.ts");
      return createKeyAccess({ clock, vault: await vault(), ...options }, of, api);
    },
    access: async (connection, options) => {
      const [{ createAccess }, issuer] = await Promise.all([
        import("../flows/account/access.ts"),
        destination(connection),
      ]);
      const parts = { clock, vault: await vault(), tokens: await tokens(), ...options };
      return createAccess(parts, connection, issuer);
    },
    observeCalls: (observer) => {
      seen = observer;
    },
  };
}

async function openHttp({ world, globals, config, log, closing }: AppContext): Promise<Http> {
  const [{ createHttp }, { proxyFrom }] = await Promise.all([
    import("../shared/http.ts"),
    import("../shared/proxy.ts"),
  ]);
  const proxy = proxyFrom(world.env);
  if (proxy?.authorization) world.redact.learn(proxy.authorization.replace(/^Basic /, ""));
  return closing(
    createHttp({
      caFile: pathIn(config, "network.ca_file", world.cwd),
      proxy,
      ...(globals.verbose ? { trace: (line: string) => log.debug(line) } : {}),
    }),
  );
}
