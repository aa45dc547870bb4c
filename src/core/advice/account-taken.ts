import { AppError } from "../../shared/errors.ts";
import type { Connection, ConnectionName } from "../connection.ts";
import { disconnectCommand } from "./command-lines.ts";

/** Two orgs in one account would be two customers' candidates in one place. `owner`: whose it is. */
export function accountTaken(owner: ConnectionName & Pick<Connection, "account">): AppError {
  const { org, vendor, account } = owner;
  return new AppError(
    "USAGE",
    `account ${account?.id ?? ""} of ${vendor} belongs to ${org}, which is connected to it`,
    {
      hint: `Nothing was changed. One account belongs to one org: choose another one, or disconnect that org first: ${disconnectCommand(owner)}`,
    },
  );
}

/** What stands in `status` of each of two orgs that share an account since a version that allowed it. */
export function sharedAccountTrouble(
  connection: ConnectionName & Pick<Connection, "account">,
  other: ConnectionName,
): string {
  return `account ${connection.account?.id ?? ""} is connected for ${other.org} too, so that candidates of both come into one account. Disconnect the wrong one: ${disconnectCommand(other)} or ${disconnectCommand(connection)}`;
}
