import type { PagesContext, Visit } from "./context.ts";
import { html } from "./html.ts";
import { type Shown, secondOf } from "./layout.ts";
import { logsOf } from "./vendor-pages.ts";

const MOST = 200;

/** `/admin/audit`: who signed in, was shown addresses, or pressed a button; of this admin's org, or of all. */
export async function auditPage({ store, vendors }: PagesContext, { admin }: Visit): Promise<Shown> {
  const entries = await store.audited(admin.org, MOST);
  const rows = entries.map(
    ({ at, who, org, what, about }) =>
      html`<tr><td>${secondOf(at)}</td><td>${who}</td><td>${what}</td><td>${org ?? "all"}</td><td>${about}</td></tr>`,
  );
  const body = html`<h1>Who did what here</h1><p class="soft">The newest ${MOST}, by whose link each browser came.</p>
  <div class="scroll" tabindex="0" role="region" aria-label="Audit"><table class="stack">
  <thead><tr><th scope="col">When, UTC</th><th scope="col">By whose link</th><th scope="col">What</th><th scope="col">Organisation</th><th scope="col">About</th></tr></thead>
  <tbody>${rows}</tbody></table></div>`;
  return { title: "Audit", body, signedIn: admin, logs: logsOf(vendors), isLive: true };
}
