/** Candidate properties: what an administrator defined, and each application's values. No call creates a definition. */
import { empty, isRecord, json, type Reply } from "../../http.ts";
import { failure, invalid } from "../errors.ts";
import type { SmartWorld } from "../world.ts";
import type { PublishedCall, PublishedRoute } from "./api.ts";
import { idsOf, touch, withApplication } from "./candidates.ts";
import type { Application } from "./company.ts";
import { fireEvent } from "./deliveries.ts";
import type { Definition } from "./definitions.ts";

export function propertyRoutes(world: SmartWorld): PublishedRoute[] {
  return [
    {
      method: "GET",
      path: "/configuration/candidate-properties",
      scope: "configuration_read",
      answer: () => json(200, { content: world.definitions.map((each) => show(world, each)) }),
    },
    {
      method: "GET",
      path: "/configuration/candidate-properties/:id",
      scope: "configuration_read",
      answer: ({ param }) => {
        const found = definitionOf(world, param("id"));
        return found ? json(200, show(world, found)) : unknownProperty();
      },
    },
    {
      method: "GET",
      path: "/candidates/:id/jobs/:job/properties",
      scope: "candidates_read",
      answer: (call) => withApplication(call, ({ values }) => json(200, valuesShown(world, values))),
    },
    {
      method: "PUT",
      path: "/candidates/:id/jobs/:job/properties",
      scope: "candidates_manage",
      answer: (call) => withApplication(call, (application) => putValues(world, call, application)),
    },
  ];
}

/** Whether a definition shows its key, its documents do not say. */
function show(world: SmartWorld, { key, ...shown }: Definition): object {
  return {
    ...shown,
    ...(world.published.showsKeys ? { key } : {}),
    availability: "ORGANIZATION",
    actions: {},
  };
}

/** `{}` when nothing is set. */
function valuesShown(world: SmartWorld, values: Application["values"]): object {
  if (values.size === 0) return {};
  const content = [...values].map(([id, value]) => ({ ...definitionOf(world, id), id, value }));
  return { content };
}

/** Its id or its key. */
function definitionOf(world: SmartWorld, name: string): Definition | undefined {
  return world.definitions.find(({ id, key }) => id === name || key === name);
}

function unknownProperty(): Reply {
  return failure(404, "PROPERTY_NOT_FOUND", "Property not found");
}

/** All or nothing, and the error names none, unless the setting has it skip what it does not know. */
function putValues(world: SmartWorld, call: PublishedCall, application: Application): Reply {
  if (!Array.isArray(call.input)) return invalid("the body must be a list of properties");
  const wanted = new Map<string, unknown>();
  for (const each of call.input) {
    if (!isRecord(each) || typeof each.id !== "string") return invalid("each property must have an id");
    const definition = definitionOf(world, each.id);
    if (!definition && world.published.unknownProperty === "is skipped") continue;
    if (!definition) return unknownProperty();
    if (wanted.has(definition.id)) return failure(400, "DUPLICATE_PROPERTIES", "Duplicate properties");
    if (each.value !== undefined && !isOfType(definition.type, each.value))
      return failure(400, "INVALID_TEXT_FORMAT", "Invalid value format");
    wanted.set(definition.id, each.value);
  }
  for (const [id, value] of wanted) {
    if (value === undefined) application.values.delete(id);
    else application.values.set(id, value);
  }
  touch(world, call.company, application.candidateId);
  // Whoever subscribed to it hears of its own write.
  fireEvent(world, call.company, "application.fields.updated", idsOf(application));
  return empty(204);
}

function isOfType(type: string, value: unknown): boolean {
  if (type === "NUMBER" || type === "PERCENT") return typeof value === "number";
  if (type === "BOOLEAN") return typeof value === "boolean";
  if (type === "DATE") return typeof value === "string" && !Number.isNaN(Date.parse(value));
  return typeof value === "string";
}
