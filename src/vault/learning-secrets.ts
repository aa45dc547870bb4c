import type { Redactor } from "../shared/redact.ts";
import type { Secret } from "../shared/secret.ts";
import type { Vault } from "./contract.ts";

/** A vault whose secrets are in no text that is shown from then on. */
export function learningSecrets(vault: Vault, redact: Redactor): Vault {
  const learn = (items: Iterable<[name: string, kept: Secret | null]>) => {
    for (const [name, kept] of items) {
      const text = kept?.reveal() ?? "";
      const tokens = [...text.matchAll(/"(?:accessToken|refreshToken)":"([^"\\]+)"/g)].map(
        ([, token]) => token,
      );
      for (const secret of name.startsWith("token/") ? tokens : [text]) redact.learn(secret ?? "");
    }
  };
  return {
    ...vault,
    read: async (names) => {
      const found = await vault.read(names);
      learn(found);
      return found;
    },
    write: async (changes) => {
      learn(changes);
      await vault.write(changes);
    },
  };
}
