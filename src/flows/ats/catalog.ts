import { type CatalogEntry, stageName, type StagePlace, stagesMeant } from "../../core/catalog.ts";
import { AppError } from "../../shared/errors.ts";
import { nearest } from "../../shared/nearest.ts";
import { plain } from "../../shared/text.ts";
import type { Store } from "../../store/contract/store.ts";
import type { KeptCatalog } from "../../vendors/contract/ats.ts";
import type { OpenAts } from "./ats.ts";

/** What the stages of jobs trigger, wherever that is kept. */
export interface Catalog {
  list(jobId: string): Promise<(CatalogEntry & { stage: string })[]>;
  /** Null when the stage triggers nothing. */
  entry(place: StagePlace): Promise<CatalogEntry | null>;
  /** Throws `USAGE` for a stage that the company does not have. */
  set(place: StagePlace, entry: CatalogEntry): Promise<StagePlace & { entry: CatalogEntry }>;
}

type Kept = Pick<Store, "catalogEntries" | "saveCatalogEntry">;

export function catalogOf(
  { ats, access, connection }: Pick<OpenAts, "ats" | "access" | "connection">,
  store: Kept,
): Catalog {
  const { catalog } = ats;
  if (catalog.kept === "there")
    return {
      list: (jobId) => catalog.list(access, jobId),
      entry: (place) => catalog.entry(access, place),
      set: async (place, entry) => ({ ...place, entry: await catalog.set(access, place, entry) }),
    };
  const list: Catalog["list"] = async (jobId) =>
    (await store.catalogEntries(connection, jobId)).map(({ stage, entry }) => ({ stage, ...entry }));
  return {
    list,
    entry: async ({ jobId, stage }) => {
      const entries = await list(jobId);
      const found = entries.find((each) => isNamed(each.stage, stage));
      if (!found) return null;
      const { stage: _, ...entry } = found;
      return entry;
    },
    set: async ({ jobId, stage }, entry) => {
      const place = { jobId, stage: await stageMeant(catalog, access, stage) };
      await store.saveCatalogEntry(connection, place, entry);
      return { ...place, entry };
    },
  };
}

/** By its whole name, or by its step's. */
function isNamed(kept: string, text: string): boolean {
  const [known, wanted] = [kept.toLowerCase(), text.trim().toLowerCase()];
  return known === wanted || known.slice(known.indexOf("/") + 1) === wanted;
}

async function stageMeant({ stages }: KeptCatalog, access: OpenAts["access"], text: string): Promise<string> {
  const all = await stages(access);
  const [meant, ...others] = stagesMeant(text, all);
  const names = [...new Set(all.map(stageName))];
  if (meant === undefined) {
    const guess = nearest(text, names);
    throw new AppError("USAGE", `no hiring process of the company has the stage "${plain(text)}"`, {
      hint: guess
        ? `Did you mean "${plain(guess)}"? Nothing was changed.`
        : `Stages: ${plain(names.join(", "))}`,
    });
  }
  if (others.length === 0) return meant;
  throw new AppError("USAGE", `several stages are called "${plain(text)}"`, {
    hint: `Write one of them whole: ${plain([meant, ...others].join(", "))}`,
  });
}
