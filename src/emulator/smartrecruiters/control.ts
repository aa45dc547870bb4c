/** `/_control/smartrecruiters`: what candidates, recruiters and admins see and do in their own pages. */
import { isoTime } from "../../shared/clock.ts";
import { badInput } from "../control.ts";
import { type Call, isRecord, json, parseJson, type Reply } from "../http.ts";
import type { ControlRoute } from "../vendor.ts";
import { assessmentsOf, scorecardOf } from "./company.ts";
import { readReceiver, tellCompleted, type Told } from "./jobcannon.ts";
import { subscriptionControl } from "./subscription-control.ts";
import type { WebhookEvent } from "./webhook-event.ts";
import { fire, newEvent } from "./webhooks.ts";
import type { SmartWorld } from "./world.ts";

export function smartrecruitersControl(world: SmartWorld): ControlRoute[] {
  return [
    { method: "GET", path: "/scorecards", answer: () => json(200, listScorecards(world)) },
    { method: "POST", path: "/complete", answer: (call) => complete(world, call) },
    {
      method: "GET",
      path: "/deliveries",
      answer: () =>
        json(
          200,
          world.deliveries.map((delivery) => ({ ...delivery, at: isoTime(delivery.at) })),
        ),
    },
    { method: "POST", path: "/webhooks", answer: (call) => fireOne(world, call) },
    ...subscriptionControl(world),
  ];
}

/** Of all companies; candidates without an entry are there too. */
function listScorecards({ companies }: SmartWorld): object {
  const scorecards = [...companies.values()].flatMap((company) =>
    [...company.candidates.keys()].map((id) => [id, scorecardOf(company, id)] as const),
  );
  return Object.fromEntries(scorecards);
}

/** The candidate finishes all that is open. The answer names the first invitation, and each in `completed`. */
async function complete(world: SmartWorld, call: Call): Promise<Reply> {
  const input = parseJson(call.body);
  if (!isRecord(input) || typeof input.candidateId !== "string") return badInput('"candidateId" is missing');
  const { candidateId, org = world.jobcannon.org } = input;
  if (typeof org !== "string" || org === "") return badInput('"org" must be text');
  const company = [...world.companies.values()].find(({ candidates }) => candidates.has(candidateId));
  if (!company) return json(404, { message: `there is no candidate ${candidateId}` });
  const receiver = readReceiver(world);
  if (typeof receiver === "string") return json(409, { message: receiver });
  const open = assessmentsOf(company, candidateId).filter(({ status }) => status === "invited");
  const completed: Told[] = [];
  for (const assessment of open)
    completed.push(await tellCompleted(world, receiver, { company, assessment, org }));
  const [first] = completed;
  if (!first) return json(409, { message: `candidate ${candidateId} has no open assessment` });
  return json(200, { invitationId: first.invitationId, status: first.status, completed });
}

/** One event of any content, signed as usual, to one company or to all. */
function fireOne(world: SmartWorld, call: Call): Reply {
  const input = parseJson(call.body);
  if (!isRecord(input)) return badInput("an event is a JSON object");
  const { clientId, id, ...fields } = input;
  if (id !== undefined && typeof id !== "string") return badInput('"id" must be text');
  const companies = [...world.companies.values()].filter(
    (company) => clientId === undefined || company.clientIds.has(String(clientId)),
  );
  if (companies.length === 0) return json(404, { message: "there is no such company" });
  const event: WebhookEvent = { ...newEvent(world), ...(id !== undefined && { id }), ...fields };
  const after = () => {
    for (const company of companies) fire(world, company, event);
  };
  return { ...json(202, { id: event.id }), after };
}
