/**
 * The emulator's vendors, as their own people see them and as a test troubles them: the one way of the tests to
 * `/_control`. Whatever is answered otherwise than it should be throws.
 */
import * as v from "valibot";

interface FaultFilter {
  times?: number;
  method?: string;
  path?: string;
  /** A part of the body. */
  match?: string | undefined;
}

export type Fault = FaultFilter &
  (
    | { status: number; headers?: Record<string, string>; body?: unknown }
    | { delayMs: number }
    | { drop: boolean }
    | { rateLimit: string }
    | { revoked: boolean }
  );

interface OauthSettings {
  /** Null grants what is asked for. */
  grantedScopes?: readonly string[] | null;
  redirectUris?: readonly string[] | null;
  oneUseTokens?: boolean;
  accessTokenSeconds?: number;
}

export interface HubspotSettings extends OauthSettings {
  portalId?: number;
  accountType?: string;
  dataHostingLocation?: string;
  timeZone?: string;
  propertyQuota?: number | null;
  propertyLagMs?: number;
  tellsScopes?: boolean;
  introspection?: "whole" | "active" | null;
  pageSize?: number | null;
}

export interface SmartrecruitersSettings extends OauthSettings {
  companyId?: string | null;
  /** Of the published face. */
  published?: object;
  customFields?: readonly object[] | null;
  /** Ids; null where each is one. */
  jobs?: readonly string[] | null;
  pageSize?: number;
  pageStyle?: "id" | "link" | "offset";
  webhookCopies?: number;
  webhookReorder?: boolean;
  webhookReserialize?: boolean;
  webhookDelayMs?: number;
  webhookRetryMs?: readonly number[];
  webhookResult?: boolean;
  webhookStatus?: string;
  jobcannonUrl?: string | null;
  jobcannonSecret?: string | null;
  jobcannonOrg?: string;
}

const Requests = v.array(
  v.object({
    method: v.string(),
    path: v.string(),
    /** 0 when the connection was cut instead of an answer. */
    status: v.number(),
    /** Milliseconds since the epoch, by the emulator's clock. */
    at: v.pipe(v.string(), v.transform(Date.parse)),
  }),
);
export type LoggedRequest = v.InferOutput<typeof Requests>[number];

const Contacts = v.array(
  v.object({
    portalId: v.number(),
    id: v.string(),
    email: v.string(),
    properties: v.record(v.string(), v.string()),
  }),
);
const Properties = v.array(
  v.object({
    name: v.string(),
    label: v.string(),
    type: v.string(),
    groupName: v.string(),
    createdAt: v.string(),
  }),
);
const Messages = v.array(v.object({ chat_id: v.string(), text: v.string() }));
const Scorecards = v.record(
  v.string(),
  v.array(
    v.object({
      assessmentId: v.string(),
      title: v.string(),
      score: v.nullable(v.union([v.string(), v.number()])),
      summary: v.nullable(v.string()),
      resultUrl: v.nullable(v.string()),
      completedAt: v.nullable(v.string()),
      fields: v.array(v.object({ fieldId: v.string(), value: v.unknown() })),
    }),
  ),
);
const Subscriptions = v.record(
  v.string(),
  v.array(
    v.object({
      id: v.string(),
      event: v.string(),
      targetUrl: v.string(),
      headers: v.record(v.string(), v.string()),
      secret: v.string(),
      status: v.string(),
    }),
  ),
);
const Deliveries = v.array(
  v.object({
    subscriptionId: v.string(),
    eventId: v.string(),
    assessmentId: v.nullable(v.string()),
    targetUrl: v.string(),
    attempt: v.number(),
    /** 0 when the receiver could not be reached. */
    status: v.number(),
    at: v.string(),
  }),
);

export interface EmulatedVendor<Settings> {
  fault(fault: Fault): Promise<void>;
  clearFaults(): Promise<void>;
  settings(changes: Settings): Promise<void>;
  /** What was asked of it so far, in order; of paths that begin, or end, so. */
  requests(path?: { from?: string; to?: string }): Promise<LoggedRequest[]>;
}

export interface EmulatedHubspot extends EmulatedVendor<HubspotSettings> {
  /** Our properties of every contact, by e-mail. */
  contacts(): Promise<Record<string, Record<string, string>>>;
  /** Every contact whole, of all portals. */
  wholeContacts(): Promise<v.InferOutput<typeof Contacts>>;
  /** As a person there does. Returns its id, by which it can be restored with its values. */
  removeContact(email: string): Promise<string>;
  restoreContact(id: string): Promise<void>;
  /** A contact with several addresses. Returns its id. */
  makeContact(email: string, ...additional: string[]): Promise<string>;
  /** Returns the id of the one that is left; a new one unless `keepsId`. */
  mergeContacts(primaryId: string, mergedId: string, options?: { keepsId?: boolean }): Promise<string>;
  /** The address is a contact of its own from now on, whose id is returned. */
  unmergeContact(id: string, email: string): Promise<string>;
  /** The status each contact write was answered with, in order. */
  upserts(): Promise<number[]>;
  /** Those that are not HubSpot's own. */
  properties(): Promise<v.InferOutput<typeof Properties>>;
  /** The values of all contacts vanish with it. */
  archiveProperty(name: string): Promise<void>;
  /** What no app can change of a definition. */
  changeProperty(
    name: string,
    change: { readOnlyValue?: boolean; dataSensitivity?: string; isWritable?: boolean },
  ): Promise<void>;
  /** With all properties in it; ours unless told otherwise. */
  archiveGroup(name?: string): Promise<void>;
}

export interface EmulatedSmartrecruiters extends EmulatedVendor<SmartrecruitersSettings> {
  /** The candidate finishes in the browser, and JobCannon tells us. */
  complete(candidateId: string, org?: string): Promise<void>;
  /** By candidate; those without an entry are there too. */
  scorecards(): Promise<v.InferOutput<typeof Scorecards>>;
  /** By company. */
  subscriptions(): Promise<v.InferOutput<typeof Subscriptions>>;
  changeSubscription(
    id: string,
    change: { status?: "active" | "inactive"; secret?: string; targetUrl?: string },
  ): Promise<void>;
  rotateSecret(subscriptionId: string): Promise<string>;
  removeSubscription(id: string): Promise<void>;
  /** What the vendor's webhooks were answered, in order. */
  deliveries(): Promise<v.InferOutput<typeof Deliveries>>;
  /** Sends one webhook of any content, signed as usual. */
  fire(event: object): Promise<void>;
  /** The companies of the published face, and what their people do there. */
  published(): Promise<unknown>;
  do(path: string, body?: object): Promise<unknown>;
}

export interface EmulatedTelegram extends Omit<EmulatedVendor<never>, "settings"> {
  messages(): Promise<v.InferOutput<typeof Messages>>;
}

export interface Emulated {
  hubspot: EmulatedHubspot;
  smartrecruiters: EmulatedSmartrecruiters;
  telegram: EmulatedTelegram;
  /** Everything as it was at the start. */
  reset(): Promise<void>;
}

export function emulated(emulator: { url: string }): Emulated {
  return {
    hubspot: hubspotOf(callsOf(emulator, "/hubspot")),
    smartrecruiters: smartrecruitersOf(callsOf(emulator, "/smartrecruiters")),
    telegram: telegramOf(callsOf(emulator, "/telegram")),
    reset: () => callsOf(emulator, "").send("POST", "/reset"),
  };
}

/** What the emulator offers for any of its vendors. */
export function emulatedVendor(emulator: { url: string }, vendor: string): EmulatedVendor<never> {
  return vendorOf<never>(callsOf(emulator, `/${vendor}`));
}

const Made = v.object({ id: v.string() });

async function idOf(answer: Promise<unknown>): Promise<string> {
  return v.parse(Made, await answer).id;
}

function hubspotOf(calls: Calls): EmulatedHubspot {
  const wholeContacts = () => calls.read("/contacts", Contacts);
  const vendor = vendorOf<HubspotSettings>(calls);
  return {
    ...vendor,
    wholeContacts,
    contacts: async () =>
      Object.fromEntries((await wholeContacts()).map(({ email, properties }) => [email, oursOf(properties)])),
    removeContact: async (email) => {
      const id = (await wholeContacts()).find((contact) => contact.email === email)?.id ?? "";
      await calls.send("DELETE", `/contacts/${id}`);
      return id;
    },
    restoreContact: (id) => calls.send("POST", `/contacts/${id}/restore`),
    makeContact: (email, ...additional) => idOf(calls.ask("POST", "/contacts", { email, additional })),
    mergeContacts: (primaryId, mergedId, options) =>
      idOf(calls.ask("POST", "/contacts/merge", { primaryId, mergedId, ...options })),
    unmergeContact: (id, email) => idOf(calls.ask("POST", `/contacts/${id}/unmerge`, { email })),
    upserts: async () => (await vendor.requests({ to: "/batch/upsert" })).map(({ status }) => status),
    properties: () => calls.read("/properties", Properties),
    archiveProperty: (name) => calls.send("DELETE", `/properties/${name}`),
    changeProperty: (name, change) => calls.send("POST", `/properties/${name}`, change),
    archiveGroup: (name = "jobcannon_assessments") => calls.send("DELETE", `/groups/${name}`),
  };
}

function oursOf(properties: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(properties).filter(([name]) => name.startsWith("jc_")));
}

function smartrecruitersOf(calls: Calls): EmulatedSmartrecruiters {
  return {
    ...vendorOf<SmartrecruitersSettings>(calls),
    complete: (candidateId, org) => calls.send("POST", "/complete", { candidateId, org }),
    scorecards: () => calls.read("/scorecards", Scorecards),
    subscriptions: () => calls.read("/subscriptions", Subscriptions),
    changeSubscription: (id, change) => calls.send("POST", `/subscriptions/${id}`, change),
    rotateSecret: async (id) => {
      const told = await calls.ask("POST", `/subscriptions/${id}/rotate-secret`);
      return v.parse(v.object({ secret: v.string() }), told).secret;
    },
    removeSubscription: (id) => calls.send("DELETE", `/subscriptions/${id}`),
    deliveries: () => calls.read("/deliveries", Deliveries),
    fire: (event) => calls.send("POST", "/webhooks", event),
    published: () => calls.ask("GET", "/published"),
    do: (path, body) => calls.ask("POST", path, body),
  };
}

function telegramOf(calls: Calls): EmulatedTelegram {
  const { settings: _none, ...vendor } = vendorOf<never>(calls);
  return { ...vendor, messages: () => calls.read("/messages", Messages) };
}

function vendorOf<Settings extends object>(calls: Calls): EmulatedVendor<Settings> {
  return {
    fault: (fault) => calls.send("POST", "/faults", fault),
    clearFaults: () => calls.send("DELETE", "/faults"),
    settings: (changes) => calls.send("POST", "/settings", changes),
    requests: async ({ from = "", to = "" } = {}) => {
      const all = await calls.read("/requests", Requests);
      return all.filter(({ path }) => path.startsWith(from) && path.endsWith(to));
    },
  };
}

interface Calls {
  ask(method: string, path: string, body?: object): Promise<unknown>;
  send(method: string, path: string, body?: object): Promise<void>;
  read<Shape>(path: string, schema: v.GenericSchema<unknown, Shape>): Promise<Shape>;
}

function callsOf({ url }: { url: string }, base: string): Calls {
  const ask: Calls["ask"] = async (method, path, body) => {
    const init = { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
    const answer = await fetch(`${url}/_control${base}${path}`, init);
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} /_control${base}${path}: ${answer.status} ${text}`);
    return text === "" ? null : JSON.parse(text);
  };
  return {
    ask,
    send: async (method, path, body) => void (await ask(method, path, body)),
    read: async (path, schema) => v.parse(schema, await ask("GET", path)),
  };
}
