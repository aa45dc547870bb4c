import { AppError } from "./errors.ts";

/** Where `serve.tls_cert` and `serve.tls_key` lead, in full. */
export interface TlsFiles {
  certFile: string;
  keyFile: string;
}

export const CERT_KEY = "serve.tls_cert";
export const KEY_KEY = "serve.tls_key";

/** Null where neither is set. Throws `CONFIG_INVALID` where one of them is. */
export function tlsFilesOf(cert: string | null, key: string | null): TlsFiles | null {
  if (cert && key) return { certFile: cert, keyFile: key };
  if (!cert && !key) return null;
  const [set, missing] = cert ? [CERT_KEY, KEY_KEY] : [KEY_KEY, CERT_KEY];
  throw new AppError("CONFIG_INVALID", `${set} is set without ${missing}`, {
    hint: `Set ${missing} too, or neither: then a proxy has to speak TLS.`,
  });
}
