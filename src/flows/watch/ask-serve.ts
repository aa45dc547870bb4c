import { get } from "node:http";
import * as v from "valibot";

const LONGEST_WAIT_MS = 1_000;
const Readiness = v.object({ status: v.string() });

/**
 * What a service that listens there says of itself: `ready`, or in a word why it is not; null where none answers. For
 * who finds no log: the service may run on one that was taken away, with all that it could tell.
 */
export async function askServe(address: string): Promise<string | null> {
  const text = await new Promise<string | null>((resolve) => {
    const request = get(`http://${address}/readyz`, { timeout: LONGEST_WAIT_MS }, (answer) => {
      let body = "";
      answer.setEncoding("utf8").on("data", (chunk: string) => {
        body = (body + chunk).slice(0, 1_000);
      });
      answer.on("end", () => resolve(body)).on("error", () => resolve(null));
    });
    request.on("timeout", () => request.destroy());
    request.on("error", () => resolve(null));
  });
  const said = v.safeParse(v.pipe(v.string(), v.parseJson(), Readiness), text);
  return said.success ? said.output.status : null;
}
