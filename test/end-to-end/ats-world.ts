import * as v from "valibot";
import { type AtsOptions, type AtsWorld, connectedAts, subscription } from "../ats/world.ts";
import { vaultOf } from "../connect/world.ts";
import { type InviteEvent, invite, succeed, type World } from "../world.ts";

export interface BothWorld extends AtsWorld {
  /** What SmartRecruiters signs with. */
  signedWith: string;
}

export async function connectedToBoth(options: AtsOptions = {}): Promise<BothWorld> {
  const world = await connectedAts(options);
  await succeed(world, ["connect", "hubspot"]);
  await succeed(world, ["webhooks", "subscribe"]);
  return { ...world, signedWith: (await subscription(world)).secret };
}

/** One candidate of SmartRecruiters and the DISC test that they were asked to take. */
export interface Asked {
  candidateId: string;
  assessmentId: string;
  email: string;
}

const Token = v.pipe(v.string(), v.parseJson(), v.object({ accessToken: v.string() }));
const Id = v.object({ id: v.string() });

/** As recruiters do it over days: the rate limit counts none of these calls. */
export async function askCandidates(world: World, n: number): Promise<Asked[]> {
  await world.smartrecruiters.fault({ rateLimit: "none" });
  const token = v.parse(Token, (await vaultOf(world))["token/acme/smartrecruiters/production"]);
  const create = async (path: string, body: object) => {
    const headers = { authorization: `Bearer ${token.accessToken}` };
    const init = { method: "POST", headers, body: JSON.stringify(body) };
    const answer = await fetch(world.emulator.smartrecruiters + path, init);
    return v.parse(Id, await answer.json()).id;
  };
  const indexes = Array.from({ length: n }, (_, index) => index);
  const asked = await many(indexes, async (index) => {
    const email = `candidate.${index}@example.org`;
    const candidateId = await create("/v1/candidates", { firstName: "Kim", lastName: "Vale", email });
    const jobId = `job-${index % 7}`;
    const assessmentId = await create("/v1/assessments", { candidateId, jobId, test: "disc" });
    return { candidateId, assessmentId, email };
  });
  await world.smartrecruiters.clearFaults();
  return asked;
}

/** Does the work for each, many at once, and keeps the order of what it gives. */
export async function many<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const left = [...items.entries()].reverse();
  const worker = async () => {
    for (let next = left.pop(); next; next = left.pop()) results[next[0]] = await work(next[1]);
  };
  await Promise.all(Array.from({ length: 24 }, worker));
  return results;
}

/** JobCannon's word on the invitation that SmartRecruiters asked for. */
export function inviteOf(
  { candidateId, assessmentId, email }: Asked,
  changes: Parameters<typeof invite>[0] = {},
): InviteEvent {
  const event = invite({ invitation_id: `inv_${assessmentId}`, email, ...changes });
  const source = { vendor: "smartrecruiters", candidate_id: candidateId, assessment_id: assessmentId };
  return { ...event, data: { ...event.data, ...{ source } } };
}

/** What was asked of SmartRecruiters' API. */
export async function requestsTo(world: World) {
  return await world.smartrecruiters.requests({ from: "/v1/" });
}

/** The results it took. */
export async function writeBacksOf(world: World) {
  const requests = await requestsTo(world);
  return requests.filter(({ path, status }) => path.endsWith("/results") && status === 201);
}
