/** The shapes of a refusal: the API's own, and the token endpoint's, which is RFC 6749's. */
import { json, type Reply } from "../http.ts";

export function failure(
  status: number,
  code: string,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): Reply {
  return json(status, { message, errors: [{ code, message }] }, headers);
}

export function invalid(message: string): Reply {
  return failure(422, "INVALID_INPUT", message);
}

export function notFound(message: string): Reply {
  return failure(404, "NOT_FOUND", message);
}

export function oauthFailure(status: number, error: string, description: string): Reply {
  return json(status, { error, error_description: description });
}
