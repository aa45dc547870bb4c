import { Webhook } from "standardwebhooks";
import type { VendorExample } from "../contract/examples.ts";
import type { EventOf } from "../contract/source.ts";

const secretOf = (text: string) => `whsec_${Buffer.from(text).toString("base64")}`;

const event = ({ at, org }: EventOf, type = "invite.completed") => ({
  type,
  timestamp: new Date(at).toISOString(),
  data: {
    invitation_id: "inv_1",
    org,
    status: "completed",
    sent_at: "2026-11-20T09:00:00Z",
    candidate: { email: "ann@example.com", first_name: "Ann", last_name: "Lee" },
    tests: [
      { slug: "iq-test", status: "completed", completed_at: "2026-11-22T10:00:00Z", result: { score: 101 } },
      {
        ...{ slug: "disc", status: "completed", completed_at: null },
        result: { dimensions: [{ name: "Dominance", score: 68 }], duration_seconds: 245 },
      },
    ],
    source: { vendor: "smartrecruiters", candidate_id: "c1", job_id: "j1", assessment_id: "a1" },
  },
});

export const example: VendorExample = {
  source: {
    secrets: [secretOf("our very own webhook secret"), secretOf("somebody else's secret text")],
    event: (of) => event(of),
    unknown: (of) => event(of, "invite.renamed"),
    headers: (body, { secret, id, at }) => ({
      "webhook-id": id,
      "webhook-timestamp": String(Math.floor(at / 1000)),
      "webhook-signature": new Webhook(secret).sign(id, new Date(at), body),
    }),
    tells: "snapshot",
  },
};
