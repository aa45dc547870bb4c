/** HubSpot's error bodies (https://developers.hubspot.com/docs/api-reference/error-handling). */
import { randomUUID } from "node:crypto";
import { json, type Reply } from "../http.ts";

export const CORRELATION_HEADER = "x-hubspot-correlation-id";

export interface ApiError {
  message: string;
  category?: string;
  subCategory?: string;
  context?: Record<string, string[]>;
  errors?: unknown[];
  links?: Record<string, string>;
}

/** The error envelope; the correlation id stands in the body and in a header. */
export function failure(
  status: number,
  error: object,
  headers: Readonly<Record<string, string>> = {},
): Reply {
  const correlationId = randomUUID();
  const body = { status: "error", correlationId, ...error };
  return json(status, body, { ...headers, [CORRELATION_HEADER]: correlationId });
}

export function apiFailure(status: number, error: ApiError): Reply {
  return failure(status, error);
}

export function invalid(message: string, more: Partial<ApiError> = {}): Reply {
  return apiFailure(400, { message, category: "VALIDATION_ERROR", ...more });
}

export function notFound(message: string): Reply {
  return apiFailure(404, { message, category: "OBJECT_NOT_FOUND" });
}

/**
 * The token endpoint's errors carry the RFC 6749 pair and HubSpot's older pair side by side
 * (https://developers.hubspot.com/changelog/new-oauth-v3-api-endpoints-and-standardized-error-responses).
 */
export function oauthFailure(error: string, status: string, message: string): Reply {
  return failure(400, { status, message, error, error_description: message });
}

/** A refusal before it is known whether it becomes an answer of its own or one line of a batch's errors. */
export interface Refusal {
  refused: number;
  error: ApiError;
}

export function refusal(status: number, category: string, message: string, subCategory?: string): Refusal {
  return { refused: status, error: { message, category, ...(subCategory && { subCategory }) } };
}

export function invalidInput(message: string, subCategory?: string): Refusal {
  return refusal(400, "VALIDATION_ERROR", message, subCategory);
}

export function isRefusal(value: object): value is Refusal {
  return "refused" in value;
}

export function refuse({ refused, error }: Refusal): Reply {
  return apiFailure(refused, error);
}
