/** The privacy deletion: the contact is gone for good, and its address is not taken again. */
import type { ErasedPerson, Erasure } from "../contract/destination.ts";
import { type Caller, callApi } from "./api.ts";
import { failure, verdictOf } from "./verdict.ts";

/**
 * By every id first, which also finds a contact whose address was changed there, then by every address: one that no contact
 * has goes onto HubSpot's blocklist. Throws `VENDOR_*`.
 */
export async function eraseContacts(
  caller: Caller,
  { subjects, records }: Pick<ErasedPerson, "subjects" | "records">,
): Promise<Erasure> {
  for (const id of records) await eraseOne(caller, { objectId: id });
  for (const email of subjects) await eraseOne(caller, { objectId: email, idProperty: "email" });
  const all = subjects.length === 1 ? "the address" : `${subjects.length} addresses`;
  return { words: `HubSpot was asked to delete ${all} for good`, left: null };
}

async function eraseOne(caller: Caller, json: { objectId: string; idProperty?: "email" }): Promise<void> {
  const answer = await callApi(caller, { method: "POST", path: caller.paths.eraseContact, json });
  // One that is gone already.
  if (answer.status === 404 && answer.problem) return;
  const verdict = verdictOf(answer, caller.clock.now());
  if (verdict.kind !== "done")
    throw failure(caller, { verdict, answer, doing: "deleting a contact for good" });
}
