/** HubSpot serves one model under several versions; this takes the version out of the path. */
export type Version = "v1" | "v3" | "2026-03" | "2026-09";

/** Those that serve all of the API; `v1` only hands out tokens. */
export const SERVED_VERSIONS: readonly Version[] = ["v3", "2026-03", "2026-09"];

const NUMBERED: Readonly<Record<string, Version>> = { v1: "v1", v3: "v3" };
const DATED: Readonly<Record<string, Version>> = { "2026-03": "2026-03", "2026-09": "2026-09" };

export interface VersionedPath {
  version: Version | undefined;
  /** Without the version, and with `contacts` for their object type id `0-1`. */
  path: string;
}

/**
 * `/crm/v3/objects/contacts` and `/crm/objects/2026-03/0-1` are both `/crm/objects/contacts`: under `/crm` a numbered
 * version stands before the area and a dated one after it; elsewhere (`/oauth/v3/token`) there is one place.
 */
export function readPath(path: string): VersionedPath {
  const segments = path.split("/");
  const numbered = NUMBERED[segments[2] ?? ""];
  const datedAt = segments[1] === "crm" ? 3 : 2;
  const version = numbered ?? DATED[segments[datedAt] ?? ""];
  if (version === undefined) return { version, path };
  segments.splice(numbered ? 2 : datedAt, 1);
  if (segments[1] === "crm" && segments[3] === "0-1") segments[3] = "contacts";
  return { version, path: segments.join("/") };
}
