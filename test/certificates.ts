/** Certificates as an operator may have them, made by the machine's own openssl. */
import { execFileSync, spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { type RequestOptions, request } from "node:https";
import { isIP } from "node:net";
import { join } from "node:path";
import type { TLSSocket } from "node:tls";
import { temporaryDirectory } from "./directory.ts";

export interface Issued {
  certFile: string;
  keyFile: string;
  /** Who vouches for it: itself, unless it was issued by another. */
  ca: string;
}

const KINDS = {
  ecdsa: ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
  rsa: ["rsa:2048"],
  "weak rsa": ["rsa:512"],
} as const;

/** Why no certificate can be made here; null where one can be. */
export const missingForCertificates =
  process.env.JC_TEST_ALL_PARTS === "1" || spawnSync("openssl", ["version"]).status === 0 ? null : "openssl";

const DAY_MS = 24 * 3_600_000;

const AUTHORITY = `[ca]
default_ca = own
[own]
database = index
new_certs_dir = .
default_md = sha256
policy = any
copy_extensions = copy
rand_serial = yes
[any]
commonName = supplied
[authority]
basicConstraints = critical, CA:TRUE
`;

/** For localhost unless other names or addresses are told; good from yesterday on for 90 days unless told otherwise. */
export function issued({
  kind = "ecdsa" as keyof typeof KINDS,
  from = Date.now() - DAY_MS,
  until = Date.now() + 90 * DAY_MS,
  names = ["localhost"] as readonly string[],
  /** Whose certificate it is that vouches for this one; itself unless told. */
  by = null as Issued | null,
} = {}): Issued {
  const cwd = temporaryDirectory();
  const openssl = (...args: string[]) => execFileSync("openssl", args, { cwd, stdio: "pipe" });
  const time = (at: number) => `${new Date(at).toISOString().replace(/[-:T]|\.\d+/g, "")}`;
  writeFileSync(join(cwd, "authority.cnf"), AUTHORITY);
  writeFileSync(join(cwd, "index"), "");
  const alternatives = [...names, "127.0.0.1"]
    .map((name) => `${isIP(name) === 0 ? "DNS" : "IP"}:${name}`)
    .join(",");
  const subject = ["-subj", `/CN=${randomUUID()}`, "-addext", `subjectAltName=${alternatives}`];
  openssl(
    "req",
    "-new",
    "-newkey",
    ...KINDS[kind],
    "-nodes",
    ...subject,
    "-keyout",
    "key.pem",
    "-out",
    "request",
  );
  const times = ["-startdate", time(from), "-enddate", time(until)];
  const authority = by
    ? ["-cert", by.certFile, "-keyfile", by.keyFile]
    : ["-selfsign", "-keyfile", "key.pem", "-extensions", "authority"];
  const settings = ["-config", "authority.cnf", "-batch", "-notext", ...authority];
  openssl("ca", ...settings, "-in", "request", "-out", "cert.pem", ...times);
  const certFile = join(cwd, "cert.pem");
  return { certFile, keyFile: join(cwd, "key.pem"), ca: readFileSync(by?.certFile ?? certFile, "utf8") };
}

export function tlsSettings({ certFile, keyFile }: Issued): Record<string, string> {
  return { JC_SERVE_TLS_CERT: certFile, JC_SERVE_TLS_KEY: keyFile };
}

export interface AnswerByTls {
  status: number;
  headers: NodeJS.Dict<string | string[]>;
  body: string;
  /** By its SHA-256, of the certificate that was shown. */
  fingerprint: string;
  protocol: string | null;
}

/** One request to `https://…`, by who trusts that authority and no other. */
export function askByTls(
  url: string,
  { body = "", ...options }: RequestOptions & { ca: string; body?: string },
): Promise<AnswerByTls> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { agent: false, ...options }, (answer) => {
      const socket = answer.socket as TLSSocket;
      const [fingerprint, protocol] = [socket.getPeerCertificate().fingerprint256, socket.getProtocol()];
      let text = "";
      answer.setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk;
      });
      answer.on("end", () =>
        resolve({
          status: answer.statusCode ?? 0,
          headers: answer.headers,
          body: text,
          fingerprint,
          protocol,
        }),
      );
    });
    asked.on("error", reject).end(body);
  });
}
