/** Which addresses the portal has contacts for. */
import * as v from "valibot";
import { emailKey } from "../../core/event.ts";
import { AppError } from "../../shared/errors.ts";
import { type Caller, callApi } from "./api.ts";
import { failure, verdictOf } from "./verdict.ts";

/** https://developers.hubspot.com/docs/api-reference/latest/crm/objects/contacts/guide */
const MOST_PER_READ = 100;

const address = v.nullish(v.string(), "");
const Found = v.object({
  results: v.array(v.object({ properties: v.object({ email: address, hs_additional_emails: address }) })),
});

/** In the order given; a secondary address counts too. Throws `VENDOR_*`. */
export async function presentContacts(caller: Caller, emails: readonly string[]): Promise<string[]> {
  const present = new Set<string>();
  for (let from = 0; from < emails.length; from += MOST_PER_READ)
    for (const found of await readPage(caller, emails.slice(from, from + MOST_PER_READ))) present.add(found);
  return emails.filter((email) => present.has(email));
}

/** An answer does not say which address met which contact, so each contact is asked for all of its own. */
async function readPage(caller: Caller, emails: readonly string[]): Promise<string[]> {
  const doing = "looking for contacts";
  const answer = await callApi(caller, {
    method: "POST",
    path: `${caller.paths.contacts}/batch/read`,
    json: {
      idProperty: "email",
      properties: ["email", "hs_additional_emails"],
      propertiesWithHistory: [],
      inputs: emails.map((id) => ({ id })),
    },
  });
  const verdict = verdictOf(answer, caller.clock.now(), caller.access.timeZone);
  if (verdict.kind !== "done") throw failure(caller, { verdict, answer, doing });
  const parsed = v.safeParse(Found, answer.body);
  if (!parsed.success)
    throw new AppError("VENDOR_UNEXPECTED", `HubSpot's answer to ${doing} is out of shape`);
  return parsed.output.results.flatMap(({ properties }) =>
    [properties.email, ...properties.hs_additional_emails.split(";")].map(emailKey),
  );
}
