// The global flags, each of which is an environment variable too: flag, then KVCTL_*, then default.

import { defined } from "./defined.js";
import { msFromFlag } from "./duration.js";
import { UsageError } from "./failure.js";

export const FORMATS = ["text", "json", "jsonl", "table", "raw"] as const;
export type Format = (typeof FORMATS)[number];

/** What can send a request that is printed. */
const CURL_TOOLS = ["off", "grpcurl", "buf"] as const;
export type CurlTool = Exclude<(typeof CURL_TOOLS)[number], "off">;

const COLORS = ["auto", "always", "never"] as const;

export interface Settings {
  readonly server: string;
  readonly format: Format;
  readonly timeoutMs: number;
  readonly color: (typeof COLORS)[number];
  readonly quiet: boolean;
  readonly debug: boolean;
  /** Print the call for this tool instead of making it. */
  readonly printCurl?: CurlTool;
}

/** What help shows of a global flag. */
export interface GlobalFlag {
  readonly flags: string;
  readonly environment: string;
  readonly fallback: string;
  readonly choices?: readonly string[];
  readonly description: string;
}

export const GLOBAL_FLAGS: readonly GlobalFlag[] = [
  {
    flags: "--server <address>",
    environment: "KVCTL_SERVER",
    fallback: "127.0.0.1:7856",
    description: "the server: host:port, [::1]:port or unix:/path",
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

/** @throws UsageError that names the flag, or the variable. */
export function readSettings(
  values: Readonly<Record<string, unknown>>,
  environment: Environment,
): Settings {
  const read = (name: string): { what: string; text: string } | undefined => {
    const given = values[camelCase(name)];
    if (typeof given === "string") return { what: `--${name}`, text: given };
    const variable = variableOf(name);
    const text = environment[variable];
    return text === undefined || text === "" ? undefined : { what: variable, text };
  };
  const on = (name: string): boolean =>
    values[camelCase(name)] === true || isOn(environment[variableOf(name)]);
  const timeout = read("timeout");
  const tool = choice(read("print-curl"), CURL_TOOLS) ?? (on("print-grpcurl") ? "grpcurl" : "off");
  return {
    server: read("server")?.text ?? "127.0.0.1:7856",
    format: choice(read("output"), FORMATS) ?? "text",
    timeoutMs: timeout === undefined ? 10_000 : timeoutMs(timeout.what, timeout.text),
    color: choice(read("color"), COLORS) ?? "auto",
    quiet: on("quiet"),
    debug: on("debug"),
    ...defined({ printCurl: tool === "off" ? undefined : tool }),
  };
}

/** As the argument parser names a flag. */
function camelCase(name: string): string {
  return name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

function variableOf(name: string): string {
  return `KVCTL_${name.toUpperCase().replaceAll("-", "_")}`;
}

/** "0", "false", "no", "off" and nothing are off. */
export function isOn(text: string | undefined): boolean {
  return text !== undefined && !/^(?:0|false|no|off|)$/i.test(text);
}

function timeoutMs(what: string, text: string): number {
  return text === "0" ? 0 : msFromFlag(what, text);
}

function choice<T extends string>(
  given: { what: string; text: string } | undefined,
  choices: readonly T[],
): T | undefined {
  if (given === undefined) return undefined;
  const found = choices.find((name) => name === given.text);
  if (found !== undefined) return found;
  throw new UsageError(`${given.what} is one of ${choices.join(", ")}, not "${given.text}"`);
}
