import type { Http } from "./http.ts";

/** One call to a vendor, for who counts; `status`: null where no answer came. */
export interface CallSeen {
  vendor: string;
  status: number | null;
  tookMs: number;
}

/** The same calls, each of which is told once it ended, but those that we cut off ourselves. */
export function observedHttp(http: Http, vendor: string, seen: (call: CallSeen) => void): Http {
  return {
    ...http,
    request: async (call) => {
      const beganMs = performance.now();
      const tell = (status: number | null) => seen({ vendor, status, tookMs: performance.now() - beganMs });
      try {
        const answer = await http.request(call);
        tell(answer.status);
        return answer;
      } catch (error) {
        if (!call.signal?.aborted) tell(null);
        throw error;
      }
    },
  };
}
