import { inspect } from "node:util";

/**
 * A text nobody may see: prints `[redacted]` in strings, JSON and inspection.
 * `reveal()` is the one way to the text; call it only where the text leaves for its owner.
 */
export interface Secret {
  reveal(): string;
  toString(): string;
  toJSON(): string;
}

/** One that an operator set; `isOrgs`: for one org alone. */
export interface OwnedSecret extends Secret {
  readonly isOrgs?: boolean;
}

const REDACTED = "[redacted]";

export function secret(text: string): Secret {
  return Object.defineProperties(Object.create(null), {
    reveal: { value: () => text },
    toString: { value: () => REDACTED },
    toJSON: { value: () => REDACTED },
    [Symbol.toPrimitive]: { value: () => REDACTED },
    [inspect.custom]: { value: () => REDACTED },
  });
}

export function owned(of: Secret, { isOrgs }: { isOrgs: boolean }): OwnedSecret {
  return Object.create(of, { isOrgs: { value: isOrgs } });
}
