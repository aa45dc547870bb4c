/** A made-up contact in a test portal: read back, and archived. */
import * as v from "valibot";
import type { Account } from "../../core/connection.ts";
import { AppError } from "../../shared/errors.ts";
import { type Caller, callApi } from "./api.ts";
import { failure, verdictOf } from "./verdict.ts";

/** https://developers.hubspot.com/docs/getting-started/account-types */
const TEST_ACCOUNTS = ["DEVELOPER_TEST", "SANDBOX"];

export function refuseTrial(account: Account | null): string | null {
  if (account === null || TEST_ACCOUNTS.includes(account.kind ?? "")) return null;
  const kind = account.kind === null ? "of a kind that HubSpot does not tell" : `a ${account.kind} account`;
  return `${account.name} is ${kind}, and a made-up contact belongs into a test account only (${TEST_ACCOUNTS.join(" or ")})`;
}

const Contact = v.object({ id: v.string(), properties: v.record(v.string(), v.nullable(v.string())) });

/** Null for an address that no contact has. Throws `VENDOR_*`. */
export async function readContact(
  caller: Caller,
  { subject, fields }: { subject: string; fields: readonly string[] },
): Promise<Record<string, string> | null> {
  const contact = await findContact(caller, subject, fields);
  if (contact === null) return null;
  return Object.fromEntries(
    Object.entries(contact.properties).flatMap(([name, value]) =>
      value === null || !fields.includes(name) ? [] : [[name, value]],
    ),
  );
}

/** Archives it, as a person in the portal would: it can be restored for 90 days. Throws `VENDOR_*`. */
export async function removeContact(caller: Caller, email: string): Promise<boolean> {
  const contact = await findContact(caller, email, ["email"]);
  if (contact === null) return false;
  const path = `${caller.paths.contacts}/${encodeURIComponent(contact.id)}`;
  const answer = await callApi(caller, { method: "DELETE", path });
  const verdict = verdictOf(answer, caller.clock.now());
  if (verdict.kind !== "done") throw failure(caller, { verdict, answer, doing: "archiving a contact" });
  return true;
}

async function findContact(caller: Caller, email: string, fields: readonly string[]) {
  const query = new URLSearchParams({ idProperty: "email", properties: fields.join(",") });
  const path = `${caller.paths.contacts}/${encodeURIComponent(email)}?${query}`;
  const answer = await callApi(caller, { method: "GET", path });
  if (answer.status === 404 && answer.problem) return null;
  const doing = "reading a contact";
  const verdict = verdictOf(answer, caller.clock.now());
  if (verdict.kind !== "done") throw failure(caller, { verdict, answer, doing });
  const parsed = v.safeParse(Contact, answer.body);
  if (parsed.success) return parsed.output;
  throw new AppError("VENDOR_UNEXPECTED", `HubSpot's answer to ${doing} is out of shape`);
}
