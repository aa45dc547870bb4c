import { ofVault } from "../../core/advice/database.ts";
import { storeErrors } from "../../postgres/errors.ts";
import { AppError, isAppError } from "../../shared/errors.ts";

/** What the database or the way to it refuses, as `VAULT_UNAVAILABLE`; a bug stays one. */
export async function vaultErrors<Result>(setting: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await storeErrors(setting, work);
  } catch (error) {
    if (!isAppError(error) || !/^(STORE_UNAVAILABLE|STORE_TOO_NEW)$/.test(error.code)) throw error;
    const { message, hint } = error;
    throw new AppError("VAULT_UNAVAILABLE", ofVault(message), {
      ...(hint === undefined ? {} : { hint }),
      cause: error,
    });
  }
}
