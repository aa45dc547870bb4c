import { request } from "node:http";

export interface Visit {
  status: number;
  /** Where the redirects ended. */
  url: string;
  headers: Record<string, string | string[] | undefined>;
  body: string;
}

/** One GET as it stands; redirects are not followed. */
export function visit(
  url: string,
  { body, ...options }: { method?: string; headers?: Record<string, string>; body?: string } = {},
) {
  return new Promise<Visit>((resolve, reject) => {
    const call = request(url, { agent: false, ...options }, async (response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of response) chunks.push(chunk);
      const body = Buffer.concat(chunks).toString();
      resolve({ status: response.statusCode ?? 0, url, headers: response.headers, body });
    });
    call.once("error", reject).end(body);
  });
}

/** Follows a link to its end, as a person's browser does. */
export async function follow(url: string): Promise<Visit> {
  const answer = await visit(url);
  const { location } = answer.headers;
  return typeof location === "string" ? follow(new URL(location, url).href) : answer;
}
