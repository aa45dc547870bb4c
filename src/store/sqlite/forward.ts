import type { Store } from "../contract/store.ts";
import { isVerbName, type LocalName, type VerbName, VERBS } from "../contract/verbs.ts";
import { type ClaimedText, claimedOf } from "./delivery/claims-text.ts";
import type { Sliced } from "./file/slices.ts";

/** The contract's verbs as types, and the `Store` that forwards them to whoever holds the file open. */
export type VerbArgs = { [Name in VerbName]: Parameters<Store[Name]> };
export type VerbResult = {
  [Name in VerbName]: Name extends keyof InText ? InText[Name] : Awaited<ReturnType<Store[Name]>>;
};
/** What crosses to another thread as text. */
interface InText {
  claim: ClaimedText;
}
export type Verbs = {
  [Name in VerbName]: (...args: VerbArgs[Name]) => VerbResult[Name] | Sliced<VerbResult[Name]>;
};

/** Each verb as one call to whoever carries it out: directly, or as a message to another thread. */
type Forwarded = { [Name in VerbName]: (...args: VerbArgs[Name]) => Promise<VerbResult[Name]> };
export type Call = <Name extends VerbName>(name: Name, args: VerbArgs[Name]) => Promise<VerbResult[Name]>;

export function storeOf(call: Call, rest: Pick<Store, LocalName>): Store {
  const forwarded = forwardAll(call);
  return {
    ...forwarded,
    claim: async (...args) => claimedOf(await call("claim", args)),
    ...rest,
  };
}

/** Whole, as `VERBS` names every verb: the compiler holds that, and cannot see it in entries. */
function forwardAll(call: Call): Forwarded {
  const forwarded: Forwarded = Object.create(null);
  const entries = Object.keys(VERBS)
    .filter(isVerbName)
    .map((name) => [name, (...args: VerbArgs[VerbName]) => call(name, args)]);
  return Object.assign(forwarded, Object.fromEntries(entries));
}
