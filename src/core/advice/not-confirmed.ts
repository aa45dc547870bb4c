import { AppError } from "../../shared/errors.ts";
import { plain } from "../../shared/text.ts";
import { type Connection, connectionName } from "../connection.ts";
import { connectCommand } from "./command-lines.ts";

/** An account that came by a link is told nothing, and not looked into, before an operator knows it. */
export function notConfirmed(connection: Connection): AppError {
  return new AppError(
    "CONFIG_INVALID",
    `${connectionName(connection)}: account ${connection.account?.id ?? ""} came by a link and is not confirmed`,
    { hint: `If it is the right one: ${connectCommand(connection, "--confirm")}` },
  );
}

/** What stands in `status` until then. */
export function confirmWords(connection: Connection): string {
  const { account } = connection;
  const which = account ? `${plain(account.name)} (${account.id})` : "this account";
  return `${which} came by a link and waits for you, as do its results. If it is the right one: ${connectCommand(connection, "--confirm")}`;
}
