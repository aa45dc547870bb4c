// Completed invites as JobCannon sends them, each another one, about 1 KB each, signed by Standard Webhooks.
import { createHmac } from "node:crypto";

export const ORG = "bench";
export const SECRET = `whsec_${Buffer.from("the benchmark's webhook secret..").toString("base64")}`;

export function bodyOf(n, org = ORG) {
  const at = new Date(Date.now() - 60_000).toISOString();
  const score = Number(n) % 100 || 0;
  const dimension = (name, shift) => ({
    name,
    score: (score + shift) % 100,
    percentile: (score + shift * 2) % 100,
    interpretation: score > 50 ? "high" : "low",
  });
  return JSON.stringify({
    type: "invite.completed",
    timestamp: at,
    data: {
      invitation_id: `inv_${n}`,
      org,
      status: "completed",
      sent_at: at,
      completed_at: at,
      candidate: { email: `candidate.${n}@example.org`, first_name: "Ann", last_name: `Lee-${n}` },
      tests: [
        {
          slug: "disc",
          status: "completed",
          completed_at: at,
          result: {
            dimensions: ["Dominance", "Influence", "Steadiness", "Conscientiousness"].map(dimension),
            duration_seconds: 245 + score,
          },
        },
        {
          slug: "mbti",
          status: "completed",
          completed_at: at,
          result: { type: "INFJ-T", duration_seconds: 312 },
        },
        {
          slug: "riasec",
          status: "completed",
          completed_at: at,
          result: { code: "SAI", duration_seconds: 198 },
        },
      ],
      result_url: `https://jobcannon.io/results/inv_${n}`,
    },
  });
}

/** A signed request in parts. */
export function signedOf(n, org = ORG) {
  const body = bodyOf(n, org);
  const [id, sentAt] = [`msg_${n}`, Math.floor(Date.now() / 1000)];
  const key = Buffer.from(SECRET.slice("whsec_".length), "base64");
  const signature = createHmac("sha256", key).update(`${id}.${sentAt}.${body}`).digest("base64");
  const headers = {
    "content-type": "application/json",
    "webhook-id": id,
    "webhook-timestamp": String(sentAt),
    "webhook-signature": `v1,${signature}`,
  };
  return { headers, body };
}

/** The whole request as it goes over the wire. */
export function requestOf(n, { host, path }) {
  const { headers, body } = signedOf(n);
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.from(
    `POST ${path} HTTP/1.1\r\nhost: ${host}\r\nuser-agent: JobCannon-Webhooks/1.0\r\naccept: */*\r\n` +
      `${lines.join("")}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}
