import type { Output } from "../shared/world.ts";
import { serve } from "../daemon/serve.ts";
import { bringResults, connectHubspot, resyncAgain, sweepOnce } from "./hubspot.ts";
import { ORG, type Scene } from "./scene.ts";
import { inviteCandidate } from "./published.ts";
import { assessCandidate, connectSmartrecruiters } from "./smartrecruiters.ts";
import { installForAWhile } from "./installation.ts";
import { type DemoProfile, sayHowForReal, sayWhatGoesOn } from "./what-next.ts";

export interface DemoOptions {
  /** It goes on until Ctrl-C. */
  keep: boolean;
  hubspotVersion?: string;
  /** In which contract SmartRecruiters is spoken to. */
  profile?: DemoProfile;
}

/**
 * The main job end to end, through the real code: only the vendors are emulated, and all state rests in a directory
 * that is gone afterwards.
 */
export async function runDemo(
  output: Output,
  { keep, hubspotVersion, profile = "v1" }: DemoOptions,
): Promise<void> {
  const { world } = output;
  const vendors = ["hubspot", "smartrecruiters"];
  const installation = await installForAWhile(world, {
    org: ORG,
    name: "demo",
    environment: "production",
    vendors,
    ...(hubspotVersion === undefined ? {} : { apiVersions: { hubspot: hubspotVersion } }),
    env: ({ smartrecruiters }) => ({
      JC_SMARTRECRUITERS_PROFILE: profile,
      ...(profile === "v1" ? {} : { JC_JOBCANNON_INVITES_URL: `${smartrecruiters}/jobcannon/invites` }),
    }),
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
      const opened = await connectSmartrecruiters(scene);
      await (profile === "v1" ? assessCandidate : inviteCandidate)(scene, opened);
      if (!keep) return sayHowForReal(scene, profile);
      sayWhatGoesOn(scene, profile);
      await new Promise((resolve) => scene.signal.addEventListener("abort", resolve));
    });
  } catch (error) {
    // Whatever it was at when it was cut off.
    throw world.signal.aborted ? world.signal.reason : error;
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
