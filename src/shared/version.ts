import manifest from "../../package.json" with { type: "json" };

declare const JC_BUILD: string | undefined;

export const VERSION: string = manifest.version;
/** A digest of what it was built from: two builds of one version are not the same program. */
export const BUILD: string = typeof JC_BUILD === "undefined" ? "source" : JC_BUILD;
