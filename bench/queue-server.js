// The same bare receiver before a job queue in PostgreSQL: each webhook becomes a job, by the queue's own bulk insert, and
// what comes while one commit is under way goes together in the next. `node queue-server.js QUEUE URL DIRECTORY`, the
// directory being the one that the queue was installed in.
import { createRequire } from "node:module";
import { join } from "node:path";
import { listenForWebhooks, stored } from "./signed-webhooks.js";

const [queue, connectionString, directory] = process.argv.slice(2);
const require = createRequire(join(directory, "package.json"));
const JOB = "webhook";

const QUEUES = {
  "graphile-worker": async () => {
    const { Logger, makeWorkerUtils } = require("graphile-worker");
    const utils = await makeWorkerUtils({ connectionString, logger: new Logger(() => () => {}) });
    await utils.migrate();
    return (payloads) => utils.addJobs(payloads.map((payload) => ({ identifier: JOB, payload })));
  },
  "pg-boss": async () => {
    const PgBoss = require("pg-boss");
    const boss = new PgBoss({ connectionString, supervise: false, schedule: false });
    await boss.start();
    await boss.createQueue(JOB);
    return (payloads) => boss.insert(payloads.map((data) => ({ name: JOB, data })));
  },
};

const insert = await QUEUES[queue]();
let waiting = [];
let isUnderWay = false;

async function commitWaiting() {
  isUnderWay = true;
  while (waiting.length > 0) {
    const batch = waiting;
    waiting = [];
    await insert(batch.map(({ id, body }) => ({ id, event: JSON.parse(body) })));
    for (const { response } of batch) stored(response);
  }
  isUnderWay = false;
}

listenForWebhooks((webhook) => {
  waiting.push(webhook);
  if (!isUnderWay && waiting.length === 1) setImmediate(commitWaiting);
});
