/** Whether a webhook is SmartRecruiters' own, and what may be wrong when it is not. */
import { AppError } from "../../shared/errors.ts";
import type { Delivery, Verified } from "../contract/source.ts";
import type { SourceSecret } from "../../core/source-secret.ts";
import { signatureHint } from "./guide.ts";
import { PROFILES, type Signature } from "./profiles.ts";

/** Throws `SIGNATURE_INVALID` unless one of the secrets signed these very bytes; that one tells the org. */
export function verifyWebhook(
  delivery: Delivery,
  secrets: readonly SourceSecret[],
): Verified & { eventId: null } {
  const presented = presentedIn(delivery);
  const signer = secrets.find(({ secret }) => presented.isBy(secret, presented.value, delivery));
  if (signer) return { eventId: null, org: signer.org, environment: signer.environment };
  throw explain(presented, delivery, secrets);
}

interface Presented extends Signature {
  value: string;
}

/** The header tells which profile signed. */
function presentedIn({ headers }: Delivery): Presented {
  const signatures = Object.values(PROFILES).map(({ signature }) => signature);
  for (const signature of signatures) {
    const value = headers[signature.header.toLowerCase()];
    if (value) return { ...signature, value };
  }
  throw invalid(`${signatures.map(({ header }) => header).join(" or ")} is missing`, "header");
}

function explain(presented: Presented, delivery: Delivery, secrets: readonly SourceSecret[]): AppError {
  const { header, value, isBy } = presented;
  const wasChanged = rewritten(delivery.body).some((body) =>
    secrets.some(({ secret }) => isBy(secret, value, { ...delivery, body })),
  );
  return wasChanged
    ? invalid("the body was changed on its way: the signature fits other bytes of the same JSON", "body")
    : invalid(`${header} fits none of our secrets`, "secret");
}

/** Nobody signs a body this long, and it is a stranger's: writing it again would be work for nothing. */
const LONGEST_REWRITTEN_BYTES = 64 * 1024;

/** The same JSON as something on the way may have met it: what it passed on is not what was signed. */
function rewritten(body: Buffer): Buffer[] {
  if (body.length > LONGEST_REWRITTEN_BYTES) return [];
  try {
    const value: unknown = JSON.parse(body.toString("utf8"));
    const texts = [JSON.stringify(value), spaced(value), JSON.stringify(value, null, 2)];
    return [...texts, ...texts.map(inAscii)].map((text) => Buffer.from(text));
  } catch {
    return [];
  }
}

/** As Python writes JSON: one line, with a blank behind every comma and colon. */
function spaced(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(spaced).join(", ")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const members = Object.entries(value).map(([name, each]) => `${JSON.stringify(name)}: ${spaced(each)}`);
  return `{${members.join(", ")}}`;
}

function inAscii(json: string): string {
  return json.replace(
    /[\u0080-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

function invalid(reason: string, fault: Parameters<typeof signatureHint>[0]): AppError {
  return new AppError("SIGNATURE_INVALID", reason, { hint: signatureHint(fault) });
}
