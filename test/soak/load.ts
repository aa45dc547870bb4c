/** What comes in while the service is soaked: new invites, their progress, what is sent twice, and what is malformed. */
import { systemClock } from "../../src/shared/clock.ts";
import { send } from "../end-to-end/program.ts";
import { disc, invite, type InviteEvent } from "../world.ts";

/** Leaves the deliveries their turn. */
const PACE_MS = 50;
const MBTI = { slug: "mbti", status: "assigned" };

export interface Load {
  /** Addresses of those whose completion was answered with 202, and by which invite. */
  acknowledged: Map<string, string>;
  stop(): Promise<void>;
}

/** `url`: where the service listens now; it may be gone for a while. */
export function startLoad(url: () => string, senders: number): Load {
  const acknowledged: Load["acknowledged"] = new Map();
  let isOver = false;
  const sendUntilTaken = async (event: InviteEvent, id: string): Promise<boolean> => {
    for (;;) {
      const answer = await send(url(), event, { id });
      if (answer?.status === 202) return true;
      // The last ones are not insisted on: what nobody acknowledged may be lost.
      if (isOver) return false;
      await systemClock.sleep(PACE_MS);
    }
  };
  const one = async (): Promise<void> => {
    const event = invite({ tests: [disc(), MBTI], type: "invite.progress", timestamp: now() });
    const { invitation_id: id, candidate } = event.data;
    if (Math.random() < 0.5) await sendUntilTaken(event, `${id}-progress`);
    const completed = { ...event, type: "invite.completed", timestamp: now() };
    completed.data = { ...event.data, tests: [disc()] };
    if (await sendUntilTaken(completed, `${id}-completed`)) acknowledged.set(candidate.email, id);
    if (Math.random() < 0.2) await sendUntilTaken(completed, `${id}-completed`);
    if (Math.random() < 0.1) await send(url(), { ...event, timestamp: "no time" });
  };
  const sendOn = async () => {
    while (!isOver) {
      await one();
      await systemClock.sleep(PACE_MS);
    }
  };
  const sending = Promise.all(Array.from({ length: senders }, sendOn));
  return {
    acknowledged,
    stop: async () => {
      isOver = true;
      await sending;
    },
  };
}

const now = () => new Date().toISOString();
