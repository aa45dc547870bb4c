import type { Output } from "../shared/world.ts";
import { serve } from "../daemon/serve.ts";
import { bringResults, connectHubspot, resyncAgain, sweepOnce } from "./hubspot.ts";
import { ORG, type Scene } from "./scene.ts";
import { assessCandidate, connectSmartrecruiters } from "./smartrecruiters.ts";
import { installForAWhile } from "./installation.ts";
import { sayHowForReal, sayWhatGoesOn } from "./what-next.ts";

/**
 * The main job end to end, through the real code: only the vendors are emulated, and all state rests in a directory
 * that is gone afterwards. `keep`: it goes on until Ctrl-C.
 */
export async function runDemo(
  output: Output,
  { keep, hubspotVersion }: { keep: boolean; hubspotVersion?: string },
): Promise<void> {
  const { world } = output;
  const vendors = ["hubspot", "smartrecruiters"];
  const installation = await installForAWhile(world, {
    org: ORG,
    name: "demo",
    environment: "production",
    vendors,
    ...(hubspotVersion === undefined ? {} : { apiVersions: { hubspot: hubspotVersion } }),
  });
  try {
    const scene = {
      ...installation,
      output,
      store: await installation.app.threadedStore(),
      signal: installation.stop.signal,
    };
    const hubspot = await connectHubspot(scene);
    await whileServing(scene, async () => {
      const stories = await bringResults(scene);
      await resyncAgain(scene, hubspot);
      await sweepOnce(scene, stories);
      await assessCandidate(scene, await connectSmartrecruiters(scene));
      if (!keep) return sayHowForReal(scene);
      sayWhatGoesOn(scene);
      await new Promise((resolve) => scene.signal.addEventListener("abort", resolve));
    });
  } finally {
    await installation.remove();
  }
  if (world.signal.aborted && !keep) throw world.signal.reason;
}

async function whileServing({ app, stop }: Scene, play: () => Promise<void>): Promise<void> {
  let serving: Promise<void> = Promise.resolve();
  try {
    await new Promise<unknown>((resolve, reject) => {
      serving = serve(app, { signal: stop.signal, onListening: resolve });
      serving.catch(reject);
    });
    await play();
  } finally {
    stop.abort();
    await serving.catch(() => {});
  }
}
