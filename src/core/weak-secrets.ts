/** What is wrong with webhook secrets: whoever guesses one, or has another org's, makes events that we believe. Pure. */
import type { Secret } from "../shared/secret.ts";
import type { SourceSecret } from "./source-secret.ts";

/** What Standard Webhooks asks for at least. */
export const FEWEST_KEY_BYTES = 24;

/** Of the key that signs: what is behind `whsec_` is base64, any other text is the key itself. */
export function keyBytesOf(secret: Secret): number {
  const text = secret.reveal().trim();
  const base64 = /^whsec_(.*)$/.exec(text)?.[1];
  return base64 === undefined ? Buffer.byteLength(text) : Buffer.from(base64, "base64").length;
}

/** In words, one line for each; empty where all is well. */
export function weaknessesOf(name: string, secrets: readonly SourceSecret[]): string[] {
  return secrets.flatMap((each, index) => {
    const bytes = keyBytesOf(each.secret);
    const other = secrets.slice(0, index).find((one) => isSharedBy(one, each));
    return [
      ...(bytes < FEWEST_KEY_BYTES
        ? [
            `${name} of ${placeWords(each)} has ${bytes} bytes and can be guessed: ${FEWEST_KEY_BYTES} or more are safe`,
          ]
        : []),
      ...(other
        ? [`${name} of ${placeWords(each)} is that of ${placeWords(other)} too: give each its own`]
        : []),
    ];
  });
}

/** Another place with the same secret: then it does not tell whose event it signed. */
export function isSharedBy(one: SourceSecret, other: SourceSecret): boolean {
  const isSamePlace = one.org === other.org && one.environment === other.environment;
  return !isSamePlace && one.secret.reveal().trim() === other.secret.reveal().trim();
}

export function placeWords({ org, environment }: Pick<SourceSecret, "org" | "environment">): string {
  return `${org ?? "every org"}${environment === "sandbox" ? " (sandbox)" : ""}`;
}
