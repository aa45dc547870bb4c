import * as v from "valibot";
import { expect, test } from "vitest";
import { until } from "../world.ts";
import { askCandidates, connectedToBoth, many, writeBacksOf } from "./ats-world.ts";
import { entryOf, type Webhook, webhooksAbout } from "./ats-webhooks.ts";
import { expectedContacts } from "./contact-model.ts";
import { logOf } from "./log.ts";
import { allDelivered, launchService, post } from "./program.ts";

const ASSESSMENTS = 800;
const WEBHOOKS = 10_000;
/** A service is killed when so many webhooks are answered, */
const KILLED_AT_ANSWERS = [900, 2_400, 4_000, 5_500, 7_000];
/** and when the log knows of so many write-backs. */
const KILLED_AT_WRITES = [500, 700];
/** Write-backs that a kill may leave without their attempt: those under way, and one that is settled with the next. */
const LEFT_BY_A_KILL = 65;

/** Sends it until somebody answers, and not with 503. */
async function sendUntilAnswered(url: string, { path, body, headers }: Webhook): Promise<number> {
  const send = async () => {
    const { status } = await post(url + path, { headers, body });
    return status === 503 ? null : status;
  };
  return await until("an answer", () => send().catch(() => null));
}

const Stored = v.object({ event: v.string(), n: v.number() });

const WRITTEN = `SELECT count(*) FROM attempts a JOIN pushes p ON p.id = a.push_id
  JOIN connections c ON c.id = p.connection_id WHERE c.vendor = 'smartrecruiters' AND a.outcome = 'delivered'`;
const DELIVERED_TWICE = `SELECT count(*) FROM
  (SELECT 1 FROM attempts WHERE outcome = 'delivered' GROUP BY push_id, version HAVING count(*) > 1)`;
const MATCHED = `SELECT count(*) FROM confirmations c JOIN events e USING (seq) JOIN invites i ON i.id = e.invite_id
  WHERE c.state <> 'unmatched' AND i.invitation_id = 'inv_' || c.assessment_id`;

test(`${WEBHOOKS} webhooks of both sides, out of order, doubled and forged, survive a service that is killed again and again`, async () => {
  const world = await connectedToBoth();
  const asked = await askCandidates(world, ASSESSMENTS);
  await world.smartrecruiters.settings({ webhookRetryMs: Array.from({ length: 20 }, () => 500) });
  const webhooks = webhooksAbout(asked, WEBHOOKS, world);
  const answers: { webhook: Webhook; status: number }[] = [];
  let service = await launchService(world);
  const log = logOf(world);
  const killAndRestart = async () => {
    service.child.kill("SIGKILL");
    expect(await service.ended).toMatchObject({ signal: "SIGKILL" });
    service = await launchService(world);
  };

  const sending = many(webhooks, async (webhook) => {
    answers.push({ webhook, status: await sendUntilAnswered(world.publicUrl, webhook) });
  });
  for (const n of KILLED_AT_ANSWERS) {
    await until(`${n} are answered`, () => answers.length >= n);
    await killAndRestart();
  }
  await sending;
  for (const n of KILLED_AT_WRITES) {
    await until(`${n} are written back`, () => log.count(WRITTEN) >= n);
    await killAndRestart();
  }
  await allDelivered(world);
  const written = await writeBacksOf(world);
  const told = await until("SmartRecruiters has told of every write-back", async () => {
    const deliveries = await world.smartrecruiters.deliveries();
    const taken = new Set(deliveries.filter(({ status }) => status === 202).map(({ eventId }) => eventId));
    return taken.size >= written.length && taken;
  });
  await allDelivered(world);

  const good = webhooks.filter(({ isBad }) => !isBad);
  expect(answers).toHaveLength(WEBHOOKS);
  expect(answers.filter(({ webhook, status }) => status !== (webhook.isBad ? 401 : 202))).toEqual([]);

  // What was acknowledged is in the log once, and nothing else is.
  const stored = log.rows(
    Stored,
    "SELECT source || ' ' || event_id AS event, count(*) AS n FROM events GROUP BY 1",
  );
  const own = new Set(good.map(({ source, id }) => `${source} ${id}`));
  const theirs = [...told].map((id) => `smartrecruiters ${id}`);
  expect(stored.map(({ event }) => event).sort()).toEqual([...own, ...theirs].sort());
  expect(stored.filter(({ n }) => n !== 1)).toEqual([]);
  expect(log.count(MATCHED)).toBe(ASSESSMENTS + told.size);

  const scorecards = asked.map((each, index) => [each.candidateId, [entryOf(each, index)]]);
  expect(await world.smartrecruiters.scorecards()).toEqual(Object.fromEntries(scorecards));
  const events = good.flatMap(({ event }) => (event ? [event] : []));
  expect(await world.portal.contacts()).toEqual(expectedContacts(events));

  // What the vendor told of our own writing made us write no more; what was written twice, a kill explains.
  expect(await writeBacksOf(world)).toEqual(written);
  expect(log.count(DELIVERED_TWICE)).toBe(0);
  const unsettled = written.length - log.count(WRITTEN);
  const kills = KILLED_AT_ANSWERS.length + KILLED_AT_WRITES.length;
  expect(unsettled).toBeGreaterThanOrEqual(0);
  expect(unsettled).toBeLessThanOrEqual(kills * LEFT_BY_A_KILL);
});
