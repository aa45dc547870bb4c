import type { Connection, Environment } from "../../core/connection.ts";
import { DEFAULT_ATS } from "../../core/default-vendor.ts";
import { AppError } from "../../shared/errors.ts";
import type { Store } from "../../store/contract/store.ts";
import type { Destination } from "../../vendors/contract/destination.ts";
import type { Ats } from "../../vendors/contract/ats.ts";
import type { Access } from "../../vendors/contract/access.ts";
import { connectCommand } from "../../core/advice/command-lines.ts";
import type { AccountContext } from "../account/context.ts";

/** A connected applicant tracking system, ready for calls. */
export interface OpenAts {
  connection: Connection;
  destination: Destination;
  ats: Ats;
  access: Access;
}

/** Throws `USAGE` for a vendor that is none, `RECONNECT_NEEDED` where the org is not connected to it. */
export async function openAts(
  account: Pick<AccountContext, "destination" | "access">,
  store: Store,
  {
    org,
    vendor,
    environment,
    signal,
  }: { org: string; vendor: string; environment: Environment; signal: AbortSignal },
): Promise<OpenAts> {
  const destination = await account.destination({ org, vendor, environment });
  const ats = atsOf(destination);
  const connection = await store.connection({ org, vendor, environment });
  if (!connection?.account || connection.state === "not_connected") {
    throw new AppError(
      "RECONNECT_NEEDED",
      `${org} is not connected to ${destination.label} (${environment})`,
      {
        hint: connectCommand({ org, vendor, environment }),
      },
    );
  }
  return { connection, destination, ats, access: await account.access(connection, { store, signal }) };
}

export function atsOf(destination: Pick<Destination, "label" | "ats">): Ats {
  if (destination.ats) return destination.ats;
  throw new AppError("USAGE", `${destination.label} is no applicant tracking system`, {
    hint: `Webhooks and the assessment catalogue belong to ${DEFAULT_ATS}.`,
  });
}
