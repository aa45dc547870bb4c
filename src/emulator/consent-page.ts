/** The pages of the authorize step, for every vendor. Everything that came in the request is escaped. */
export interface Brand {
  name: string;
  /** Of the main button, as CSS writes it. */
  color: string;
}

export function consentPage(consent: {
  brand: Brand;
  /** Whose account it is, in the vendor's word: `Portal 848`. */
  account: string;
  clientId: string;
  scopes: readonly string[];
  /** What a scope allows; one without words shows its name. */
  words: Readonly<Record<string, string>>;
  action: string;
  returnsTo: string;
}): string {
  const { brand, words } = consent;
  const scopes = consent.scopes.map(
    (scope) => `<li>${escapeHtml(words[scope] ?? scope)}<code>${escapeHtml(scope)}</code></li>`,
  );
  return page(
    brand,
    "Connect app",
    `<p class="account">${escapeHtml(consent.account)}</p>
<h1>Connect <b>${escapeHtml(consent.clientId)}</b> to ${brand.name}?</h1>
<p>The app asks to be allowed to:</p>
<ul>${scopes.join("")}</ul>
<form method="post" action="${escapeHtml(consent.action)}">
  <button name="decision" value="approve" class="main">Approve</button>
  <button name="decision" value="deny">Deny</button>
</form>
<p class="note">You will go back to ${escapeHtml(consent.returnsTo)}. This is the emulator: no real account is touched.</p>`,
  );
}

export function refusalPage(brand: Brand, reason: string): string {
  return page(
    brand,
    "Authorization failed",
    `<h1>Authorization failed</h1><p>${escapeHtml(reason)}</p>
<p class="note">Nothing was granted, and nobody is sent back to the app. Correct the link or the app's settings, then try again.</p>`,
  );
}

/** `body` is HTML. */
export function page(brand: Brand, title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} · ${brand.name} emulator</title>
<style>
  :root { color-scheme: light dark; --ink: #213343; --paper: #fff; --ground: #f5f8fa; --soft: #516f90; --line: #dfe3eb; --main: ${brand.color}; }
  @media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --paper: #1b2733; --ground: #111a22; --soft: #9db2c7; --line: #33475b; } }
  body { margin: 0; min-height: 100vh; display: grid; place-items: center; background: var(--ground); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
  main { max-width: 30rem; margin: 1rem; padding: 2rem; background: var(--paper); border: 1px solid var(--line); border-radius: 12px; overflow-wrap: anywhere; }
  h1 { margin: .25rem 0 1rem; font-size: 1.35rem; line-height: 1.3; font-weight: 600; }
  .account { margin: 0; color: var(--soft); font-size: .85rem; }
  ul { margin: 0 0 1.5rem; padding: 0; list-style: none; border-top: 1px solid var(--line); }
  li { padding: .6rem 0; border-bottom: 1px solid var(--line); }
  code { display: block; color: var(--soft); font-size: .8rem; }
  button { padding: .6rem 1.4rem; margin-right: .5rem; border: 1px solid var(--line); border-radius: 6px; background: none; color: inherit; font: inherit; cursor: pointer; }
  button.main { background: var(--main); border-color: var(--main); color: #fff; font-weight: 600; }
  .note { margin: 1.5rem 0 0; color: var(--soft); font-size: .85rem; }
</style>
</head>
<body><main>${body}</main></body>
</html>
`;
}

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
