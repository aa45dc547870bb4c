import type { Globals, World } from "../../shared/world.ts";

/** So many of the newest invitations are worth a look. */
const INVITATIONS = 100;

/** The orgs, or the org's newest invitations, that are known here; null where that is no matter of the log. */
export async function knownToLog(
  placeholder: string,
  { world, globals }: { world: World; globals: Globals },
): Promise<readonly string[] | null> {
  if (placeholder !== "slug" && placeholder !== "invitation") return null;
  const { openApp } = await import("../../app.ts");
  const app = openApp(world, globals, { isAttended: false });
  try {
    const store = await app.storeToRead();
    if (placeholder === "invitation") {
      const found = (await store?.invites({ org: app.org, limit: INVITATIONS })) ?? [];
      return found.map(({ invite }) => invite.invitationId);
    }
    const orgs = (await store?.overview(app.org, app.clock.now()))?.orgs ?? [];
    return [...new Set([...orgs, ...Object.keys(app.config.orgs), app.config.org])].toSorted();
  } finally {
    await app.close();
  }
}
