import { heldBriefly, triedWords } from "../../core/advice/held-words.ts";
import { ADMIN_HOME, maySee } from "../../core/admin.ts";
import type { Test } from "../../core/event.ts";
import { addressesAmong } from "../../core/addresses.ts";
import { emailKey } from "../../core/event.ts";
import { type InviteStory, inviteStory } from "../../flows/status/invite-story.ts";
import { isAppError } from "../../shared/errors.ts";
import { maskedWords } from "../../shared/masked-words.ts";
import { maskEmail, maskEmailsIn, shortTime } from "../../shared/text.ts";
import type { InviteHistory } from "../../store/contract/store.ts";
import { audit } from "./actions.ts";
import type { PagesContext, Visit } from "./context.ts";
import { type Holding, whatVendorHolds } from "./holding.ts";
import { type Html, html, type Part } from "./html.ts";
import { banner, hidden, type Shown, secondOf } from "./layout.ts";
import { leadTo } from "./respond.ts";
import { candidateUrl, destinationsIn, logsOf } from "./vendor-pages.ts";

/** `/admin/integrations/candidate`: the whole road of one result, from the event to what the vendor holds. */
type Push = InviteHistory["pushes"][number];

/** What the page may show: addresses, and what a vendor was asked just now. */
interface Asked {
  isRevealed: boolean;
  held: ReadonlyMap<Push, Holding>;
}

/** Null where there is no such invite that this admin may see. */
export async function candidatePage(context: PagesContext, visit: Visit): Promise<Shown | null> {
  const { store, vendors } = context;
  const { admin, request } = visit;
  const isPost = request.method === "POST";
  const fields = isPost ? visit.form : visit.query;
  const [org, id] = [fields.get("org") ?? "", fields.get("invite") ?? ""];
  if (!maySee(admin, org)) return null;
  const history = await store.invite(org, id);
  if (history === null) return null;
  const asked = isPost ? await askFor(context, visit, history) : { isRevealed: false, held: new Map() };
  const labelOf = (vendor: string) => vendors.find((each) => each.vendor === vendor)?.label ?? vendor;
  const story = await inviteStory(context, store, history);
  const sections = { history, story, asked, labelOf, csrf: admin.csrf };
  const body = html`<h1>The road of invitation ${id}</h1>
  ${answersSection(context, sections)}
  ${candidateLine(sections)}
  <ol class="road">
  <li>${eventsSection(sections)}</li>
  <li>${inviteSection(sections)}</li>
  ${history.pushes.map((push) => html`<li>${pushSection(push, sections)}</li>`)}
  ${history.pushes.length === 0 && html`<li><h2>No account was to be told</h2><p>Nothing of this invite is to go anywhere yet.</p></li>`}
  </ol>`;
  return { title: `Invitation ${id}`, body, signedIn: admin, logs: logsOf(vendors), isLive: !isPost };
}

interface Sections {
  history: InviteHistory;
  story: InviteStory;
  asked: Asked;
  labelOf(vendor: string): string;
  csrf: string;
}

async function askFor(context: PagesContext, { admin, form }: Visit, history: InviteHistory): Promise<Asked> {
  const { org, invitationId } = history.invite;
  const about = `invitation ${invitationId}`;
  const push = history.pushes.find(
    ({ vendor, environment }) => `${vendor}/${environment}` === form.get("ask"),
  );
  if (push === undefined) {
    await audit(context, admin, { what: "showed addresses", org, about });
    return { isRevealed: true, held: new Map() };
  }
  const place = `${push.vendor}/${push.environment}`;
  await audit(context, admin, { what: "asked the vendor", org, about: `${about}, ${place}` });
  const held = await whatVendorHolds(context, history, push).catch((error: unknown): Holding => {
    if (!isAppError(error)) throw error;
    return { kind: "unknown", why: `${error.message}. ${error.hint ?? ""}`.trim() };
  });
  return { isRevealed: false, held: new Map([[push, held]]) };
}

function candidateLine({ history: { invite }, asked: { isRevealed }, csrf }: Sections): Html {
  const { org, invitationId, candidate } = invite;
  const email = candidate.email.trim();
  if (isRevealed)
    return html`<p>${candidate.firstName} ${candidate.lastName} ${email} · ${org} · <a href="${candidateUrl(org, invitationId)}">Hide the address</a></p>`;
  return html`<form method="post" action="${ADMIN_HOME}/candidate"><p>${maskEmail(email)} · ${org} ${hidden({ csrf, org, invite: invitationId })}
  <button class="second">Show the address</button> <span class="soft">This is written down.</span></p></form>`;
}

/** The question that people come with: where is it, and what is to be done? */
function answersSection({ asTypedHere }: PagesContext, sections: Sections): Html {
  const { story, history } = sections;
  const masked = maskerOf(history, sections.asked);
  return html`${story.answers.map(({ tone, words, command }) => {
    const todo = command === null ? html`` : html` Type: <code>${asTypedHere(command)}</code>`;
    return banner(tone, html`<p class="answer">${masked(words)}.${todo}</p>`);
  })}`;
}

function eventsSection({ history: { events } }: Sections): Html {
  return html`<h2>What we were told</h2>${tableOf(
    "Events",
    ["Happened, UTC", "Received, UTC", "Event", "From", "Id", ""],
    events.map(({ at, receivedAt, type, source, eventId, conflict, told }) => [
      secondOf(at),
      secondOf(receivedAt),
      type,
      source,
      eventId,
      [conflict ? "same id, other body" : "", told ?? ""].filter(Boolean).join("; "),
    ]),
  )}`;
}

function inviteSection({ history, story, asked }: Sections): Html {
  const { invite } = history;
  const masked = maskerOf(history, asked);
  const others = story.joinedInvites.map((id) => html` <a href="${candidateUrl(invite.org, id)}">${id}</a>`);
  return html`<h2>The invite: ${invite.status.replace("_", " ")}</h2>
  ${story.oddities.map((words) => banner("waiting", html`<p>${masked(words)}</p>`))}
  ${story.unknown.length > 0 && html`<p class="soft">No account has a field for: ${story.unknown.map(masked).join("; ")}</p>`}
  ${others.length > 0 && html`<p class="soft">Told together with:${others}</p>`}
  ${tableOf(
    "Tests",
    ["Test", "Status", "Completed", "Result"],
    invite.tests.map((test) => [
      test.slug,
      test.status,
      test.completedAt === null ? "" : shortTime(test.completedAt),
      resultWords(test),
    ]),
  )}`;
}

function resultWords({ result }: Test): string {
  if (result === null) return "";
  const { dimensions = [], score, type, code } = result;
  const overall = [score, type, code].filter((each) => each !== undefined && each !== null);
  return [
    ...overall.map(String),
    ...dimensions.map((dimension) => `${dimension.name} ${String(dimension.score)}`),
  ].join(", ");
}

function pushSection(push: Push, sections: Sections): Html {
  const { history, asked, labelOf } = sections;
  const { vendor, environment, projection, rejection } = push;
  const leftOut = sections.story.leftOut.filter(
    (each) => each.vendor === vendor && each.environment === environment,
  );
  const label = `${labelOf(vendor)}${environment === "sandbox" ? " sandbox" : ""}`;
  const masked = maskerOf(history, asked);
  const attempts = history.attempts.filter(
    (each) => each.vendor === vendor && each.environment === environment,
  );
  const held = asked.held.get(push);
  const there = held?.kind === "values" ? held : null;
  const names = [...new Set([...Object.keys(projection ?? {}), ...Object.keys(there?.values ?? {})])];
  const heads = ["Property", push.state === "rejected" ? "Refused" : "Sent"];
  return html`<h2>${label}: ${stateWords(push)}</h2>
  ${rejection && banner("bad", html`<p>${masked(rejection.message)}</p>`)}
  ${leftOut.map(({ field, reason }) => html`<p class="soft">Left out: ${field}, ${masked(reason)}</p>`)}
  ${push.shared && html`<p class="soft">One record (${push.shared.record}) with ${push.shared.subjects.map(masked).join(", ")}: it shows the newest results of all.</p>`}
  <h3>Attempts</h3>
  ${attempts.length === 0 ? html`<p>None yet.</p>` : attemptsTable(label, attempts, masked)}
  <h3>What ${label} holds</h3>
  ${
    names.length === 0
      ? html`<p>Nothing of ours yet, by our log.</p>`
      : tableOf(
          `Properties of ${label}`,
          there ? [...heads, `There now`] : heads,
          names.map((name) => propertyRow(name, projection?.[name], there, asked.isRevealed)),
        )
  }
  ${held && heldWords(held, label)}
  ${askForm(push, sections, label)}`;
}

function propertyRow(
  name: string,
  sent: string | undefined,
  held: Extract<Holding, { kind: "values" }> | null,
  isRevealed: boolean,
): Part[] {
  const shown = (text: string | undefined) =>
    text === undefined ? "" : isRevealed ? text : maskEmailsIn(text);
  if (held === null) return [name, shown(sent)];
  const there = held.values[name];
  if (there === undefined && !held.tellsAll) return [name, shown(sent), "not told"];
  const isSame = there === sent || (there !== undefined && Number(there) === Number(sent));
  return [
    name,
    shown(sent),
    html`${shown(there) || "nothing"}${!isSame && html` <strong class="waiting">differs</strong>`}`,
  ];
}

function heldWords(held: Holding, label: string): Html {
  switch (held.kind) {
    case "values":
      return html`<p class="soft">Asked just now.</p>`;
    case "nothing":
      return banner("waiting", html`<p>${label} holds no such record.</p>`);
    case "unknown":
      return banner("bad", html`<p>${label} could not be asked: ${held.why}</p>`);
  }
}

function askForm(push: Push, { history: { invite }, csrf }: Sections, label: string): Html {
  const fields = {
    csrf,
    org: invite.org,
    invite: invite.invitationId,
    ask: `${push.vendor}/${push.environment}`,
  };
  return html`<form method="post" action="${ADMIN_HOME}/candidate">${hidden(fields)}<button class="second">Ask ${label} now</button></form>`;
}

function maskerOf({ invite, pushes }: InviteHistory, { isRevealed }: Asked): (words: string) => string {
  const others = pushes.flatMap(({ subject, shared }) => [subject, ...(shared?.subjects ?? [])]);
  const addresses = addressesAmong(invite.candidate.email, others);
  return (words) => (isRevealed ? words : maskedWords(words, addresses));
}

function stateWords({ state, heldCause, delivered, pendingSince }: Push): string {
  if (state === "held") return heldBriefly(heldCause);
  if (state === "delivered") return delivered ? "delivered" : "delivered, and waits for the sweep";
  if (state === "pending" && pendingSince !== null) return `waiting since ${shortTime(pendingSince)}`;
  return state;
}

function attemptsTable(
  label: string,
  attempts: InviteHistory["attempts"],
  masked: (words: string) => string,
): Html {
  return tableOf(
    `Attempts at ${label}`,
    ["When, UTC", "Outcome", "Status", "Seconds", "The vendor's words", "Correlation id"],
    attempts.map(({ at, outcome, httpStatus, durationMs, reason, correlationId }) => [
      secondOf(at),
      outcome,
      httpStatus ?? "no answer",
      (durationMs / 1_000).toFixed(2),
      masked(triedWords({ outcome, reason })),
      correlationId ?? "",
    ]),
  );
}

function tableOf(name: string, heads: readonly string[], rows: readonly (readonly Part[])[]): Html {
  return html`<div class="scroll" tabindex="0" role="region" aria-label="${name}"><table class="stack">
  <thead><tr>${heads.map((head) => html`<th scope="col">${head === "" ? "Remarks" : head}</th>`)}</tr></thead>
  <tbody>${rows.map((cells) => html`<tr>${cells.map((cell) => html`<td>${cell}</td>`)}</tr>`)}</tbody></table></div>`;
}

/** By an invitation, or by an address, which stands in no URL. Null where nothing is found. */
export async function findCandidate(
  { store, vendors }: PagesContext,
  { form, admin, response }: Visit,
): Promise<Shown | null> {
  const org = form.get("org") ?? "";
  const wanted = (form.get("candidate") ?? "").trim();
  if (!maySee(admin, org)) return null;
  const [newest] = wanted.includes("@")
    ? await store.invites({ org, email: emailKey(wanted), limit: 1 })
    : [];
  const found = newest ? newest.invite.invitationId : wanted;
  if (newest || (await store.invite(org, found)) !== null) {
    leadTo(response, candidateUrl(org, found));
    return null;
  }
  const body = html`<h1>Nothing is known of that candidate</h1>
  <p>${org} has no invite of that ${wanted.includes("@") ? "address" : "name"}. Check how it is written, or whether the invite is another organisation's.</p>
  <p><a href="${ADMIN_HOME}">Back to the integrations</a></p>`;
  return {
    status: 404,
    title: "Nothing is known",
    body,
    signedIn: admin,
    logs: logsOf(destinationsIn(vendors)),
  };
}
