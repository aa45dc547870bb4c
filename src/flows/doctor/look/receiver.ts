/** Our own receiver, as a sender meets it: by `serve.public_url`, over TLS 1.2 or newer where that says https. */
import type { Http } from "../../../shared/http.ts";
import { checkBaseUrl } from "../../../shared/url.ts";

export interface ReceiverFacts {
  url: string;
  isTls: boolean;
  status: number;
  /** Many a page says 200. */
  isOurs: boolean;
}

/** Throws `CONFIG_INVALID` for what is no address, `VENDOR_UNAVAILABLE` where nobody answers by it. */
export async function lookAtReceiver(
  { http }: { http(): Promise<Http> },
  { publicUrl, signal }: { publicUrl: string; signal: AbortSignal },
): Promise<ReceiverFacts> {
  const base = checkBaseUrl(publicUrl, "serve.public_url");
  const url = `${base.href.replace(/\/+$/, "")}/healthz`;
  const { status, text } = await (await http()).request({ method: "GET", url, signal });
  return { url, isTls: base.protocol === "https:", status, isOurs: text.includes('"ok"') };
}
