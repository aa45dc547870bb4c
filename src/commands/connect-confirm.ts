import { plain } from "../shared/text.ts";
import { reportConnected } from "./session/connected-report.ts";
import type { Session } from "./session/with-app.ts";

/** Says that the account that came by a link is the right one: it is prepared, and what waited for it goes out. */
export async function runConnectConfirm(
  session: Session,
  vendor: string,
  options: { sandbox?: boolean; account?: string; allowCrossRegion?: boolean },
): Promise<void> {
  const { app, world, print } = session;
  const { confirmAccount } = await import("../flows/connect/confirm.ts");
  const name = { org: app.org, vendor, environment: options.sandbox ? "sandbox" : "production" } as const;
  const destination = await app.destination(name);
  const store = await app.store();
  const connected = await confirmAccount(
    {
      store,
      clock: app.clock,
      destination,
      config: app.config,
      accessTo: (connection) => app.access(connection, { store, signal: world.signal }),
    },
    name,
    { accountId: options.account ?? null, allowsCrossRegion: options.allowCrossRegion === true },
  );
  if (connected !== null)
    return reportConnected(session, { connected, destination, vault: (await app.vault()).describe() });
  const account = (await store.connection(name))?.account ?? null;
  const which = account ? `${plain(account.name)} (${account.id})` : "the account";
  print({
    json: { account, released: 0, waiting: 0 },
    text: () => `Nothing waits: ${which} is confirmed already.`,
  });
}
