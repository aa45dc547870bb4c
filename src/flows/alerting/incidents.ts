/** Trouble that an org's owner shall hear of, read off the rows: whoever looks finds the same. */
import { certificateTrouble } from "../../core/advice/certificate.ts";
import { loginTrouble } from "../../core/advice/login-age.ts";
import { refusalWords } from "../../core/advice/refusal.ts";
import { stuckTroubles, unansweredWords, unaskedWords } from "../../core/advice/stuck.ts";
import { subscriptionMended, subscriptionTrouble } from "../../core/advice/subscription.ts";
import { unreadVaultWords } from "../../core/advice/unread-vault.ts";
import type { InviteRequest } from "../../core/invite-request.ts";
import { STUCK_AFTER_MS } from "../../core/push.ts";
import type { Clock } from "../../shared/clock.ts";
import type { Config } from "../../shared/config.ts";
import type { Incident, Overview, QuestionCounts, ServiceFacts, Store } from "../../store/contract/store.ts";
import { chatOf, chatsOf } from "../watch/alert-chat.ts";

export interface IncidentContext {
  clock: Pick<Clock, "now">;
  config: Config;
  store: Pick<Store, "overview" | "runningServices" | "inviteRequests">;
}

/** What there is to alert of now. `isAnyOpen`: something waits, of which time alone makes an incident. */
export async function lookForIncidents(
  context: IncidentContext,
): Promise<{ incidents: Incident[]; isAnyOpen: boolean }> {
  const { store, clock, config } = context;
  const now = clock.now();
  const overview = await store.overview(null, now);
  const requests = config["jobcannon.invites_url"] === "" ? [] : await waitingRequests(store);
  const services = await store.runningServices();
  const inUse = overview.connections.filter(({ connection }) => connection.environment === "production");
  const isAnyUndelivered = overview.connections.some(({ pushes }) => pushes.pending + pushes.held > 0);
  return {
    incidents: [
      ...inUse.flatMap((each) => ofConnection(each, now)),
      ...unanswered(overview, now),
      ...unasked(requests, overview, now),
      ...unreadTokens(context, inUse),
      ...certificates(context, services),
      ...unreadVaults(context, services),
    ],
    isAnyOpen: isAnyUndelivered || overview.questions.length > 0 || requests.length > 0,
  };
}

type CountedConnection = Overview["connections"][number];

function ofConnection({ connection, stuck }: CountedConnection, now: number): Incident[] {
  const { id, org, vendor, state, refusal } = connection;
  const isConnected = state === "connected";
  const lost = `${vendor} ${connection.banner ?? "must reconnect"}. Results are kept.`;
  const mended = subscriptionMended(connection, vendor, now);
  const found: [key: string, words: string | null][] = [
    [`reconnect/${id}`, state === "must_reconnect" ? lost : null],
    [`mended/${id}/${mended?.at}`, mended?.words ?? null],
    [`subscription/${id}`, isConnected ? subscriptionTrouble(connection, vendor) : null],
    [`refused/${id}`, isConnected && refusal ? `${vendor} ${refusalWords(refusal)}.` : null],
    [`login/${id}`, loginTrouble(connection, vendor, now)],
    ...stuckTroubles(connection, stuck).map(({ cause, words }): [string, string] => [
      `stuck/${id}/${cause}`,
      words,
    ]),
  ];
  return found.flatMap(([key, words]) => (words === null ? [] : [{ key, org, text: `${org}: ${words}` }]));
}

/** One vault serves all orgs: each chat hears of it once. */
function unreadTokens({ config }: IncidentContext, inUse: readonly CountedConnection[]): Incident[] {
  const byChat = new Map<string, { org: string; reasons: Set<string> }>();
  for (const { connection } of inUse) {
    const { org, state, vaultTrouble } = connection;
    if (state !== "connected" || !vaultTrouble) continue;
    const { reason, fix } = vaultTrouble;
    const chat = chatOf(config, org).id;
    const known = byChat.get(chat) ?? { org, reasons: new Set() };
    known.reasons.add(fix === null ? `${reason}.` : `${reason}. ${fix}`);
    byChat.set(chat, known);
  }
  return [...byChat].map(([chat, { org, reasons }]) => ({
    key: `vault/${chat}`,
    org,
    text: `jc-integrations cannot read its tokens: ${[...reasons].join(" ")} Results are kept and go out by themselves afterwards.`,
  }));
}

/** Whose certificate ends or has ended. */
function certificates(context: IncidentContext, services: readonly (ServiceFacts | null)[]): Incident[] {
  const troubles = services.flatMap((facts) =>
    facts?.tls ? [certificateTrouble(facts.tls, context.clock.now())] : [],
  );
  const found = new Map(troubles.flatMap((trouble) => (trouble ? [[trouble.kind, trouble.words]] : [])));
  return [...found].flatMap(([kind, words]) =>
    inEachChat(context, { key: `certificate/${kind}`, text: `jc-integrations: ${words}.` }),
  );
}

/** Machines that cannot read the vault, beside one that can. */
function unreadVaults(context: IncidentContext, services: readonly (ServiceFacts | null)[]): Incident[] {
  return services.flatMap((facts) => {
    const words = facts && unreadVaultWords(facts, services);
    if (!words) return [];
    const { host = "" } = facts;
    return inEachChat(context, { key: `vault-on/${host}`, text: `jc-integrations on ${host}: ${words}` });
  });
}

/** Of what serves all orgs each chat hears once. */
function inEachChat({ config }: IncidentContext, { key, text }: { key: string; text: string }): Incident[] {
  return [...chatsOf(config)].map(([chat, org]) => ({ key: `${key}/${chat}`, org, text }));
}

/** Events that wait to be looked up for longer than results may be undelivered. */
function unanswered({ questions, connections }: Overview, now: number): Incident[] {
  // Where a connection must be mended first, that is told already.
  const broken = connections.filter(({ connection }) => connection.state !== "connected");
  const isTold = (question: QuestionCounts) =>
    broken.some(({ connection: { org, vendor } }) => org === question.org && vendor === question.vendor);
  return questions
    .filter((question) => question.environment === "production" && !isTold(question))
    .filter(({ since }) => now - since > STUCK_AFTER_MS)
    .map((question) => ({
      key: `questions/${question.org}/${question.vendor}`,
      org: question.org,
      text: `${question.org}: ${unansweredWords(question)}`,
    }));
}

/** More of them are one trouble all the same. */
const MOST_REQUESTS = 1_000;

async function waitingRequests(store: IncidentContext["store"]): Promise<InviteRequest[]> {
  return await store.inviteRequests({ states: ["open"], limit: MOST_REQUESTS });
}

/** Invites that JobCannon is asked for in vain, for longer than results may be undelivered. */
function unasked(requests: readonly InviteRequest[], { connections }: Overview, now: number): Incident[] {
  const broken = connections.filter(({ connection }) => connection.state !== "connected");
  const isTold = ({ org, vendor, environment }: InviteRequest) =>
    broken.some(
      ({ connection: each }) =>
        each.org === org && each.vendor === vendor && each.environment === environment,
    );
  const failing = requests.filter(
    (each) =>
      each.environment === "production" &&
      each.reason !== null &&
      now - each.askedAt > STUCK_AFTER_MS &&
      !isTold(each),
  );
  const keyOf = ({ org, vendor }: InviteRequest) => `requests/${org}/${vendor}`;
  return [...new Set(failing.map(keyOf))].flatMap((key) => {
    const all = failing.filter((each) => keyOf(each) === key);
    const [oldest] = all;
    if (!oldest) return [];
    const { org, askedAt: since, reason } = oldest;
    return [{ key, org, text: `${org}: ${unaskedWords({ org, n: all.length, since, reason })}` }];
  });
}
