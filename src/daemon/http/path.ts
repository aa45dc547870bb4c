/** A proxy may be given the whole URL (RFC 9112 §3.2.2) and pass it on. */
export function pathOf(target: string): string {
  if (!target.startsWith("/") && URL.canParse(target)) return new URL(target).pathname;
  return target.split("?", 1)[0] ?? "/";
}
