/** Values of an application's properties, as the vendor tells them: `{}` where there are none. */
import * as v from "valibot";
import type { Projection } from "../../../core/push.ts";
import { ask } from "../calling/ask.ts";
import type { Caller } from "../calling/api.ts";
import { ENDPOINTS } from "./contract.ts";
import { propertyOf } from "./properties.ts";
import { findWhose } from "./whose.ts";

export const Values = v.object({
  content: v.fallback(v.array(v.object({ id: v.string(), value: v.unknown() })), []),
});

/** By the names that were sent; blank for one that is not there. Null where nobody there is meant. Throws `VENDOR_*`. */
export async function readValues(
  caller: Caller,
  { sent, fields }: { sent: Projection; fields: readonly string[] },
): Promise<Record<string, string> | null> {
  const found = await findWhose(caller, sent);
  if ("refused" in found || found.whose.kind !== "one") return null;
  const { content } = await ask(caller, {
    endpoint: ENDPOINTS.values,
    params: { ...found.whose.application },
    schema: Values,
    doing: "reading an application's values",
  });
  const shown = new Map(content.map(({ id, value }) => [id, String(value)]));
  return Object.fromEntries(
    fields.flatMap((name) => {
      const property = propertyOf(name);
      return property ? [[name, shown.get(property.id) ?? ""] as const] : [];
    }),
  );
}
