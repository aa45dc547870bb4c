import type { AdminLink, OpenedAdminLink } from "../../core/admin.ts";

export type AdminLinkRow = AdminLink & { usedAt: number | null };

/** What becomes of a link that is opened; `found` is undefined for one that never was. */
export function openedLinkOf(found: AdminLinkRow | undefined, now: number): OpenedAdminLink {
  if (!found) return { kind: "unknown" };
  const { usedAt, ...link } = found;
  if (usedAt !== null) return { kind: "used" };
  return link.expiresAt <= now ? { kind: "expired" } : { kind: "good", link };
}
