/** Finds the route of a request. A path segment that starts with `:` is a parameter. */
export interface Pattern {
  method: string;
  path: string;
}

export interface Found<R> {
  route: R;
  /** A parameter of the route's path, decoded. Asking for one the path does not name is a bug. */
  param(name: string): string;
}

export type FindRoute<R> = (method: string, path: string) => Found<R> | undefined;

/** Paths without parameters win over paths with them; among the latter the first in the list. */
export function routeTable<R extends Pattern>(routes: readonly R[]): FindRoute<R> {
  const literal = new Map<string, Found<R>>();
  const patterns: { route: R; segments: string[] }[] = [];
  for (const route of routes) {
    if (route.path.includes(":")) patterns.push({ route, segments: route.path.split("/") });
    else literal.set(`${route.method} ${route.path}`, { route, param: (name) => readParam({}, name) });
  }
  return (method, path) => {
    const found = literal.get(`${method} ${path}`);
    if (found) return found;
    const segments = path.split("/");
    for (const pattern of patterns) {
      if (pattern.route.method !== method) continue;
      const params = matchSegments(pattern.segments, segments);
      if (params) return { route: pattern.route, param: (name) => readParam(params, name) };
    }
    return undefined;
  };
}

function matchSegments(pattern: string[], segments: string[]): Record<string, string> | undefined {
  if (pattern.length !== segments.length) return undefined;
  const params: Record<string, string> = {};
  for (const [index, expected] of pattern.entries()) {
    const segment = segments[index] ?? "";
    if (expected.startsWith(":") && segment !== "") params[expected.slice(1)] = decode(segment);
    else if (expected !== segment) return undefined;
  }
  return params;
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

function readParam(params: Record<string, string>, name: string): string {
  const value = params[name];
  if (value === undefined) throw new Error(`this route has no parameter "${name}"`);
  return value;
}
