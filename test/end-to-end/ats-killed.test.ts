import * as v from "valibot";
import { expect, test } from "vitest";
import { until } from "../world.ts";
import { askCandidates, connectedToBoth, many, writeBacksOf } from "./ats-world.ts";
import { entryOf, type Webhook, webhooksAbout } from "./ats-webhooks.ts";
import { expectedContacts } from "./contact-model.ts";
import { logOf } from "./log.ts";
import { launchFleet } from "./fleet.ts";
import { describeInEachPlace } from "./places.ts";
import { allDelivered, post } from "./program.ts";

const WHOLE = {
  assessments: 800,
  webhooks: 10_000,
  /** A service is killed when so many webhooks are answered, */
  killedAtAnswers: [900, 2_400, 4_000, 5_500, 7_000],
  /** and when the log knows of so many write-backs. */
  killedAtWrites: [500, 700],
};
const SHORT = {
  assessments: 200,
  webhooks: 2_500,
  killedAtAnswers: [300, 900, 1_500],
  killedAtWrites: [120],
};
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
  (SELECT 1 FROM attempts WHERE outcome = 'delivered' GROUP BY push_id, version HAVING count(*) > 1) AS twice`;
const MATCHED = `SELECT count(*) FROM confirmations c JOIN events e USING (seq) JOIN invites i ON i.id = e.invite_id
  WHERE c.state <> 'unmatched' AND i.invitation_id = 'inv_' || c.assessment_id`;

/** A net for what never ends: a machine that is busy takes minutes for all of it. */
const LONGEST_MS = 20 * 60_000;

describeInEachPlace((place) => {
  const { assessments, webhooks, killedAtAnswers, killedAtWrites } = place.sized(WHOLE, SHORT);
  test(
    `${webhooks} webhooks of both sides, out of order, doubled and forged, survive services that are killed again and again`,
    async () => {
      const world = await connectedToBoth({ env: await place.environment() });
      const asked = await askCandidates(world, assessments);
      await world.smartrecruiters.settings({ webhookRetryMs: Array.from({ length: 20 }, () => 500) });
      const sent = webhooksAbout(asked, webhooks, world);
      const answers: { webhook: Webhook; status: number }[] = [];
      const fleet = await launchFleet(place, world);
      const log = logOf(world);
      let kills = 0;
      const killAndRestart = async () => {
        const service = kills % place.services;
        kills += 1;
        expect(await fleet.end(service, "SIGKILL")).toMatchObject({ signal: "SIGKILL" });
        await fleet.start(service);
      };

      const sending = many(sent, async (webhook) => {
        answers.push({ webhook, status: await sendUntilAnswered(world.publicUrl, webhook) });
      });
      for (const n of killedAtAnswers) {
        await until(`${n} are answered`, () => answers.length >= n);
        await killAndRestart();
      }
      await sending;
      for (const n of killedAtWrites) {
        await until(`${n} are written back`, async () => (await log.count(WRITTEN)) >= n);
        await killAndRestart();
      }
      await allDelivered(world);
      const written = await writeBacksOf(world);
      const told = await until("SmartRecruiters has told of every write-back", async () => {
        const deliveries = await world.smartrecruiters.deliveries();
        const taken = new Set(
          deliveries.filter(({ status }) => status === 202).map(({ eventId }) => eventId),
        );
        return taken.size >= written.length && taken;
      });
      await allDelivered(world);

      const good = sent.filter(({ isBad }) => !isBad);
      expect(answers).toHaveLength(webhooks);
      expect(answers.filter(({ webhook, status }) => status !== (webhook.isBad ? 401 : 202))).toEqual([]);

      // What was acknowledged is in the log once, and nothing else is.
      const stored = await log.rows(
        Stored,
        "SELECT source || ' ' || event_id AS event, count(*) AS n FROM events GROUP BY 1",
      );
      const own = new Set(good.map(({ source, id }) => `${source} ${id}`));
      const theirs = [...told].map((id) => `smartrecruiters ${id}`);
      expect(stored.map(({ event }) => event).sort()).toEqual([...own, ...theirs].sort());
      expect(stored.filter(({ n }) => n !== 1)).toEqual([]);
      expect(await log.count(MATCHED)).toBe(assessments + told.size);

      const scorecards = asked.map((each, index) => [each.candidateId, [entryOf(each, index)]]);
      expect(await world.smartrecruiters.scorecards()).toEqual(Object.fromEntries(scorecards));
      const events = good.flatMap(({ event }) => (event ? [event] : []));
      expect(await world.portal.contacts()).toEqual(expectedContacts(events));

      // What the vendor told of our own writing made us write no more; what was written twice, a kill explains.
      expect(await writeBacksOf(world)).toEqual(written);
      expect(await log.count(DELIVERED_TWICE)).toBe(0);
      const unsettled = written.length - (await log.count(WRITTEN));
      expect(unsettled).toBeGreaterThanOrEqual(0);
      expect(unsettled).toBeLessThanOrEqual(kills * LEFT_BY_A_KILL);
    },
    LONGEST_MS,
  );
});
