/** What lies between a process and its database, and how it fails. */
import { type AddressInfo, connect as connectTo, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { postgresServer } from "./postgres-server.ts";

/** As the server says with a login that has just succeeded that it may be asked. */
const READY = Buffer.from("Z\0\0\0\x05I", "latin1");
/** As one says it whose first process was killed. */
const DYING = "terminating connection due to unexpected postmaster exit";

function lastWords(): Buffer {
  const fields = Buffer.from(`SFATAL\0VFATAL\0C57P01\0M${DYING}\0\0`, "latin1");
  const head = Buffer.from("E\0\0\0\0", "latin1");
  head.writeInt32BE(fields.length + 4, 1);
  return Buffer.concat([head, fields]);
}

async function proxyTo(socketPath: string) {
  let swallows = false;
  let diesAfterLogin = false;
  let commits = 0;
  let lost: number | null = null;
  let lostAfter: string | null = null;
  const ends = new Set<Socket>();
  const server = createServer((near) => {
    const far = connectTo(socketPath);
    let [isCutOff, isMeant] = [false, false];
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      ends.add(from);
      from.on("data", (bytes) => {
        if (swallows) return;
        if (from === near && lostAfter !== null && bytes.includes(lostAfter)) isMeant = true;
        if (from === near && bytes.includes("COMMIT")) {
          commits += 1;
          isCutOff = commits === lost || isMeant;
          if (isMeant) lostAfter = null;
        } else if (from === far && isCutOff) {
          if (bytes.includes("COMMIT")) near.destroy();
          return;
        } else if (from === far && diesAfterLogin && bytes.subarray(-READY.length).equals(READY)) {
          diesAfterLogin = false;
          return void near.end(Buffer.concat([bytes, lastWords()]));
        }
        to.write(bytes);
      });
      from.on("close", () => swallows || to.destroy());
      from.on("error", () => {});
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const cut = () => {
    for (const end of ends) end.destroy();
  };
  onTestFinished(() => {
    cut();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return {
    port,
    swallow: (now: boolean) => {
      swallows = now;
    },
    /** The next connection ends in the moment in which it is let in: what it hears comes in one piece. */
    dieAfterLogin: () => {
      diesAfterLogin = true;
    },
    /** Of those that are asked for from now on, counted from 1. */
    loseCommit: (which = 1) => {
      [commits, lost] = [0, which];
    },
    /** The next one behind such a statement. */
    loseCommitAfter: (statement: string) => {
      lostAfter = statement;
    },
    /** How many were asked for since then. */
    commits: () => commits,
    cut,
  };
}

/**
 * A way to that database by a TCP port, which swallows what is sent while it is told to. Or it takes a commit to the server, and
 * cuts the connection off once that is done, without the answer.
 */
export async function throughProxy(url: string) {
  const { directory } = await postgresServer();
  const proxy = await proxyTo(join(directory, ".s.PGSQL.5432"));
  const database = new URL(url.replace("@/", "@localhost/")).pathname;
  return { ...proxy, url: `postgres://jc@127.0.0.1:${proxy.port}${database}` };
}
