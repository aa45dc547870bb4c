import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import { createSecureContext } from "node:tls";
import { AppError } from "./errors.ts";
import { problemOfFile } from "./readable-file.ts";
import { CERT_KEY, KEY_KEY, type TlsFiles } from "./tls-files.ts";

/** A certificate with its chain, and the key that belongs to it, as PEM. */
export interface TlsPair {
  cert: string;
  key: string;
  /** Whom it is for, as "api.example.com, www.example.com". */
  names: string;
  /** Ms since the epoch. */
  beginsAt: number;
  endsAt: number;
}

/** What our listeners speak: TLS 1.2 with forward secrecy and authenticated ciphers, or 1.3. */
export const SPOKEN = {
  minVersion: "TLSv1.2",
  ciphers: [
    ...["TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_128_GCM_SHA256"],
    ...["ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256"],
    ...["ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-RSA-AES256-GCM-SHA384"],
    ...["ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-RSA-CHACHA20-POLY1305"],
  ].join(":"),
} as const;

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** Throws `CONFIG_INVALID` for a pair that no listener could use; one that has ended can be used, if for little. */
export function readTlsPair({ certFile, keyFile }: TlsFiles): TlsPair {
  const cert = read(CERT_KEY, certFile);
  const key = read(KEY_KEY, keyFile);
  const chain = chainIn(cert, certFile);
  const privateKey = privateKeyIn(key, keyFile);
  const [own] = chain;
  if (!own.checkPrivateKey(privateKey)) throw mismatch({ certFile, keyFile }, chain, privateKey);
  try {
    createSecureContext({ cert, key, ...SPOKEN });
  } catch (cause) {
    throw unusable(`${CERT_KEY}: TLS cannot be spoken with ${certFile}${reasonIn(cause)}`, {
      hint: "A certificate for ECDSA P-256, or RSA with 2048 bits, is taken by everybody.",
      cause,
    });
  }
  return {
    cert,
    key,
    names: namesOf(own),
    beginsAt: Date.parse(own.validFrom),
    endsAt: Date.parse(own.validTo),
  };
}

function read(setting: string, path: string): string {
  const problem = problemOfFile(setting, path);
  if (problem) throw unusable(problem.message, { hint: problem.hint });
  const text = readFileSync(path, "utf8");
  if (text.trim() !== "") return text;
  throw unusable(`${setting}: ${path} is empty`, { hint: "Put it there as PEM." });
}

function chainIn(text: string, path: string): [X509Certificate, ...X509Certificate[]] {
  const hint = "It holds the server's own certificate first, then those that lead to the root, as PEM.";
  try {
    const [own, ...others] = [...text.matchAll(CERTIFICATE)].map(([pem]) => new X509Certificate(pem));
    if (own) return [own, ...others];
  } catch (cause) {
    throw unusable(`${CERT_KEY}: a certificate in ${path} cannot be read`, { hint, cause });
  }
  throw unusable(`${CERT_KEY}: ${path} holds no certificate`, { hint });
}

function privateKeyIn(text: string, path: string): KeyObject {
  if (/BEGIN ENCRYPTED PRIVATE KEY|Proc-Type: 4,ENCRYPTED/.test(text))
    throw unusable(`${KEY_KEY}: ${path} is locked with a passphrase, which serve has nobody to ask for`, {
      hint: `Unlock it into a file that only the service can read: openssl pkey -in ${path} -out <file>`,
    });
  try {
    return createPrivateKey(text);
  } catch {
    // The parser's own error may quote what it met.
    throw unusable(`${KEY_KEY}: ${path} holds no private key that can be read`, {
      hint: "It holds the certificate's private key, as PEM.",
    });
  }
}

function mismatch(
  { certFile, keyFile }: TlsFiles,
  chain: readonly X509Certificate[],
  key: KeyObject,
): AppError {
  const isFurtherDown = chain.some((each) => each.checkPrivateKey(key));
  return unusable(`${KEY_KEY}: ${keyFile} does not belong to the first certificate in ${certFile}`, {
    hint: isFurtherDown
      ? "It belongs to one further down: the server's own comes first, then those that lead to the root."
      : "Bring certificate and key from one order; the server's own certificate comes first.",
  });
}

function unusable(message: string, more: { hint: string; cause?: unknown }): AppError {
  return new AppError("CONFIG_INVALID", message, more);
}

/** OpenSSL's own word, as "ee key too small"; it names nothing of the key. */
function reasonIn(cause: unknown): string {
  const reason = cause instanceof Error && "reason" in cause ? cause.reason : undefined;
  return typeof reason === "string" ? `: ${reason}` : "";
}

/** OpenSSL writes ::1 as 0:0:0:0:0:0:0:1. */
function asInUrls(name: string): string {
  return isIP(name) === 6 ? new URL(`https://[${name}]`).hostname.slice(1, -1) : name;
}

function namesOf({ subjectAltName, subject }: X509Certificate): string {
  const found = (subjectAltName ?? "").matchAll(/(?:DNS|IP Address):([^,\s]+)/g);
  const names = [...found].map(([, name = ""]) => asInUrls(name));
  return names.length > 0 ? names.join(", ") : (/^CN=(.*)$/m.exec(subject)?.[1] ?? "nobody");
}
