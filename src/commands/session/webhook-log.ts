/** What `webhooks log` shows: what came of each sender, and what was refused and why, as scripts and as people read it. */
import type { CommonError } from "../../core/advice/common-errors.ts";
import { NO_SOURCE } from "../../core/no-source.ts";
import { AppError } from "../../shared/errors.ts";
import { nearest } from "../../shared/nearest.ts";
import { plain, shortTime } from "../../shared/text.ts";
import type {
  ReceivedQuery,
  ReceivedWebhook,
  Refusal,
  Store,
  TakenEvent,
} from "../../store/contract/store.ts";
import type { VendorDeclaration } from "../../vendors/contract/declaration.ts";
import { logToRead } from "./log-to-read.ts";
import { defined } from "./option-values.ts";
import { withoutEffectWords } from "./told-status.ts";
import type { Session } from "./with-app.ts";

const SHOWN_DIGITS = 12;

export interface WebhookLogFlags {
  vendor?: string;
  sandbox?: boolean;
  unmatched?: boolean;
  invite?: string;
  limit: number;
}

export async function showWebhookLog(session: Session, flags: WebhookLogFlags): Promise<void> {
  const { app, terminal, print } = session;
  const { unmatched = false, invite: invitationId, limit } = flags;
  const environment = flags.sandbox ? "sandbox" : "production";
  const senders = sendersOf(app.vendors, flags.vendor);
  const store = await logToRead(session);
  const received: Row[] = [];
  for (const sender of senders) {
    const of = { org: app.org, environment, unmatched, limit, ...defined({ invitationId }) } as const;
    received.push(...(store ? await receivedFrom(store, sender, of) : []));
  }
  const isOfInvites = unmatched || invitationId !== undefined;
  const refused = isOfInvites ? [] : ((await store?.refusals(flags.vendor ?? null, 0, limit)) ?? []);
  const shown = received.toSorted((a, b) => a.receivedAt - b.receivedAt).slice(-limit);
  // Who reads why something was refused also reads what its guide says to do about it.
  const guided = senders.find(
    ({ destination, vendor }) => destination?.isAts && refused.some(({ source }) => source === vendor),
  );
  const guide = guided
    ? ((await app.destination({ org: app.org, vendor: guided.vendor, environment })).commonErrors
        ?.signature ?? null)
    : null;
  print({
    json: {
      received: shown.map(({ json }) => json),
      refused: refused.map(({ source, at, reason, n }) => ({
        source,
        at: new Date(at).toISOString(),
        reason,
        times: n,
      })),
      guide,
    },
    text: () =>
      [
        shown.length + refused.length === 0
          ? emptyWords({ unmatched, invitationId })
          : renderLog(shown, refused, terminal),
        ...(guide ? ["", terminal.paint.yellow(guideWords(guide))] : []),
      ].join("\n"),
  });
}

type Sender = Pick<VendorDeclaration, "vendor" | "label" | "source" | "destination">;

/** Whoever sends webhooks; of them the one that was named. Throws `USAGE` where there is none of that name. */
function sendersOf(vendors: readonly VendorDeclaration[], named: string | undefined): readonly Sender[] {
  const all = vendors.filter(({ source }) => source !== undefined);
  if (named === undefined) return all;
  if (named === NO_SOURCE) return [];
  const found = all.filter(({ vendor }) => vendor === named);
  if (found.length > 0) return found;
  const known = vendors.find(({ vendor }) => vendor === named);
  const words = known ? `${known.label} sends no webhooks` : `there is no vendor ${named}`;
  const guess = known
    ? null
    : nearest(
        named,
        vendors.map(({ vendor }) => vendor),
      );
  const hint = guess ? `Did you mean ${guess}?` : `Senders: ${all.map(({ vendor }) => vendor).join(", ")}`;
  throw new AppError("USAGE", words, { hint });
}

async function receivedFrom(
  store: Store,
  { vendor, destination }: Sender,
  of: Omit<ReceivedQuery, "vendor">,
): Promise<Row[]> {
  const { environment, unmatched, ...query } = of;
  if (destination) return (await store.received({ ...of, vendor })).map((each) => asTaken(vendor, each));
  // Its events name their invites, and know of no sandbox.
  if (unmatched || environment === "sandbox") return [];
  return (await store.taken({ ...query, source: vendor })).map((each) => asEvent(vendor, each));
}

/** One that came, as scripts and as people read it. */
interface Row {
  receivedAt: number;
  json: object;
  cells(paint: Session["terminal"]["paint"]): string[];
}

function asTaken(vendor: string, each: ReceivedWebhook): Row {
  const { at, receivedAt, ...rest } = each;
  const times = { at: new Date(at).toISOString(), receivedAt: new Date(receivedAt).toISOString() };
  return {
    receivedAt,
    json: { source: vendor, ...rest, ...times, signature: "good" },
    cells: (paint) => [
      plain(each.eventId),
      plain(each.candidateId),
      plain(each.assessmentId),
      each.isMatched ? plain(each.invitationId ?? "–") : paint.yellow("no invite yet"),
      vendor,
      paint.yellow(withoutEffectWords(each.status)),
    ],
  };
}

function asEvent(vendor: string, each: TakenEvent): Row {
  const { at, receivedAt, ...rest } = each;
  const times = { at: new Date(at).toISOString(), receivedAt: new Date(receivedAt).toISOString() };
  return {
    receivedAt,
    json: { source: vendor, ...rest, ...times, signature: "good" },
    cells: () => [
      `${shownId(each.eventId)} ${plain(each.type)}`,
      "",
      "",
      plain(each.invitationId),
      vendor,
      "",
    ],
  };
}

/** What came without an id has the hash of its body, of which some digits tell it from others. */
function shownId(eventId: string): string {
  return /^[0-9a-f]{64}$/.test(eventId) ? `${eventId.slice(0, SHOWN_DIGITS)}…` : plain(eventId);
}

function guideWords({ title, cause, fixes }: CommonError): string {
  return [
    `Where a signature was refused (${title}): ${cause}.`,
    ...fixes.map((fix, index) => `  ${index + 1}. ${fix}`),
  ].join("\n");
}

function emptyWords({ unmatched, invitationId }: { unmatched: boolean; invitationId: string | undefined }) {
  if (invitationId !== undefined) return `No webhook that was taken speaks of invite ${plain(invitationId)}.`;
  return unmatched ? "None waits for its invite." : "No webhook yet.";
}

function renderLog(
  received: readonly Row[],
  refused: readonly Refusal[],
  { paint, table }: Session["terminal"],
): string {
  const rows = received.map(({ receivedAt, cells }) => ({
    at: receivedAt,
    cells: [paint.green("taken"), ...cells(paint)],
  }));
  const refusals = refused.map(({ source, at, reason, n }) => ({
    at,
    cells: [
      paint.red("refused"),
      `${plain(reason)}${n > 1 ? ` (${n} times)` : ""}`,
      ...["", "", ""],
      plain(source),
      "",
    ],
  }));
  const all = [...rows, ...refusals].sort((a, b) => a.at - b.at);
  return table(
    [
      { name: "received", whole: true },
      "",
      { name: "event", below: true },
      { name: "candidate", drop: 3 },
      { name: "assessment", drop: 2 },
      "invite",
      { name: "from", drop: 1 },
      "",
    ],
    all.map(({ at, cells }) => [shortTime(at), ...cells]),
  );
}
