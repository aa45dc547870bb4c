import { randomBytes } from "node:crypto";
import * as v from "valibot";
import type { World } from "../shared/world.ts";
import { serve } from "../daemon/serve.ts";
import { openAts } from "../flows/ats/ats.ts";
import { catalogOf } from "../flows/ats/catalog.ts";
import { tryAts } from "../flows/trial/ats-trial.ts";
import { tryContacts } from "../flows/trial/contact-trial.ts";
import { createTakeMissed } from "../flows/intake/take-missed.ts";
import { subscribe } from "../flows/ats/subscribe.ts";
import { planSubscribe, webhookUrl } from "../flows/ats/subscription-plan.ts";
import type { Store } from "../store/contract/store.ts";
import { secret } from "../shared/secret.ts";
import { addSecret } from "../vault/secrets.ts";
import type { Ats } from "../vendors/contract/ats.ts";
import type { Emulator } from "../emulator/emulator.ts";
import { connectEmulated, type Installation, installForAWhile } from "./installation.ts";
import type { ChecklistReport, Watcher } from "../flows/trial/checklist.ts";

/**
 * `sandbox-test --emulator`: the same trial as in a vendor's sandbox, with the vendor, the admin, the recruiter and the
 * candidate played here. The service that it needs runs within.
 */
export interface EmulatedTrial {
  vendor: string;
  /** In which contract the vendor is spoken to; null where it has but one. */
  profile: string | null;
  job?: string;
  stage?: string;
  test?: string;
  wait: number;
  keep: boolean;
  watcher: Watcher;
}

const ORG = "trial";
const ENVIRONMENT = "sandbox";
const STAGE_PLACE = { job: "emulated-job", stage: "Assessment", test: "disc" };

export async function trialOnEmulator(world: World, given: EmulatedTrial): Promise<ChecklistReport> {
  const installation = await installForAWhile(world, {
    org: ORG,
    name: "trial",
    environment: ENVIRONMENT,
    vendors: [given.vendor],
    env: (emulator) => spokenAs(given, emulator),
  });
  try {
    const { app, stop } = installation;
    const { vendor, keep, watcher } = given;
    const request = { org: ORG, vendor, keep, watcher, signal: world.signal };
    const destination = await app.destination({ org: ORG, vendor, environment: ENVIRONMENT });
    const store = await app.threadedStore();
    await connectEmulated(installation, store, { org: ORG, vendor, environment: ENVIRONMENT });
    if (!destination.ats) return await tryContacts(app, store, request);
    const isKept = destination.ats.catalog.kept === "here";
    const usual = isKept ? { ...STAGE_PLACE, stage: "IN_REVIEW/Assessment" } : STAGE_PLACE;
    const place = { ...usual, ...definedOf(given) };
    if (!isKept) await prepareAccount(installation, store, { vendor, ...place });
    // Until it is subscribed serve would tell of a source that has no secret.
    else await addPlaceholder(installation, destination.ats);
    // Its own end: what a Ctrl-C leaves to clean up still needs a service that answers.
    const serving = new AbortController();
    let served: Promise<void> = Promise.resolve();
    await new Promise<string>((resolve, reject) => {
      served = serve(app, { signal: serving.signal, onListening: resolve });
      served.catch(reject);
    });
    try {
      // Its vendor greets the receiver when it is subscribed.
      if (isKept) await prepareAccount(installation, store, { vendor, ...place });
      return await tryAts(app, store, {
        ...request,
        jobId: place.job,
        stage: place.stage,
        test: given.test ?? null,
        waitMs: given.wait,
        onLink: ({ candidateId }) =>
          (isKept ? takeAskedTest : takeTest)(installation, { vendor, candidateId }, stop.signal),
      });
    } finally {
      serving.abort();
      await served;
    }
  } finally {
    await installation.remove();
  }
}

async function addPlaceholder({ app }: Installation, { webhookSecretName: name }: Ats): Promise<void> {
  const place = { name, org: ORG, environment: ENVIRONMENT } as const;
  await addSecret(await app.vault(), place, secret(randomBytes(32).toString("base64url")));
}

/** The vendor's contract, and who plays JobCannon beside it. */
function spokenAs({ vendor, profile }: EmulatedTrial, { urls }: Emulator): Record<string, string> {
  if (profile === null) return {};
  return {
    [`JC_${vendor.toUpperCase()}_PROFILE`]: profile,
    JC_JOBCANNON_INVITES_URL: `${urls.smartrecruiters}/jobcannon/invites`,
  };
}

function definedOf({ job, stage, test }: EmulatedTrial) {
  return {
    ...(job === undefined ? {} : { job }),
    ...(stage === undefined ? {} : { stage }),
    ...(test === undefined ? {} : { test }),
  };
}

/** What an operator types before the first trial: `webhooks subscribe` and `catalog set`. */
async function prepareAccount(
  { app, stop }: Installation,
  store: Store,
  { vendor, job, stage, test }: { vendor: string; job: string; stage: string; test: string },
): Promise<void> {
  const opened = await openAts(app, store, {
    org: ORG,
    vendor,
    environment: ENVIRONMENT,
    signal: stop.signal,
  });
  const { ats, access, connection } = opened;
  const take = createTakeMissed({ store, clock: app.clock, sources: app.sources });
  const targetUrl = webhookUrl(app.config["serve.public_url"], ats);
  const context = { store, clock: app.clock, vault: await app.vault(), ats, access, take, targetUrl };
  await subscribe(context, connection, await planSubscribe(context, connection));
  const entry = { test, required: true, trigger: "auto", dueDays: 7, emailTemplate: "branded" } as const;
  await catalogOf(opened, store).set({ jobId: job, stage }, entry);
}

/** The candidate opens the link and finishes. */
async function takeTest(
  { emulator }: Installation,
  { vendor, candidateId }: { vendor: string; candidateId: string },
  signal: AbortSignal,
): Promise<void> {
  const answer = await fetch(`${emulator.url}/_control/${vendor}/complete`, {
    method: "POST",
    body: JSON.stringify({ candidateId, org: ORG }),
    signal,
  });
  if (!answer.ok) throw new Error(`the emulator could not play the candidate: ${await answer.text()}`);
  await answer.text();
}

/** JobCannon was asked for it: the candidate opens that invite. */
async function takeAskedTest(
  { emulator }: Installation,
  { vendor, candidateId }: { vendor: string; candidateId: string },
  signal: AbortSignal,
): Promise<void> {
  const control = `${emulator.url}/_control/${vendor}/invites`;
  const asked = v.parse(Asked, await (await fetch(control, { signal })).json());
  const own = asked.find(({ data }) => data.source.candidate_id === candidateId);
  if (!own) throw new Error("the emulator's JobCannon was asked for no such invite");
  const body = JSON.stringify({ id: own.id });
  const answer = await fetch(`${control}/complete`, { method: "POST", body, signal });
  if (!answer.ok) throw new Error(`the emulator could not play the candidate: ${await answer.text()}`);
  await answer.text();
}

const Asked = v.array(
  v.object({ id: v.string(), data: v.object({ source: v.object({ candidate_id: v.string() }) }) }),
);
