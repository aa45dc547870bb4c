import type { DeclaredSecret } from "../core/declared-secret.ts";

/** The secret with which alerts are sent; apart from the sending, since `status` only asks whether it is set. */
export const BOT_TOKEN: DeclaredSecret = { name: "telegram.bot-token", isOrgs: false, rotates: false };
