/** All that is wrong with a configuration, at once. */
import { accessSync, constants, existsSync, statSync } from "node:fs";
import { dirname, isAbsolute, resolve } from "node:path";
import { type Config, type ConfigOptions, isOrgSlug, readConfig } from "./config.ts";
import { type AppError, isAppError } from "./errors.ts";
import { NO_VAULT_KEY } from "./no-vault-key.ts";
import { proxyFrom } from "./proxy.ts";
import { problemOfFile } from "./readable-file.ts";
import { type Setting, settingsIn } from "./settings.ts";
import { adminExposed, isElsewhere } from "./admin-address.ts";
import { CERT_KEY, KEY_KEY, tlsFilesOf } from "./tls-files.ts";
import { readTlsPair } from "./tls-pair.ts";

export interface ConfigProblem {
  message: string;
  hint: string | null;
}

/** `cwd`: where a path is meant from that does not stand in the file. */
export function problemsOf(
  options: ConfigOptions,
  cwd: string,
): { config: Config; problems: ConfigProblem[] } {
  const problems: ConfigProblem[] = [];
  const fault = ({ message, hint }: AppError) => void problems.push({ message, hint: hint ?? null });
  const tell = (problem: ConfigProblem | null) => void (problem && problems.push(problem));
  const config = readConfig(options, fault);
  for (const each of settingsIn(config, options.vendors)) {
    if (each.value === "" || each.key.kind !== "text") continue;
    if (each.key.holds === "directory") tell(problemOfDirectory(each.path, String(each.value)));
    if (each.key.holds === "file") tell(problemOfFile(each.path, pathFrom(config, each, cwd)));
  }
  for (const org of [config.org, ...Object.keys(config.orgs)])
    if (!isOrgSlug(org))
      problems.push({
        message: `${JSON.stringify(org)} is no org: letters, digits, dot, dash, underscore`,
        hint: 'As org = "acme", or [orgs.acme]',
      });
  const keyFile = config["vault.key_file"];
  if (config["vault.backend"] === "sealed" && keyFile)
    problems.push(...homeless(pathFrom(config, { path: "vault.key_file", value: keyFile }, cwd)));
  if (config["vault.backend"] === "sealed" && !keyFile && !options.env.CREDENTIALS_DIRECTORY)
    problems.push({ ...NO_VAULT_KEY });
  attempt(() => proxyFrom(options.env), fault);
  if (!problems.some(({ message }) => message.startsWith("serve.tls_")))
    attempt(() => checkTls(config, cwd), fault);
  const admin = config["serve.admin_listen"];
  if (isElsewhere(admin) && !config[CERT_KEY]) fault(adminExposed(admin));
  return { config, problems };
}

/** From where the file is, if it stands there. */
function pathFrom(config: Config, { path, value }: Pick<Setting, "path" | "value">, cwd: string): string {
  const isInFile = config.file !== null && config.origins[path] === config.file;
  return resolve(isInFile && config.file ? dirname(config.file) : cwd, String(value));
}

function checkTls(config: Config, cwd: string): void {
  const fileOf = (path: typeof CERT_KEY | typeof KEY_KEY) =>
    config[path] ? pathFrom(config, { path, value: config[path] }, cwd) : null;
  const files = tlsFilesOf(fileOf(CERT_KEY), fileOf(KEY_KEY));
  if (files) readTlsPair(files);
}

/** A relative one is meant from the state directory; one that is missing is made. */
function problemOfDirectory(key: string, path: string): ConfigProblem | null {
  if (!isAbsolute(path) || !existsSync(path)) return null;
  const hint = `Check ${key}, and who may write there.`;
  if (!statSync(path).isDirectory()) return { message: `${key}: ${path} is no directory`, hint };
  try {
    accessSync(path, constants.R_OK | constants.W_OK);
    return null;
  } catch {
    return { message: `${key}: ${path} cannot be written`, hint };
  }
}

/** A key file is made when it is missing; the directory around it is not. */
function homeless(path: string): ConfigProblem[] {
  if (existsSync(path)) {
    const problem = problemOfFile("vault.key_file", path);
    return problem ? [problem] : [];
  }
  if (existsSync(dirname(path))) return [];
  return [
    {
      message: `vault.key_file: there is no directory ${dirname(path)}`,
      hint: "Make it, or set another vault.key_file.",
    },
  ];
}

function attempt(work: () => unknown, fault: (error: AppError) => void): void {
  try {
    work();
  } catch (error) {
    if (!isAppError(error)) throw error;
    fault(error);
  }
}
