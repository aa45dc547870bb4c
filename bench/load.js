// The sender: a process of its own, so that its work is not counted as the server's. It signs everything first,
// then keeps so many connections busy with one request each, and times every answer.
import { connect } from "node:net";
import { requestOf } from "./events.js";

process.once("message", async ({ address, path, connections, warmUp, count, first = 0 }) => {
  const requests = Array.from({ length: warmUp + count }, (_, n) =>
    requestOf(first + n, { host: address, path }),
  );
  await sendAll(requests.slice(0, warmUp), address, connections);
  const startedAt = performance.now();
  const { latencies, accepted } = await sendAll(requests.slice(warmUp), address, connections);
  const seconds = (performance.now() - startedAt) / 1000;
  latencies.sort();
  const percentile = (share) => latencies[Math.floor(latencies.length * share)];
  process.send({ seconds, accepted, p50: percentile(0.5), p99: percentile(0.99) }, () =>
    process.disconnect(),
  );
});

async function sendAll(requests, address, connections) {
  const latencies = new Float64Array(requests.length);
  let [next, accepted] = [0, 0];
  const take = () => (next < requests.length ? next++ : null);
  const note = (n, ms, status) => {
    latencies[n] = ms;
    if (status === "202") accepted += 1;
  };
  await Promise.all(Array.from({ length: connections }, () => keepBusy(requests, address, { take, note })));
  return { latencies, accepted };
}

function keepBusy(requests, address, { take, note }) {
  return new Promise((resolve, reject) => {
    const [host, port] = address.split(":");
    const socket = connect({ host, port: Number(port), noDelay: true });
    let [current, sentAt, answer] = [0, 0, ""];
    const send = () => {
      const n = take();
      if (n === null) return socket.end(resolve);
      current = n;
      sentAt = performance.now();
      socket.write(requests[n]);
    };
    socket.setEncoding("latin1");
    socket.once("connect", send);
    socket.once("error", reject);
    socket.on("data", (text) => {
      answer += text;
      if (!isWhole(answer)) return;
      note(current, performance.now() - sentAt, answer.slice(9, 12));
      answer = "";
      send();
    });
  });
}

function isWhole(answer) {
  const head = answer.indexOf("\r\n\r\n");
  if (head < 0) return false;
  const length = /\r\ncontent-length: (\d+)/i.exec(answer);
  return length ? answer.length >= head + 4 + Number(length[1]) : answer.endsWith("\r\n0\r\n\r\n");
}
