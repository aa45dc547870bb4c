import { AppError } from "../../shared/errors.ts";
import type { ConnectionName } from "../connection.ts";
import { connectCommand, VAULT_COMMAND } from "./command-lines.ts";

/** The log knows a connection whose tokens the vault lacks, as after a restore on another machine: the vendor took nothing back. */
export function vaultWithoutTokens(of: ConnectionName, label: string): AppError {
  const { org, environment } = of;
  const whose = environment === "sandbox" ? `${org}, sandbox` : org;
  return new AppError("VAULT_UNAVAILABLE", `the vault has no tokens of ${label} (${whose})`, {
    hint: `Bring the vault and its key back to where ${VAULT_COMMAND} looks for them, or connect anew: ${connectCommand(of)}`,
  });
}
