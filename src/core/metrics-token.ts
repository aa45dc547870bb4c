import type { DeclaredSecret } from "./declared-secret.ts";

/** Whoever asks the admin listener from another machine has to know it. */
export const METRICS_TOKEN: DeclaredSecret = {
  name: "serve.metrics-token",
  isOrgs: false,
  isService: true,
  rotates: false,
  shape: {
    pattern: /^[A-Za-z0-9._~+/-]{16,}=*$/,
    words: "a metrics token is at least 16 letters, digits and -._~+/",
    hint: "Have one made: openssl rand -hex 32",
  },
};
