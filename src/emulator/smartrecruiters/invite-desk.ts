/** JobCannon's other part, played here: it is asked for invites (`invite.requested`), and the candidates take the tests. */
import { createHmac, timingSafeEqual } from "node:crypto";
import { isoTime } from "../../shared/clock.ts";
import { type Call, isRecord, json, parseJson, type Reply } from "../http.ts";
import { badInput } from "../control.ts";
import type { ControlRoute } from "../vendor.ts";
import { readReceiver } from "./jobcannon.ts";
import { signatureHeaders } from "./jobcannon-signature.ts";
import { plausibleResult } from "./plausible-results.ts";
import { post } from "./post.ts";
import type { SmartWorld } from "./world.ts";

const TOLERANCE_S = 300;

/** `POST /jobcannon/invites`: signed by Standard Webhooks with the secret that JobCannon signs with. */
export function takeRequest(world: SmartWorld, call: Call): Reply {
  const { secret } = world.jobcannon;
  const id = call.headers["webhook-id"];
  if (secret === null || typeof id !== "string" || !isSigned(call, secret.reveal(), world.clock.now()))
    return json(401, { message: "the signature fits no secret" });
  const body = parseJson(call.body);
  if (!isRecord(body) || body.type !== "invite.requested" || !isRecord(body.data))
    return json(400, { message: "the body is no invite.requested" });
  const known = world.asked.get(id);
  world.asked.set(id, { id, times: (known?.times ?? 0) + 1, data: body.data });
  return json(202, { id });
}

function isSigned({ headers, body }: Call, secret: string, now: number): boolean {
  const sentAt = Number(headers["webhook-timestamp"]);
  if (!(Math.abs(now / 1_000 - sentAt) <= TOLERANCE_S)) return false;
  const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
  const signed = `${headers["webhook-id"]}.${headers["webhook-timestamp"]}.${body}`;
  const wanted = Buffer.from(`v1,${createHmac("sha256", key).update(signed).digest("base64")}`);
  const given = String(headers["webhook-signature"])
    .split(" ")
    .map((each) => Buffer.from(each));
  return given.some((each) => each.length === wanted.length && timingSafeEqual(each, wanted));
}

export function inviteControl(world: SmartWorld): ControlRoute[] {
  return [
    { method: "GET", path: "/invites", answer: () => json(200, [...world.asked.values()]) },
    { method: "POST", path: "/invites/complete", answer: (call) => complete(world, call) },
  ];
}

/** The candidate takes the test that was asked for, and JobCannon tells its receiver. */
async function complete(world: SmartWorld, call: Call): Promise<Reply> {
  const input = parseJson(call.body);
  const asked = isRecord(input) ? world.asked.get(String(input.id)) : undefined;
  if (!asked) return badInput('"id" must be one of an invite that was asked for');
  const receiver = readReceiver(world);
  if (typeof receiver === "string") return json(409, { message: receiver });
  const now = world.clock.now();
  const completedAt = isoTime(now);
  const { org, candidate, test, source } = asked.data;
  const slug = String(test);
  const body = JSON.stringify({
    type: "invite.completed",
    timestamp: completedAt,
    data: {
      ...{ invitation_id: `inv_${asked.id}`, org, status: "completed", completed_at: completedAt },
      ...{ candidate, source, result_url: null },
      tests: [{ slug, status: "completed", completed_at: completedAt, result: plausibleResult(slug) }],
    },
  });
  const status = await post({
    url: receiver.url,
    headers: { "content-type": "application/json", ...signatureHeaders(receiver.secret, body, now) },
    body,
    signal: world.signal,
  });
  return json(200, { invitationId: `inv_${asked.id}`, status });
}
