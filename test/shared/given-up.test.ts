/** A call that is given up while the network is cut: what the system had not sent by then is not sent after the cut. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { createHttp, type HttpSettings } from "../../src/shared/http.ts";
import { proxyFrom } from "../../src/shared/proxy.ts";
import { issued } from "../certificates.ts";
import { describeWithMachines, type Machine, machine } from "../replicas/machines.ts";
import { until } from "../world.ts";

/** Tells on its output of all that comes to it: over TLS, in the open, and as a proxy to itself. */
const VENDOR = `
const [certFile, keyFile, host] = process.argv.slice(1);
const { readFileSync } = require("node:fs");
const net = require("node:net");
const tls = { cert: readFileSync(certFile), key: readFileSync(keyFile) };
const answers = (request, response) => {
  request.on("data", (chunk) => console.log("came " + chunk)).on("end", () => response.end("{}")).on("error", () => {});
};
const proxies = (request, socket) => {
  const on = net.connect(encrypted.address().port, host, () => {
    socket.write("HTTP/1.1 200 OK\\r\\n\\r\\n");
    on.pipe(socket).pipe(on);
  });
  for (const end of [socket, on]) end.on("error", () => {});
};
const encrypted = require("node:https").createServer(tls, answers);
const open = net.createServer((socket) => socket.on("data", (chunk) => console.log("came " + chunk)).on("error", () => {}));
const proxy = require("node:http").createServer().on("connect", proxies);
const encryptedProxy = require("node:https").createServer(tls).on("connect", proxies);
const servers = [encrypted, open, proxy, encryptedProxy];
Promise.all(servers.map((server) => new Promise((done) => server.listen(0, host, done)))).then(() =>
  console.log(JSON.stringify(servers.map((server) => server.address().port))));
`;

interface Vendor {
  caFile: string;
  host: string;
  ports: { encrypted: number; open: number; proxy: number; encryptedProxy: number };
  /** What came to it, in its order. */
  came(): string[];
}

async function vendorOn({ shell, toWorld }: Machine): Promise<Vendor> {
  const host = toWorld.far;
  const { certFile, keyFile } = issued({ names: [host] });
  const command = [process.execPath, "-e", VENDOR, certFile, keyFile, host];
  const child = spawn("sh", ["-c", shell, "sh", ...command], { stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(() => ended(child));
  let told = "";
  child.stdout.on("data", (chunk) => {
    told += chunk;
  });
  const lines = () => told.split("\n");
  const first = await until("the vendor listens", () => (told.includes("\n") ? (lines()[0] ?? null) : null));
  const [encrypted, open, proxy, encryptedProxy] = JSON.parse(first);
  const came = () => lines().flatMap((line) => (line.startsWith("came ") ? [line.slice(5)] : []));
  return { caFile: certFile, host, ports: { encrypted, open, proxy, encryptedProxy }, came };
}

async function ended(child: ChildProcess): Promise<void> {
  const end = once(child, "exit");
  child.kill("SIGKILL");
  await end;
}

type Way = (vendor: Vendor) => HttpSettings["proxy"];
const WAYS: readonly (readonly [string, Way])[] = [
  ["straight", () => null],
  ["through a proxy", ({ host, ports }) => proxyFrom({ HTTPS_PROXY: `http://${host}:${ports.proxy}` })],
  [
    "through a proxy over TLS",
    ({ host, ports }) => proxyFrom({ HTTPS_PROXY: `https://${host}:${ports.encryptedProxy}` }),
  ],
];

describeWithMachines("a call that is given up while the network is cut", () => {
  test.each(WAYS)("never comes to the vendor after the cut, %s", async (_, proxyTo) => {
    const far = await machine();
    const vendor = await vendorOn(far);
    const { caFile, host, ports, came } = vendor;
    const http = createHttp({ caFile, proxy: proxyTo(vendor) });
    onTestFinished(() => http.close());
    const url = `https://${host}:${ports.encrypted}/`;
    const call = (version: string, more: { timeoutMs?: number; signal?: AbortSignal } = {}) =>
      http.request({ method: "POST", url, json: { version }, ...more });
    const open = connect(ports.open, host);
    await once(open, "connect");
    open.write("witness before\n");
    const [first, second, third] = ["first", "second", "third"].map((version) => JSON.stringify({ version }));
    // One connection for each of those that follow, which then rest.
    await Promise.all([call("first"), call("second")]);
    await until("both came", () => [first, second].every((body) => came().includes(body ?? "")));

    far.toWorld.cut("far");
    const stop = new AbortController();
    const [tooLate, stopped] = [
      call("too late", { timeoutMs: 500 }),
      call("stopped", { signal: stop.signal }),
    ];
    stopped.catch(() => {});
    await expect(tooLate).rejects.toMatchObject({ code: "VENDOR_UNAVAILABLE", message: /timed out/ });
    stop.abort(new Error("stopped"));
    await expect(stopped).rejects.toThrow("stopped");
    // Sent last, so that the system tries it anew after the others; and ended gently, as they would be.
    open.end("witness after\n");
    far.toWorld.mend();

    await until("what was ended gently comes", () => came().includes("witness after"));
    await until("a new call is answered", () => call("third", { timeoutMs: 2_000 }).catch(() => null));
    await until("the vendor tells of it", () => came().includes(third ?? ""));
    const versions = new Set(came().filter((line) => line.startsWith("{")));
    expect(versions).toEqual(new Set([first, second, third]));
  });
});
