/** What HubSpot says when it says no: the same form in an error answer and in one record of a batch. */
import * as v from "valibot";

export interface Problem {
  /** Whether it has any mark of HubSpot's form: a bare object may be that of a proxy, or of a vendor in trouble. */
  isSpoken: boolean;
  /** HubSpot's words; may hold personal data. Not stable: decide by category and codes. */
  message: string;
  category: string | null;
  correlationId: string | null;
  /** Which limit was hit, in a 429. */
  policyName: string | null;
  details: Detail[];
  /** What the contexts name: addresses, trace ids, properties. */
  named: string[];
  /** The trace ids among them, by HubSpot's own label. */
  traceIds: string[];
  /** E-mail addresses in the message, in lower case. */
  mentioned: string[];
  /** Any one of them would do. */
  missingScopes: string[];
}

export interface Detail {
  /** As `PROPERTY_DOESNT_EXIST`. */
  code: string | null;
  property: string | null;
  message: string;
}

const text = v.fallback(v.nullable(v.string()), null);
const context = v.fallback(v.record(v.string(), v.fallback(v.array(v.string()), [])), {});

/** Every field is optional in practice: https://developers.hubspot.com/docs/api-reference/error-handling */
const Envelope = v.object({
  status: text,
  message: v.fallback(v.string(), ""),
  category: text,
  correlationId: text,
  policyName: text,
  context,
  errors: v.fallback(v.array(v.fallback(v.object({ message: text, code: text, context }), emptyError)), []),
});

const Embedded = v.array(v.object({ message: text, error: text, name: text }));

function emptyError() {
  return { message: null, code: null, context: {} };
}

/** Null when the value is no JSON object, and so not HubSpot's answer but that of something on the way. */
export function readProblem(value: unknown): Problem | null {
  const parsed = v.safeParse(Envelope, value);
  if (!parsed.success) return null;
  const { status, message, category, correlationId, policyName, context, errors } = parsed.output;
  const contexts = [context, ...errors.map((error) => error.context)];
  const embedded = readEmbedded(message);
  return {
    isSpoken: message !== "" || Boolean(category) || status === "error" || errors.length > 0,
    message: embedded.map((detail) => detail.message).join("; ") || message,
    category,
    correlationId,
    policyName,
    details: [
      ...embedded,
      ...errors.map((error) => ({
        code: error.code,
        property: error.context.propertyName?.[0] ?? null,
        message: error.message ?? "",
      })),
    ],
    named: contexts.flatMap((each) => Object.values(each).flat()),
    traceIds: contexts.flatMap((each) => each.objectWriteTraceId ?? []),
    mentioned: addressesIn(message),
    missingScopes: contexts.flatMap(
      (each) => each.requiredGranularScopes ?? each.missingScopes ?? each.requiredScopes ?? [],
    ),
  };
}

/**
 * HubSpot puts the details of refused values as a JSON array into the message, behind the words "Property values
 * were not valid: ". Seen in its error guide and in real answers.
 */
function readEmbedded(message: string): Detail[] {
  const start = message.indexOf("[");
  if (start < 0) return [];
  try {
    return v
      .parse(Embedded, JSON.parse(message.slice(start)))
      .map(({ message, error, name }) => ({ code: error, property: name, message: message ?? "" }));
  } catch {
    return [];
  }
}

function addressesIn(message: string): string[] {
  return message
    .toLowerCase()
    .split(/[\s"<>()[\]{},;:]+/)
    .map((word) => word.replace(/^['.]+|['.!?]+$/g, ""))
    .filter((word) => word.includes("@"));
}
