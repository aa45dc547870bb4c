import { type CatalogEntry, stageName, type StagePlace, stagesMeant } from "../../core/catalog.ts";
import { AppError, isAppError } from "../../shared/errors.ts";
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
  /**
   * Throws `USAGE` for a job or a stage that the vendor does not know. `isMeant`: where the vendor cannot be asked and the
   * catalogue is kept here, they are taken as they are written, and `unasked` says why.
   */
  set(
    place: StagePlace,
    entry: CatalogEntry,
    options?: { isMeant?: boolean },
  ): Promise<StagePlace & { entry: CatalogEntry; unasked: string | null }>;
}

type Kept = Pick<Store, "catalogEntries" | "saveCatalogEntry">;

export function catalogOf({ ats, access, connection, destination }: OpenAts, store: Kept): Catalog {
  const { catalog } = ats;
  const { label } = destination;
  if (catalog.kept === "there")
    return {
      list: (jobId) => catalog.list(access, jobId),
      entry: (place) => catalog.entry(access, place),
      set: async (place, wanted) => {
        const entry = await catalog.set(access, place, wanted);
        if (entry) return { ...place, entry, unasked: null };
        throw new AppError(
          "USAGE",
          `${label} knows no job ${plain(place.jobId)} with a stage "${plain(place.stage)}"`,
          { hint: OF_A_JOB },
        );
      },
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
    set: async (asked, entry, { isMeant = false } = {}) => {
      const { place, unasked } = await placeMeant({ catalog, access, label }, asked, isMeant);
      await store.saveCatalogEntry(connection, place, entry);
      return { ...place, entry, unasked };
    },
  };
}

const OF_A_JOB = "A job goes by its id there, not by its title. Nothing was changed.";

interface Asked {
  catalog: KeptCatalog;
  access: OpenAts["access"];
  label: string;
}

/** As the vendor knows it, or as it is written where that cannot say and the place is meant. */
async function placeMeant(
  { catalog, access, label }: Asked,
  place: StagePlace,
  isMeant: boolean,
): Promise<{ place: StagePlace; unasked: string | null }> {
  const { jobId, stage } = place;
  try {
    if (!(await catalog.hasJob(access, jobId)))
      throw new AppError("USAGE", `${label} has no job ${plain(jobId)}`, { hint: OF_A_JOB });
    return { place: { jobId, stage: await stageMeant(catalog, access, stage) }, unasked: null };
  } catch (error) {
    if (!isAppError(error) || !error.code.startsWith("VENDOR_")) throw error;
    if (isMeant && isWhole(stage)) return { place, unasked: error.message };
    throw new AppError(error.code, error.message, { hint: howToInsist(error.hint, isMeant), cause: error });
  }
}

/** Only what candidates' moves are compared with is worth keeping unasked: a status, or a status and its step. */
function isWhole(stage: string): boolean {
  return /^[A-Z]+(_[A-Z]+)*(\/\S.*)?$/.test(stage);
}

function howToInsist(hint: string | undefined, isMeant: boolean): string {
  const how = isMeant
    ? "Unasked a stage is taken only as it is kept: INTERVIEW/Phone screen, or a status alone."
    : "If job and stage are known to be right, run it again with --yes.";
  return [...(hint === undefined ? [] : [hint]), `${how} Nothing was changed.`].join(" ");
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
