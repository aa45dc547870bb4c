/** `/_control/smartrecruiters` of the published face: what people of the company do in its windows. */
import { badInput } from "../../control.ts";
import { isRecord, json, parseJson, type Reply } from "../../http.ts";
import type { ControlRoute } from "../../vendor.ts";
import type { Company } from "../company.ts";
import { isText } from "../input.ts";
import { companyOf, type SmartWorld } from "../world.ts";
import { apply, createCandidate, idsOf, moveApplication } from "./candidates.ts";
import { fireEvent } from "./deliveries.ts";
import { isDefinitions } from "./definitions.ts";

export function publishedControl(world: SmartWorld): ControlRoute[] {
  return [
    { method: "GET", path: "/published", answer: () => json(200, [...world.companies.values()].map(show)) },
    { method: "GET", path: "/results", answer: () => json(200, resultsIn(world)) },
    { method: "POST", path: "/properties", answer: ({ body }) => define(world, parseJson(body)) },
    { method: "POST", path: "/values", answer: ({ body }) => setValues(world, parseJson(body)) },
    { method: "POST", path: "/applications", answer: ({ body }) => addApplication(world, parseJson(body)) },
    { method: "POST", path: "/applications/move", answer: ({ body }) => move(world, parseJson(body)) },
    { method: "POST", path: "/published/events", answer: ({ body }) => fireAny(world, parseJson(body)) },
    { method: "POST", path: "/published/suspend", answer: () => suspend(world) },
    { method: "POST", path: "/published/drop", answer: () => drop(world) },
  ];
}

function show({ id, published }: Company): object {
  const { subscriptions, applications, mostAtOnce } = published;
  return {
    company: id,
    subscriptions: [...subscriptions.values()],
    applications: [...applications.values()],
    mostAtOnce,
  };
}

/** What recruiters see of each application: its properties by their keys, and its candidate's notes. */
function resultsIn(world: SmartWorld): object[] {
  const keyOf = (wanted: string) => world.definitions.find(({ id }) => id === wanted)?.key ?? wanted;
  return [...world.companies.values()].flatMap(({ id: company, published }) =>
    [...published.applications.values()].map(({ values, applicationId, candidateId, jobId }) => ({
      ...{ company, applicationId, candidateId, jobId },
      properties: Object.fromEntries([...values].map(([id, value]) => [keyOf(id), value])),
      notes: published.notes.filter(({ candidateIds }) => candidateIds.includes(candidateId)),
    })),
  );
}

/** An administrator's definitions from now on; those that are gone take their values along. */
function define(world: SmartWorld, input: unknown): Reply {
  if (!isDefinitions(input)) return badInput("a list of {id, key, label, type}");
  world.definitions = input;
  const known = new Set(input.map(({ id }) => id));
  for (const { published } of world.companies.values())
    for (const { values } of published.applications.values())
      for (const id of values.keys()) if (!known.has(id)) values.delete(id);
  return json(200, input);
}

/** A recruiter changes values of an application, by their keys; null takes one away. */
function setValues(world: SmartWorld, input: unknown): Reply {
  if (!isRecord(input) || !isRecord(input.values)) return badInput("{applicationId, values: {key: value}}");
  const all = [...world.companies.values()].flatMap(({ published }) => [...published.applications.values()]);
  const application = all.find(({ applicationId }) => applicationId === input.applicationId);
  if (!application) return json(404, { message: "there is no such application" });
  for (const [key, value] of Object.entries(input.values)) {
    const id = world.definitions.find((each) => each.key === key)?.id;
    if (id === undefined) return badInput(`there is no property ${key}`);
    if (value === null) application.values.delete(id);
    else application.values.set(id, value);
  }
  return json(200, input.values);
}

/** Somebody applies for a job. */
function addApplication(world: SmartWorld, input: unknown): Reply {
  if (!isRecord(input)) return badInput("an application is a JSON object");
  const { clientId, email, firstName = "Ann", lastName = "Lee", jobId } = input;
  if (![clientId, email, firstName, lastName, jobId].every(isText))
    return badInput("clientId, email, firstName, lastName and jobId must be texts");
  const company = companyOf(world, String(clientId));
  const person = { firstName: String(firstName), lastName: String(lastName), email: String(email) };
  const known = [...company.candidates.values()].find((each) => each.email === person.email);
  const candidate = (input.isNew === true ? undefined : known) ?? createCandidate(world, company, person);
  return json(201, apply(world, company, candidate, String(jobId)));
}

/** A recruiter moves an application to another stage. */
function move(world: SmartWorld, input: unknown): Reply {
  if (!isRecord(input)) return badInput("a move is a JSON object");
  const { applicationId, status, subStatus = null } = input;
  if (!isText(applicationId) || !isText(status) || !(subStatus === null || isText(subStatus)))
    return badInput("applicationId and status must be texts, subStatus text or null");
  for (const company of world.companies.values()) {
    const application = company.published.applications.get(applicationId);
    if (!application) continue;
    moveApplication(world, company, application, { status, subStatus });
    return json(200, application);
  }
  return json(404, { message: `there is no application ${applicationId}` });
}

/** Any event, as often as wanted: of a company's application, or with these ids. */
function fireAny(world: SmartWorld, input: unknown): Reply {
  if (!isRecord(input)) return badInput("an event is a JSON object");
  const { clientId, name = "application.status.updated", applicationId, id, ids } = input;
  if (!isText(clientId) || !isText(name)) return badInput("clientId and name must be texts");
  const company = companyOf(world, clientId);
  // Somebody there wants to hear of it, or it would not be sent.
  for (const { events } of company.published.subscriptions.values())
    if (!events.some((each) => each.name === name)) events.push({ name, version: "v201910" });
  const application = company.published.applications.get(String(applicationId));
  const told = application ? idsOf(application) : isTexts(ids) ? ids : null;
  if (told === null) return badInput("applicationId or ids must say of what");
  fireEvent(world, company, name, told, ...(isText(id) ? [id] : []));
  return json(202, told);
}

function isTexts(value: unknown): value is Record<string, string> {
  return isRecord(value) && Object.values(value).every(isText);
}

/** The vendor suspends what is active. */
function suspend(world: SmartWorld): Reply {
  for (const { published } of world.companies.values())
    for (const subscription of published.subscriptions.values())
      if (subscription.status === "active") subscription.status = world.published.suspendedStatus;
  return json(200, {});
}

/** An admin removes every subscription. */
function drop(world: SmartWorld): Reply {
  for (const { published } of world.companies.values()) published.subscriptions.clear();
  return json(200, {});
}
