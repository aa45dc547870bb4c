import * as v from "valibot";

/** What passes between the program and the child process that talks to the keychain: one JSON value each way. */
export const KeychainRequest = v.object({
  read: v.array(v.string()),
  /** In this order, before the reads; null removes. */
  write: v.array(v.tuple([v.string(), v.nullable(v.string())])),
});
export type KeychainRequest = v.InferOutput<typeof KeychainRequest>;

export const KeychainAnswer = v.union([
  v.object({
    found: v.record(v.string(), v.string()),
    /**
     * The item that proves a keychain readable. A locked Linux keyring says "no such item" for all it holds, so
     * that without this one an absent item proves nothing.
     */
    canary: v.boolean(),
  }),
  v.object({
    unavailable: v.picklist(["module", "keychain"]),
    reason: v.string(),
    /** Of a module that is there and cannot be loaded: what it takes to tell why. */
    code: v.optional(v.string()),
  }),
]);
export type KeychainAnswer = v.InferOutput<typeof KeychainAnswer>;
