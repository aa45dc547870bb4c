/** `published` among the settings: any part of them, each of its own kind. */
import { isRecord } from "../../http.ts";
import { type Settings, setting } from "../../settings.ts";
import type { SmartWorld } from "../world.ts";
import { defaultPublished, type PublishedSettings } from "./settings.ts";

export function publishedSettings(world: SmartWorld): Settings {
  return {
    read: () => ({ published: world.published }),
    accept: {
      published: setting("an object of known settings, each of its kind", isPart, (part) => {
        Object.assign(world.published, part);
      }),
    },
  };
}

function isPart(value: unknown): value is Partial<PublishedSettings> {
  const known: Readonly<Record<string, unknown>> = { ...defaultPublished() };
  return (
    isRecord(value) &&
    Object.entries(value).every(([name, part]) => name in known && isLike(part, known[name], name))
  );
}

function isLike(value: unknown, usual: unknown, name: string): boolean {
  if (name === "token")
    return value === null || value === "empty" || (isRecord(value) && typeof value.message === "string");
  if (Array.isArray(usual)) return Array.isArray(value) && value.every((each) => typeof each === "number");
  return typeof value === typeof usual;
}
