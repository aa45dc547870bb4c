import { BOT_TOKEN } from "./alerts/bot-token.ts";
import type { DeclaredSecret } from "./core/declared-secret.ts";
import { METRICS_TOKEN } from "./core/metrics-token.ts";
import { VENDORS } from "./vendors/index.ts";

/** Every secret there is, in the order in which people see them. */
export const DECLARED_SECRETS: readonly DeclaredSecret[] = [
  ...VENDORS.flatMap(({ secrets }) => secrets),
  BOT_TOKEN,
  METRICS_TOKEN,
];
