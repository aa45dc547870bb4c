/** A service of the machine's, under a user of its own; or of the person who installs it. */
export type Scope = "system" | "user";
