/** Everything the SmartRecruiters side knows: its companies, what it has issued to apps, and whom it has told what. */
import { AppError } from "../../shared/errors.ts";
import { type Secret, secret } from "../../shared/secret.ts";
import type { RateLimit } from "../rate-limit.ts";
import type { VendorContext } from "../vendor.ts";
import { type Assessment, type Company, createCompany } from "./company.ts";
import { type CustomField, DEFAULT_FIELDS } from "./custom-fields.ts";
import { isHttpUrl } from "./input.ts";
import { isSigningSecret } from "./jobcannon-signature.ts";
import { defaultPublished, type PublishedSettings } from "./published/settings.ts";
import { DEFAULT_DEFINITIONS, type Definition } from "./published/definitions.ts";
import type { AccessToken, Code, Grant } from "./grant.ts";
import type { WebhookTry, WebhookEvent } from "./webhook-event.ts";

/** Per company. */
export const LIMIT: RateLimit = { max: 100, intervalMs: 1_000 };

export interface SmartWorld extends VendorContext {
  /** By id. Each client id has its own company unless the settings put it into another. */
  companies: Map<string, Company>;
  companyId: string | null;
  grantedScopes: string[] | null;
  redirectUris: string[] | null;
  oneUseTokens: boolean;
  accessTokenSeconds: number;
  customFields: readonly CustomField[];
  /** The ids of every company's jobs; null where each id is that of a job. */
  jobs: readonly string[] | null;
  /** How many of a list one answer holds, where the call does not say. */
  pageSize: number;
  pageStyle: PageStyle;
  published: PublishedSettings;
  /** Of candidate properties. */
  definitions: readonly Definition[];
  webhooks: WebhookSettings;
  jobcannon: JobcannonSettings;
  codes: Map<string, Code>;
  refreshTokens: Map<string, Grant>;
  accessTokens: Map<string, AccessToken>;
  deliveries: WebhookTry[];
  /** The events that wait for a second one to change places with, by company. */
  heldEvents: Map<Company, WebhookEvent>;
  lastIds: Map<string, number>;
  /** What JobCannon was asked for, by id. */
  asked: Map<string, AskedInvite>;
}

/** `id`: all that the vendor's candidates list answers; `link`: the header alone; `offset`: offset, limit and totalFound. */
export const PAGE_STYLES = ["id", "link", "offset"] as const;
export type PageStyle = (typeof PAGE_STYLES)[number];

export interface WebhookSettings {
  /** How often each event is sent, as a sender that lost an answer does. */
  copies: number;
  reorder: boolean;
  reserialize: boolean;
  delayMs: number;
  retryMs: number[];
  carriesResult: boolean;
  /** What an assessment is said to be once its result is there. */
  status: string;
}

/** What was asked for, once by its id however often it came. */
export interface AskedInvite {
  id: string;
  times: number;
  data: Readonly<Record<string, unknown>>;
}

export interface JobcannonSettings {
  url: string | null;
  secret: Secret | null;
  org: string;
}

export function createWorld(context: VendorContext): SmartWorld {
  return {
    ...context,
    companies: new Map(),
    companyId: null,
    grantedScopes: null,
    redirectUris: null,
    oneUseTokens: false,
    accessTokenSeconds: 1_800,
    customFields: DEFAULT_FIELDS,
    jobs: null,
    pageSize: 10,
    pageStyle: "id",
    published: defaultPublished(),
    definitions: DEFAULT_DEFINITIONS,
    webhooks: {
      copies: 1,
      reorder: false,
      reserialize: false,
      delayMs: 0,
      retryMs: [1_000, 3_000, 10_000],
      carriesResult: true,
      status: "completed",
    },
    jobcannon: readJobcannon(context),
    codes: new Map(),
    refreshTokens: new Map(),
    accessTokens: new Map(),
    deliveries: [],
    heldEvents: new Map(),
    lastIds: new Map(),
    asked: new Map(),
  };
}

function readJobcannon({ options }: VendorContext): JobcannonSettings {
  const { jobcannonUrl: url = null, jobcannonSecret = null, jobcannonOrg: org = "default" } = options;
  if (url !== null && !isHttpUrl(url)) throw new AppError("USAGE", `"${url}" is no URL of a receiver`);
  if (jobcannonSecret !== null && !isSigningSecret(jobcannonSecret))
    throw new AppError("USAGE", "JobCannon's secret is none", { hint: "write it as whsec_ and base64" });
  return { url, secret: jobcannonSecret === null ? null : secret(jobcannonSecret), org };
}

/** Readable, and never given twice in one world: `c1`, `a1`, `sub1`. */
export function nextId(world: SmartWorld, prefix: string): string {
  const number = (world.lastIds.get(prefix) ?? 0) + 1;
  world.lastIds.set(prefix, number);
  return prefix + number;
}

/** The company whose admin answers this app's consent page. */
export function companyOf(world: SmartWorld, clientId: string): Company {
  const id = world.companyId ?? clientId;
  const company = world.companies.get(id) ?? createCompany(id);
  world.companies.set(id, company);
  company.clientIds.add(clientId);
  return company;
}

export function findAssessment(
  world: SmartWorld,
  id: string,
): { company: Company; assessment: Assessment } | undefined {
  for (const company of world.companies.values()) {
    const assessment = company.assessments.get(id);
    if (assessment) return { company, assessment };
  }
  return undefined;
}
