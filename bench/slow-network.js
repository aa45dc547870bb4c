// A network between the program and a vendor on this machine: each call and each answer takes its own random time, so
// that they overtake each other. `node slow-network.js URL LEAST_MS MOST_MS` says where it listens.
import { Agent, createServer, request } from "node:http";
import { buffer } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";

const [target, leastMs, mostMs] = process.argv.slice(2);
const { hostname, port } = new URL(target);
const agent = new Agent({ keepAlive: true });
const delay = () => sleep(Number(leastMs) + Math.random() * (mostMs - leastMs));

const server = createServer(async (call, reply) => {
  try {
    const body = await buffer(call);
    await delay();
    const answer = await passOn(call, body);
    const text = await buffer(answer);
    await delay();
    reply.writeHead(answer.statusCode, answer.headers).end(text);
  } catch {
    reply.destroy();
  }
});
server.keepAliveTimeout = 0;
process.once("SIGTERM", () => process.exit());
server.listen(0, "127.0.0.1", () => console.log(`http://127.0.0.1:${server.address().port}`));

function passOn({ method, url, headers }, body) {
  return new Promise((resolve, reject) => {
    request({ hostname, port, method, path: url, headers, agent }, resolve).once("error", reject).end(body);
  });
}
