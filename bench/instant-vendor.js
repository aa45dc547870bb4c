// A vendor that takes everything at once, or after so many milliseconds as its argument says: it reads the batch and confirms
// each record by its trace id, so that what is measured is the sender. `GET /figures` tells of the calls since the last time
// it was asked.
import { createServer } from "node:http";
import { confirmAll } from "./confirm-all.js";

const latencyMs = Number(process.argv[2] ?? 0);
const fresh = () => ({ calls: 0, records: 0, firstAt: null, lastAt: null });
let figures = fresh();

const server = createServer((request, response) => {
  if (request.url === "/figures") {
    response.end(JSON.stringify(figures));
    figures = fresh();
    return;
  }
  // A look at the portal's properties, say: it ends no measurement.
  if (request.method === "GET") return void response.writeHead(404).end("{}");
  figures.firstAt ??= performance.now();
  const chunks = [];
  request.on("data", (chunk) => chunks.push(chunk));
  request.on("end", () => {
    const { inputs } = JSON.parse(Buffer.concat(chunks).toString());
    if (latencyMs === 0) confirmAll(response, inputs);
    else setTimeout(() => confirmAll(response, inputs), latencyMs);
    figures.calls += 1;
    figures.records += inputs.length;
    figures.lastAt = performance.now();
  });
});
server.keepAliveTimeout = 0;
process.once("SIGTERM", () => process.exit());
server.listen(0, "127.0.0.1", () => console.log(`http://127.0.0.1:${server.address().port}`));
