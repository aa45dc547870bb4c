import type { Output } from "../commands/with-app.ts";
import { serve } from "../daemon/serve.ts";
import { bringResults, connectHubspot, resyncAgain, sweepOnce } from "./hubspot.ts";
import { assessCandidate, connectSmartrecruiters } from "./smartrecruiters.ts";
import { onStage, type Stage } from "./stage.ts";
import { sayHowForReal, sayWhatGoesOn } from "./what-next.ts";

/**
 * The main job end to end, through the real code: only the vendors are emulated, and all state rests in a directory
 * that is gone afterwards. `keep`: it goes on until Ctrl-C.
 */
export async function runDemo(output: Output, { keep }: { keep: boolean }): Promise<void> {
  const { signal } = output.world;
  const stop = new AbortController();
  const onSignal = () => stop.abort();
  signal.addEventListener("abort", onSignal);
  try {
    await onStage(output, stop.signal, async (stage) => {
      const hubspot = await connectHubspot(stage);
      await whileServing(stage, stop, async () => {
        const stories = await bringResults(stage);
        await resyncAgain(stage, hubspot);
        await sweepOnce(stage, stories);
        await assessCandidate(stage, await connectSmartrecruiters(stage));
        if (!keep) return sayHowForReal(stage);
        sayWhatGoesOn(stage);
        await new Promise((resolve) => stop.signal.addEventListener("abort", resolve));
      });
    });
  } finally {
    signal.removeEventListener("abort", onSignal);
  }
  if (signal.aborted && !keep) throw signal.reason;
}

async function whileServing({ app }: Stage, stop: AbortController, play: () => Promise<void>): Promise<void> {
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
