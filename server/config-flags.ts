// The flags of kvd, and the variables of the environment that stand for them.
//
// Flags of limits are made from the table in kv/limits.ts. A parser that refuses a value throws
// what commander turns into a text with the flag, the value and the range.

import { Command, InvalidArgumentError, Option } from "commander";
import { LIMIT_RANGES } from "./config-limits.js";
import {
  parseChoice,
  parseSwitch,
  parseValue,
  showValue,
  ValueError,
  type ValueRange,
} from "./config-values.js";
import { LIMITS, type LimitName } from "./kv/limits.js";
import { AddressError, parseListenAddress } from "./listen-address.js";

export const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export const DEFAULT_LISTEN = "127.0.0.1:7856";
export const DEFAULT_LOG_LEVEL: LogLevel = "info";
export const DEFAULT_SHUTDOWN_GRACE_MS = 10_000;

export const DEFAULT_DATA_DIR = "kvd-data";
export const DEFAULT_SNAPSHOT_INTERVAL_MS = 3_600_000;
export const DEFAULT_SNAPSHOT_LOG_BYTES = 64 * 1024 * 1024;
export const DEFAULT_FAILED_LOG_GRACE_MS = 60_000;

export const FSYNC_POLICIES = ["always", "everysec", "never"] as const;
export type Fsync = (typeof FSYNC_POLICIES)[number];

const SHUTDOWN_GRACE: ValueRange = { min: 0, max: 3_600_000 };
const SNAPSHOT_INTERVAL: ValueRange = { min: 1000, max: 86_400_000 };
const SNAPSHOT_LOG_BYTES: ValueRange = { min: 1024 * 1024, max: 1024 ** 4 };
const FAILED_LOG_GRACE: ValueRange = { min: 0, max: 3_600_000 };

/** What was set; a limit under the name that attributeOfLimit() gives. */
export interface FlagValues {
  readonly listen?: readonly string[];
  readonly portFile?: string;
  readonly dataDir?: string;
  readonly memory?: boolean;
  readonly fsync?: Fsync;
  readonly snapshotInterval?: number;
  readonly snapshotLogBytes?: number;
  readonly failedLogGrace?: number;
  readonly config?: string;
  readonly printConfig?: boolean;
  readonly insecure?: boolean;
  readonly etcd?: boolean;
  readonly channelz?: boolean;
  readonly allowedHost?: readonly string[];
  readonly logLevel?: LogLevel;
  readonly logFile?: string;
  readonly shutdownGrace?: number;
  readonly [limit: string]: unknown;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** Has no flag: it is for those who look for an error of kvd's own. */
export const DEBUG_GRPC = "KVD_DEBUG_GRPC";

/** Set by Kubernetes in every container beside a service that is called kvd, or kvd-something. */
const FOREIGN_VARIABLES = /^KVD_(\w+_)?(SERVICE_(HOST|PORT\w*)|PORT(_\d+_\w+)?)$/;

export function kvdCommand(version: string): Command {
  const graceText = showValue(DEFAULT_SHUTDOWN_GRACE_MS, "ms");
  const command = new Command("kvd")
    .description("A key-value service over gRPC.")
    .exitOverride()
    .allowExcessArguments(false)
    .version(version, "--version", "print the version")
    .helpOption("--help", "print this")
    .addOption(
      new Option(
        "--listen <address>",
        `host:port, [v6]:port or unix:/path; may be repeated (default: ${DEFAULT_LISTEN})`,
      ).argParser(collect(checkedAddress)),
    )
    .option("--port-file <path>", "write the port, or the socket's path, there once it listens")
    .option("--data-dir <path>", `where the data is (default: ./${DEFAULT_DATA_DIR})`)
    .option("--memory", "keep nothing on disk")
    .addOption(
      new Option(
        "--fsync <policy>",
        "when writes are synced to the disk: always, before they are answered; everysec; never " +
          "(default: always)",
      ).argParser(argument((text) => parseChoice(text, FSYNC_POLICIES))),
    )
    .addOption(
      new Option(
        "--snapshot-interval <duration>",
        "how often a snapshot is saved, if something changed " +
          `(default: ${showValue(DEFAULT_SNAPSHOT_INTERVAL_MS, "ms")})`,
      ).argParser(argument((text) => parseValue(text, "ms", SNAPSHOT_INTERVAL))),
    )
    .addOption(
      new Option(
        "--snapshot-log-bytes <bytes>",
        "a snapshot is also saved when the log has grown by this, and by what the last one took " +
          `(default: ${showValue(DEFAULT_SNAPSHOT_LOG_BYTES, "bytes")})`,
      ).argParser(argument((text) => parseValue(text, "bytes", SNAPSHOT_LOG_BYTES))),
    )
    .addOption(
      new Option(
        "--failed-log-grace <duration>",
        "how long reads go on when the disk has failed, before kvd ends " +
          `(default: ${showValue(DEFAULT_FAILED_LOG_GRACE_MS, "ms")})`,
      ).argParser(argument((text) => parseValue(text, "ms", FAILED_LOG_GRACE))),
    )
    .option("--config <file>", "take settings from a TOML file: its keys are the flags' names")
    .option("--print-config", "print each setting and where it comes from, and end")
    .option("--insecure", "listen on addresses that other machines reach, without TLS and rights")
    .option("--etcd", "speak etcd's v3 protocol, too, on the same addresses (default: yes)")
    .option("--no-etcd", "do not")
    .option(
      "--channelz",
      "serve grpc.channelz.v1: connections, and counts of calls, which cost time",
    )
    .addOption(
      new Option(
        "--allowed-host <name>",
        "a name, besides addresses and localhost, under which HTTP/1 is answered; may be repeated",
      ).argParser(collect(checkedHostName)),
    )
    .addOption(
      new Option(
        "--log-level <level>",
        `${LOG_LEVELS.join(", ")} (default: ${DEFAULT_LOG_LEVEL})`,
      ).argParser(argument((text) => parseChoice(text, LOG_LEVELS))),
    )
    .option(
      "--log-file <path>",
      "write the log there instead of to standard output; at 4 MiB it becomes <path>.1",
    )
    .addOption(
      new Option(
        "--shutdown-grace <duration>",
        `how long running calls may go on at a stop (default: ${graceText})`,
      ).argParser(argument((text) => parseValue(text, "ms", SHUTDOWN_GRACE))),
    );
  for (const name of limitNames()) command.addOption(optionOfLimit(name));
  return command.addHelpText(
    "after",
    [
      "",
      "Each flag can also be set in the environment (--log-level as KVD_LOG_LEVEL) and in the file of",
      '--config (log-level = "debug"). A flag goes first, then its variable, then the file.',
      "Sizes: 512k, 1.5MiB, 4194304. Durations: 250ms, 60s, 5m, 12h.",
      "",
      "Without a server: kvd check --data-dir DIR, kvd repair --data-dir DIR, kvd snapshot status FILE,",
      "kvd restore --data-dir DIR FILE.",
    ].join("\n"),
  );
}

/**
 * Gives the options that no flag has set the value of their variable.
 *
 * @throws ValueError.
 */
export function applyEnvironment(command: Command, env: Environment): void {
  for (const option of settingsOf(command)) {
    const name = variableOf(option);
    const text = env[name];
    const attribute = option.attributeName();
    if (text === undefined || attribute === "version") continue;
    if (command.getOptionValueSource(attribute) === "cli") continue;
    try {
      command.setOptionValueWithSource(attribute, valueFromVariable(option, text), "env");
    } catch (error) {
      if (!(error instanceof InvalidArgumentError || error instanceof ValueError)) throw error;
      throw new ValueError(`${name} ${JSON.stringify(text)} is invalid. ${error.message}`);
    }
  }
}

/**
 * Refuses variables that look like kvd's and mean nothing to it.
 *
 * @throws ValueError.
 */
export function refuseUnknownVariables(command: Command, env: Environment): void {
  const known = new Set([...settingsOf(command).map(variableOf), DEBUG_GRPC]);
  for (const name of Object.keys(env)) {
    if (!name.startsWith("KVD_") || known.has(name) || FOREIGN_VARIABLES.test(name)) continue;
    const flag = name.slice("KVD_".length).toLowerCase().replaceAll("_", "-");
    const similar = similarFlag(flag);
    const hint = similar === undefined ? "" : ` (did you mean ${variableOf(similar)}?)`;
    throw new ValueError(`the variable ${name} means nothing to kvd${hint}`);
  }
}

/** The flags that stand for a setting: --no-etcd sets the one of --etcd. */
export function settingsOf(command: Command): readonly Option[] {
  return command.options.filter(({ negate }) => !negate);
}

/** The flag that somebody may have meant, by the judgement of commander. */
export function similarFlag(name: string): Option | undefined {
  const command = kvdCommand("");
  command.configureOutput({ writeErr: () => {} });
  try {
    command.parse([`--${name}=`], { from: "user" });
    return undefined;
  } catch (error) {
    const similar = /Did you mean (--[\w-]+)/.exec(String(error))?.[1];
    return command.options.find(({ long }) => long === similar);
  }
}

export function limitNames(): readonly LimitName[] {
  return Object.keys(LIMITS) as LimitName[];
}

export function attributeOfLimit(name: LimitName): string {
  return new Option(LIMITS[name].flag).attributeName();
}

/** Defaults that follow the machine, for --help. */
const COMPUTED: Readonly<Partial<Record<LimitName, string>>> = {
  storeMaxBytes: "40 % of the memory, at most 24 GiB",
  leaseMemoryMaxBytes: "75 % of Node's heap",
  historyMaxBytes: "a quarter of the store's, at most 1GiB",
};

function optionOfLimit(name: LimitName): Option {
  const { unit, flag, help, value } = LIMITS[name];
  const placeholder = unit === "ms" ? "duration" : unit;
  const text = `${help} (default: ${COMPUTED[name] ?? showValue(value, unit)})`;
  return new Option(`${flag} <${placeholder}>`, text).argParser(
    argument((given) => parseValue(given, unit, LIMIT_RANGES[name])),
  );
}

/** Settings that may be given several times, and what checks one. */
export const LISTS: Readonly<Record<string, (text: string) => string>> = {
  listen: checkedAddress,
  allowedHost: checkedHostName,
};

function collect(check: (text: string) => string) {
  return (text: string, previous: readonly string[] | undefined): readonly string[] => [
    ...(previous ?? []),
    argument(check)(text),
  ];
}

function checkedAddress(text: string): string {
  try {
    parseListenAddress(text);
    return text;
  } catch (error) {
    throw error instanceof AddressError ? new ValueError(error.message) : error;
  }
}

const HOST_NAME = /^[a-z0-9_](?:[a-z0-9_.-]{0,252})$/i;

/** In lower case. */
function checkedHostName(text: string): string {
  if (!HOST_NAME.test(text))
    throw new ValueError("expected a name without a port, as kvd.internal");
  return text.toLowerCase();
}

/** A parser of ours as one of commander's. */
function argument<T>(parse: (text: string) => T): (text: string) => T {
  return (text) => {
    try {
      return parse(text);
    } catch (error) {
      throw error instanceof ValueError ? new InvalidArgumentError(error.message) : error;
    }
  };
}

function valueFromVariable(option: Option, text: string): unknown {
  const check = LISTS[option.attributeName()];
  if (check !== undefined) return text.split(",").map(check);
  return valueFromText(option, text);
}

/** @throws InvalidArgumentError, ValueError. */
export function valueFromText(option: Option, text: string): unknown {
  if (option.isBoolean()) return parseSwitch(text);
  return option.parseArg ? option.parseArg(text, undefined) : text;
}

export function variableOf(option: Option): string {
  return `KVD_${(option.long ?? "").slice(2).replaceAll("-", "_").toUpperCase()}`;
}
