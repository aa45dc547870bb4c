/** https://developers.smartrecruiters.com/docs/access-scopes */
export const ALL_SCOPES: readonly string[] = [
  "candidates_read",
  "candidates_create",
  "candidates_manage",
  "jobs_read",
  "configuration_read",
  "company_read",
  "messages_write",
  "webhooks_read",
  "webhooks_write",
  "webhooks_delete",
];

/** Does the token have it, or one that stands for it? */
export function hasScope(scopes: readonly string[], scope: string): boolean {
  return scopes.includes(scope) || (scope.startsWith("webhooks_") && scopes.includes("webhooks_manage"));
}
