// The global flags, each of which is an environment variable too, and most a setting of a context:
// flag, then KVCTL_*, then the context in use, then default. A context that a flag names goes
// before the variables: whoever types --context means its server.

import { defined } from "./defined.js";
import { msFromFlag } from "./duration.js";
import { UsageError } from "./failure.js";
import { camelCase } from "./option.js";

export const FORMATS = ["text", "json", "jsonl", "table", "raw"] as const;
export type Format = (typeof FORMATS)[number];

/** What can send a request that is printed. */
const CURL_TOOLS = ["off", "grpcurl", "buf"] as const;
export type CurlTool = Exclude<(typeof CURL_TOOLS)[number], "off">;

const COLORS = ["auto", "always", "never"] as const;

/** Where a setting comes from. */
export type Origin = "flag" | "variable" | "context" | "default";

export interface Settings {
  readonly server: string;
  readonly format: Format;
  readonly timeoutMs: number;
  readonly color: (typeof COLORS)[number];
  readonly quiet: boolean;
  readonly debug: boolean;
  /** Print the call for this tool instead of making it. */
  readonly printCurl?: CurlTool;
  /** May the daemon be started when it does not run? Only ever on the default address. */
  readonly autostart: boolean;
  /** The name of the context in use; undefined: none. */
  readonly context: string | undefined;
  /** By the names of the flags, without dashes. */
  readonly origins: Readonly<Record<KeptSetting, Origin>>;
}

type KeptSetting = "server" | "output" | "timeout" | "color" | "quiet" | "debug" | "autostart";
type SettingName = KeptSetting | "print-curl" | "print-grpcurl";

/** What a context can set: the flags of these names. */
export const CONTEXT_SETTINGS = ["server", "output", "timeout", "color"] as const;

/** The context in use. */
export interface Context {
  readonly name: string;
  /** Was it named by --context? */
  readonly fromFlag: boolean;
  readonly settings: Readonly<Partial<Record<(typeof CONTEXT_SETTINGS)[number], string>>>;
}

/** What help shows of a global flag. */
export interface GlobalFlag {
  readonly flags: string;
  readonly environment: string;
  readonly fallback: string;
  readonly choices?: readonly string[];
  readonly description: string;
}

/** Of the server that kvctl starts by itself, unless KVCTL_PORT names another. */
export const DEFAULT_PORT = 7856;

export const GLOBAL_FLAGS: readonly GlobalFlag[] = [
  {
    flags: "--server <address>",
    environment: "KVCTL_SERVER",
    fallback: `127.0.0.1:${DEFAULT_PORT}`,
    description: "the server: host:port, [::1]:port, unix:/path; KVCTL_PORT moves the default",
  },
  {
    flags: "--context <name>",
    environment: "KVCTL_CONTEXT",
    fallback: "what kvctl context use said",
    description: "a server, and settings for it, by the name that kvctl context add gave them",
  },
  {
    flags: "--output <format>",
    environment: "KVCTL_OUTPUT",
    fallback: "text",
    choices: FORMATS,
    description: "how answers are written: text, json, jsonl, table or raw",
  },
  {
    flags: "--timeout <duration>",
    environment: "KVCTL_TIMEOUT",
    fallback: "10s",
    description: "how long to wait for an answer; 0s: for ever",
  },
  {
    flags: "--color <when>",
    environment: "KVCTL_COLOR",
    fallback: "auto",
    choices: COLORS,
    description: "auto, always or never; NO_COLOR and FORCE_COLOR are honoured",
  },
  {
    flags: "--no-autostart",
    environment: "KVCTL_AUTOSTART",
    fallback: "on",
    description: "do not start a server when none listens on the default address",
  },
  {
    flags: "--quiet",
    environment: "KVCTL_QUIET",
    fallback: "off",
    description: "no confirmations, notes or progress; only answers and errors",
  },
  {
    flags: "--debug",
    environment: "KVCTL_DEBUG",
    fallback: "off",
    description: "errors with their code, reason, facts and stack",
  },
  {
    flags: "--print-curl <tool>",
    environment: "KVCTL_PRINT_CURL",
    fallback: "off",
    choices: CURL_TOOLS,
    description: "send nothing: print the command of grpcurl or buf (buf curl) that does the same",
  },
  {
    flags: "--print-grpcurl",
    environment: "KVCTL_PRINT_GRPCURL",
    fallback: "off",
    description: "the same as --print-curl grpcurl",
  },
];

type Environment = Readonly<Record<string, string | undefined>>;

/** A setting that was given: where, by which name, and what it says. */
interface Given {
  readonly origin: Exclude<Origin, "default">;
  readonly what: string;
  readonly text: string;
}

/** @throws UsageError that names the flag, or the variable. */
export function readSettings(
  values: Readonly<Record<string, unknown>>,
  environment: Environment,
  context?: Context,
): Settings {
  const given = (name: SettingName): Given | undefined => {
    const flag = ofFlag(values, name);
    const variable = ofVariable(environment, name);
    const inContext = ofContext(context, name);
    return flag ?? (context?.fromFlag === true ? (inContext ?? variable) : (variable ?? inContext));
  };
  const server = given("server");
  const output = given("output");
  const timeout = given("timeout");
  const color = given("color");
  const quiet = given("quiet");
  const debug = given("debug");
  const autostart = given("autostart");
  const curl = choice(given("print-curl"), CURL_TOOLS);
  const tool = curl ?? (isOn(given("print-grpcurl")?.text) ? "grpcurl" : "off");
  const originOf = (setting: Given | undefined): Origin => setting?.origin ?? "default";
  return {
    server: server?.text ?? `127.0.0.1:${defaultPort(environment)}`,
    format: choice(output, FORMATS) ?? "text",
    timeoutMs: timeout === undefined ? 10_000 : timeoutMs(timeout.what, timeout.text),
    color: choice(color, COLORS) ?? "auto",
    quiet: isOn(quiet?.text),
    debug: isOn(debug?.text),
    autostart: autostart === undefined || isOn(autostart.text),
    context: context?.name,
    ...defined({ printCurl: tool === "off" ? undefined : tool }),
    origins: {
      server: originOf(server),
      output: originOf(output),
      timeout: originOf(timeout),
      color: originOf(color),
      quiet: originOf(quiet),
      debug: originOf(debug),
      autostart: originOf(autostart),
    },
  };
}

function ofFlag(values: Readonly<Record<string, unknown>>, name: SettingName): Given | undefined {
  const value = values[camelCase(name)];
  // The parser says true for a flag that is not given but has a --no- form.
  if (name === "autostart" && value !== false) return undefined;
  if (typeof value === "string") return { origin: "flag", what: `--${name}`, text: value };
  if (typeof value !== "boolean") return undefined;
  return { origin: "flag", what: `--${name}`, text: value ? "on" : "off" };
}

function ofVariable(environment: Environment, name: SettingName): Given | undefined {
  const what = `KVCTL_${name.toUpperCase().replaceAll("-", "_")}`;
  const text = environment[what];
  return text === undefined || text === "" ? undefined : { origin: "variable", what, text };
}

function ofContext(context: Context | undefined, name: SettingName): Given | undefined {
  if (context === undefined) return undefined;
  const known = CONTEXT_SETTINGS.find((each) => each === name);
  const text = known === undefined ? undefined : context.settings[known];
  if (text === undefined) return undefined;
  return { origin: "context", what: `${name} of the context ${context.name}`, text };
}

/** The port of the default server. @throws UsageError */
export function defaultPort(environment: Environment): number {
  const { KVCTL_PORT: text } = environment;
  if (text === undefined || text === "") return DEFAULT_PORT;
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port >= 1 && port <= 65_535) return port;
  throw new UsageError(`KVCTL_PORT takes a port from 1 to 65535, not "${text}"`);
}

/** "0", "false", "no", "off" and nothing are off. */
export function isOn(text: string | undefined): boolean {
  return text !== undefined && !/^(?:0|false|no|off|)$/i.test(text);
}

function timeoutMs(what: string, text: string): number {
  return text === "0" ? 0 : msFromFlag(what, text);
}

function choice<T extends string>(given: Given | undefined, choices: readonly T[]): T | undefined {
  if (given === undefined) return undefined;
  const found = choices.find((name) => name === given.text);
  if (found !== undefined) return found;
  throw new UsageError(`${given.what} is one of ${choices.join(", ")}, not "${given.text}"`);
}
