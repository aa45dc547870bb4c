/** Prepares a portal for the results: creates what is missing of our group and properties, changes nothing that is there. */
import * as v from "valibot";
import type { LeftOutField } from "../../core/connection.ts";
import type { FieldPlan, FieldReport } from "../contract/destination.ts";
import { type Caller, callApi } from "./api.ts";
import { driftOf, type Property, PropertySchema, unfitOf } from "./drift.ts";
import { fetchList } from "./fetch-json.ts";
import { DEFINITIONS, type Definition, GROUP } from "./properties.ts";
import { readProperty } from "./property.ts";
import { roomForProperties } from "./quota.ts";
import { failure, verdictOf } from "./verdict.ts";

const Group = v.object({ name: v.string() });

/** Throws `VENDOR_*`. */
export async function planFields(caller: Caller, leftOut: readonly LeftOutField[] = []): Promise<FieldPlan> {
  const groupExists = await hasGroup(caller);
  const present = await listProperties(caller);
  await addUnlisted(caller, { present, names: leftOut.map(({ name }) => name) });
  const missing = DEFINITIONS.filter(({ name }) => !present.has(name)).map(({ name }) => name);
  const room = missing.length > 0 ? await roomForProperties(caller) : 0;
  return {
    group: { name: GROUP.name, exists: groupExists },
    create: missing.slice(0, room),
    existing: DEFINITIONS.filter(({ name }) => present.has(name)).map(({ name }) => name),
    drifted: driftOf(present),
    overQuota: missing.slice(room),
    leftOut: unfitOf(present),
  };
}

/** Throws `VENDOR_*`; what was created until then stays, and the next run goes on from there. */
export async function applyFields(caller: Caller, plan: FieldPlan): Promise<FieldReport> {
  if (!plan.group?.exists) await createGroup(caller);
  const wanted = DEFINITIONS.filter(({ name }) => plan.create.includes(name));
  const created: string[] = [];
  const met: string[] = [];
  const overQuota = [...plan.overQuota];
  for (const [index, definition] of wanted.entries()) {
    const outcome = await createProperty(caller, definition);
    if (outcome === "no room") {
      overQuota.unshift(...wanted.slice(index).map(({ name }) => name));
      break;
    }
    (outcome === "created" ? created : met).push(definition.name);
  }

  const present = await listProperties(caller);
  const hidden = await addUnlisted(caller, {
    present,
    names: [...met, ...plan.leftOut.map(nameOf)],
    isNew: true,
  });
  // A new definition may take a moment to show in the list; that it was created is proof enough.
  const isThere = (name: string) => present.has(name) || created.includes(name) || met.includes(name);
  const there: string[] = DEFINITIONS.map(nameOf).filter(isThere);
  const unseen = hidden.filter((name) => met.includes(name)).map((name) => ({ name, reason: UNSEEN }));
  const leftOut = [...unfitOf(present), ...unseen];
  return {
    created,
    existing: there.filter((name) => !created.includes(name)),
    drifted: driftOf(present),
    overQuota: overQuota.filter((name) => !isThere(name)),
    leftOut,
    known: there.filter((name) => !leftOut.some((field) => field.name === name)),
  };
}

const UNSEEN = "HubSpot says that it is there, and shows it to nobody";

function nameOf({ name }: { name: string }): string {
  return name;
}

/** A new definition was seen to be readable after 250 to 700 ms, also one that another run has just made. */
const NEW_AFTER_MS = 1_000;

/** Reads by its name what no list shows, as sensitive data. Returns the names that are not to be read even so. */
async function addUnlisted(
  caller: Caller,
  {
    present,
    names,
    isNew = false,
  }: { present: Map<string, Property>; names: readonly string[]; isNew?: boolean },
): Promise<string[]> {
  const hidden: string[] = [];
  for (const name of names) {
    if (present.has(name)) continue;
    const property = await readProperty(caller, name);
    if (property) present.set(name, property);
    else hidden.push(name);
  }
  if (!isNew || hidden.length === 0) return hidden;
  await caller.clock.sleep(NEW_AFTER_MS, caller.access.signal);
  return await addUnlisted(caller, { present, names: hidden });
}

async function hasGroup(caller: Caller): Promise<boolean> {
  const groups = await fetchList(caller, {
    path: caller.paths.propertyGroups,
    item: Group,
    doing: "listing property groups",
  });
  return groups.some(({ name }) => name === GROUP.name);
}

async function listProperties(caller: Caller): Promise<Map<string, Property>> {
  const properties = await fetchList(caller, {
    path: caller.paths.properties,
    item: PropertySchema,
    doing: "listing properties",
  });
  return new Map(properties.map((property) => [property.name, property]));
}

/** How HubSpot answers a group that another run has just created is not documented, so the list decides. */
async function createGroup(caller: Caller): Promise<void> {
  const answer = await callApi(caller, { method: "POST", path: caller.paths.propertyGroups, json: GROUP });
  const verdict = verdictOf(answer, caller.clock.now());
  if (verdict.kind === "done") return;
  if (verdict.kind === "refused" && (await hasGroup(caller))) return;
  throw failure(caller, { verdict, answer, doing: `creating the property group ${GROUP.name}` });
}

/** The name of an archived property may be created: it comes back with this definition. */
async function createProperty(
  caller: Caller,
  definition: Definition,
): Promise<"created" | "existed" | "no room"> {
  const answer = await callApi(caller, { method: "POST", path: caller.paths.properties, json: definition });
  const verdict = verdictOf(answer, caller.clock.now());
  if (verdict.kind === "done") return "created";
  if (answer.status === 409) return "existed";
  // What a full portal answers is not documented either.
  if (verdict.kind === "refused" && (await roomForProperties(caller)) === 0) return "no room";
  throw failure(caller, { verdict, answer, doing: `creating the property ${definition.name}` });
}
