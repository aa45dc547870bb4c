import { join } from "node:path";
import { connectCommand } from "../../core/advice/command-lines.ts";
import { DEFAULT_VENDOR } from "../../core/default-vendor.ts";
import { copiedWords } from "../../core/advice/copied-log.ts";
import { copiedMark } from "../../shared/copied-log.ts";
import { AppError } from "../../shared/errors.ts";
import { isPostgres } from "../../shared/store-url.ts";
import type { Store } from "../../store/contract/store.ts";
import type { Session } from "./with-app.ts";

/** The log, for a command that only looks; null where there is none yet. Throws `USAGE` as `refuseMistyped` does. */
export async function logToRead(session: Session, vendor?: string): Promise<Store | null> {
  await refuseMistyped(session, vendor);
  const { stateDir, config } = session.app;
  const mark = isPostgres(config["store.url"]) ? null : copiedMark(stateDir);
  if (mark) session.say(copiedWords(join(stateDir, "log.db"), mark));
  return await session.app.storeToRead();
}

/** An org that was typed and that nothing knows, or a vendor that is none: what is found for it would be nothing, and a lie. */
export async function refuseMistyped({ app, globals }: Session, vendor?: string): Promise<void> {
  if (vendor !== undefined) app.checkVendor(vendor);
  if (globals.org === undefined || Object.hasOwn(app.config.orgs, app.org)) return;
  const overview = await (await app.storeToRead())?.overview(app.org, app.clock.now());
  if (!overview?.orgs.includes(app.org)) throw unknownOrg(app);
}

export function unknownOrg({ org, stateDir }: Session["app"]): AppError {
  return new AppError("USAGE", `nothing is known of the org ${org}`, {
    hint: `Check --org and --state-dir (${stateDir}), or begin: ${connectCommand({ org, vendor: DEFAULT_VENDOR, environment: "production" })}`,
  });
}
