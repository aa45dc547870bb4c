/** A webhook that only names what happened: acknowledged like any other, and its look-up is soon due. */
import { createHmac } from "node:crypto";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { BlockList } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { createReceiver } from "../../src/daemon/receiving/receiver.ts";
import { scheduledJobs } from "../../src/daemon/scheduled-jobs.ts";
import type { JobContext } from "../../src/flows/jobs/job.ts";
import { listKeysCommand } from "../../src/core/advice/command-lines.ts";
import { loadConfig } from "../../src/shared/config.ts";
import { AppError } from "../../src/shared/errors.ts";
import { secret } from "../../src/shared/secret.ts";
import type { Source } from "../../src/vendors/contract/source.ts";
import { fakeClock } from "../fake-clock.ts";
import { aThinEvent } from "../store/events.ts";
import { openDirect, opened } from "../store/world.ts";

const KEY = "stage changes";
const clock = fakeClock();
const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** Signs by one header, and its body is the event's id. */
const source: Source = {
  id: "greenhouse",
  path: "/greenhouse/webhooks",
  secretName: "greenhouse.webhook-secret",
  largestBodyBytes: 1_024,
  claim: (headers) => ({
    eventId: null,
    isBy: (known, pieces) => headers.signature === signatureOf(known.secret.reveal(), Buffer.concat(pieces)),
    refusal: () => new AppError("SIGNATURE_INVALID", "fits none of our secrets"),
  }),
  parse: (body, { receivedAt }) => ({ ...aThinEvent(body.toString()), at: receivedAt, receivedAt }),
  idOfBody: (body) => body.toString(),
};

function signatureOf(key: string, body: Buffer): string {
  return createHmac("sha256", key).update(body).digest("hex");
}

test("a stored event that must be looked up hurries the look-ups, one that is known does not", async () => {
  const store = await opened(openDirect);
  let left = 0;
  const server = createReceiver({
    store,
    clock,
    quiet: silent,
    sources: [source],
    isActivating: async () => false,
    secretsOf: async () => [{ org: "acme", environment: "production", secret: secret(KEY) }],
    hasSecret: async () => true,
    taken: () => {},
    answered: () => {},
    refused: () => {},
    leftQuestion: () => {
      left += 1;
    },
    trouble: { hear: () => {} },
    consentPages: { respond: () => false },
    notReady: () => null,
    certificate: null,
    mostConnections: 10,
    trustedProxies: new BlockList(),
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const post = async (body: string) => {
    const signature = signatureOf(KEY, Buffer.from(body));
    const headers = { "content-type": "application/json", signature, connection: "close" };
    return (await fetch(`http://127.0.0.1:${port}${source.path}`, { method: "POST", headers, body })).status;
  };
  expect(await post("evt_1")).toBe(202);
  expect(left).toBe(1);
  expect(await post("evt_1")).toBe(202);
  expect(left).toBe(1);
  expect(await post("evt_2")).toBe(202);
  expect(left).toBe(2);
  expect(await store.questions({ after: 0, limit: 10 })).toHaveLength(2);
});

test("the look-ups are due within a second of being hurried", async () => {
  const config = loadConfig({
    ...{ file: "/nowhere", isRequired: false, env: {}, flags: {}, vendors: [] },
    listKeys: listKeysCommand,
  });
  const nobody = () => Promise.reject(new Error("nothing runs here"));
  const context: JobContext = {
    ...{ clock, config, log: silent, insists: false, store: await opened(openDirect) },
    ...{
      destination: nobody,
      access: nobody,
      lookUp: nobody,
      keyAccess: nobody,
      inviteDesk: async () => null,
    },
    ...{ stateDir: "/nowhere", backupFiles: nobody, asTypedHere: (text) => text },
    ...{ http: nobody, tokens: nobody, vault: nobody, secrets: nobody },
    sources: async () => [],
    tokenTrouble: { release: async () => null, note: nobody },
  };
  const { jobs, hurry } = await scheduledJobs(context, { jobEnded: () => {} });
  const due = jobs.find(({ name }) => name === "questions")?.due;
  const now = clock.now() + 1;
  expect(due?.next(now)).toBe(clock.now() + 60_000);
  hurry("questions");
  expect(due?.next(now)).toBe(clock.now() + 1_000);
});
