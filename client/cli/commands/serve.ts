// kvctl serve: the local server as a daemon. Starts it, stops it, tells how it is; or runs it
// attached to the terminal.

import { once } from "node:events";
import type { CommandDefinition, Invocation } from "../command.js";
import { type DaemonFiles, daemonFiles, makeDaemonFolder } from "../daemon/daemon-files.js";
import { type DaemonState, daemonState } from "../daemon/daemon-state.js";
import { endOf, spawnAttached } from "../daemon/kvd-process.js";
import { portOf, startDaemon } from "../daemon/start.js";
import { stopDaemon } from "../daemon/stop.js";
import { roughText } from "../duration.js";
import { EXIT, type ExitCode } from "../exit-codes.js";
import { Failure, UsageError } from "../failure.js";
import { atMostOne } from "../flags.js";
import { defaultPort } from "../settings.js";
import { tableText } from "../table.js";
import { plainLine } from "../terminal-text.js";

export const serveCommand: CommandDefinition = {
  usage: "[--status | --stop | --foreground] [-- FLAGS OF KVD]",
  details: [
    "The local server is the one that other verbs start by themselves when nothing listens on the",
    "default address (--no-autostart forbids it). serve starts it, if it does not run, and says",
    "where. It goes on when the terminal is closed; its data is durable, under $XDG_STATE_HOME/kvd",
    "(~/.local/state/kvd without it), its log beside it, of 8 MiB at most. KVCTL_PORT says on which",
    "port it is started, and looked for. Flags of kvd stand after --; those of a daemon that others",
    "start are the defaults. For any other server there is kvd itself.",
  ].join(" "),
  options: [
    { flags: "--status", description: "say how it is; ends with 1 when it does not run" },
    { flags: "--stop", description: "end it, and wait for that; ends with 1 when it did not run" },
    { flags: "--foreground", description: "run it attached to this terminal, until Ctrl-C" },
  ],
  examples: [
    { run: "kvctl serve", says: "start it, or say where it is" },
    { run: "kvctl serve --status --output json", says: "for programs" },
    { run: "kvctl serve --stop", says: "end it" },
    { run: "kvctl serve -- --history-age 1h", says: "start it with flags of kvd" },
    { run: "KVCTL_PORT=9000 kvctl serve --foreground", says: "watch what it does" },
  ],
  run,
};

/** What the daemon is found by. */
const OWN_FLAGS = /^--(?:listen|data-dir|memory|port-file|log-file)\b/;

async function run(invocation: Invocation): Promise<ExitCode> {
  const { flags, words, tail = [], settings, output, environment } = invocation;
  atMostOne(flags, ["status", "stop", "foreground"]);
  if (words.length > tail.length) {
    throw new UsageError(`serve takes no words, not "${words[0]}"; flags of kvd stand after --`);
  }
  const own = tail.find((word) => OWN_FLAGS.test(word));
  if (own !== undefined) {
    throw new UsageError(`serve decides on ${own} itself; for another server there is kvd`);
  }
  if (tail.length > 0 && (flags.on("status") || flags.on("stop"))) {
    throw new UsageError("flags of kvd are for starting it");
  }
  if (settings.origins.server === "flag") {
    throw new UsageError("serve is about the local server; --server does not go with it");
  }
  const address = `127.0.0.1:${defaultPort(environment)}`;
  if (settings.origins.server !== "default") {
    output.note(`this is about ${address}; other verbs go to ${settings.server}`);
  }
  const files = daemonFiles(environment);
  const serving: Serving = { invocation, address, files };
  if (flags.on("stop")) return stop(serving);
  if (flags.on("status")) return tell(serving, await daemonState(address, files));
  return flags.on("foreground") ? attach(serving) : start(serving);
}

interface Serving {
  readonly invocation: Invocation;
  readonly address: string;
  readonly files: DaemonFiles;
}

async function start(serving: Serving): Promise<ExitCode> {
  const { invocation, address, files } = serving;
  const { settings, output, environment, signal, tail = [] } = invocation;
  const before = await daemonState(address, files);
  if (before.state === "running" || before.state === "other") {
    refuseFlags(tail, before);
    return tell(serving, before, { started: false });
  }
  const { timeoutMs } = settings;
  const starting = { settings: { server: address, timeoutMs }, output, environment, signal };
  const started = await startDaemon({ ...starting, flags: tail });
  return tell(serving, await daemonState(address, files), { started });
}

/** They would seem to be in force. */
function refuseFlags(flags: readonly string[], { address }: DaemonState): void {
  if (flags.length === 0) return;
  const text = `kvd runs on ${address} already, without ${flags.join(" ")}`;
  throw new Failure(EXIT.refused, `${text}; kvctl serve --stop ends it first`);
}

async function attach({ invocation, address, files }: Serving): Promise<ExitCode> {
  const { environment, signal, tail = [] } = invocation;
  const before = await daemonState(address, files);
  if (before.state !== "stopped") {
    const who = before.pid === undefined ? "" : ` (pid ${before.pid})`;
    const text = `kvd runs on ${before.address} already${who}; kvctl serve --stop ends it first`;
    throw new Failure(EXIT.refused, text);
  }
  makeDaemonFolder(files);
  const child = spawnAttached({ files, address, environment, flags: tail });
  const forward = () => child.kill("SIGTERM");
  signal.addEventListener("abort", forward, { once: true });
  if (signal.aborted) forward();
  if (endOf(child) === undefined) await once(child, "exit");
  const end = endOf(child);
  if (end === 0) return EXIT.ok;
  throw new Failure(EXIT.unreachable, `kvd ended with ${end}`);
}

async function stop({ invocation, address, files }: Serving): Promise<ExitCode> {
  const { output, signal } = invocation;
  const pid = await stopDaemon(files, signal);
  if (pid === undefined) {
    const { state } = await daemonState(address, files);
    const text =
      state === "other"
        ? `the kvd on ${address} is not the one that kvctl starts; end it where it was started`
        : `no kvd runs on ${address}`;
    throw new Failure(EXIT.negative, text);
  }
  if (output.format === "json" || output.format === "jsonl") {
    await output.json({ state: "stopped", pid });
  } else if (!output.quiet) {
    await output.line(`kvd (pid ${pid}) has ended`);
  }
  return EXIT.ok;
}

async function tell(
  { invocation: { output }, address: wanted, files }: Serving,
  { state, address, pid, status }: DaemonState,
  more: { readonly started?: boolean } = {},
): Promise<ExitCode> {
  const exitCode = state === "running" || state === "other" ? EXIT.ok : EXIT.negative;
  if (state === "running" && address !== wanted) {
    output.note(
      `it listens on another port than ${wanted}: KVCTL_PORT=${portOf(address)} finds it`,
    );
  }
  const { dataDir, log } = files;
  if (output.format === "json" || output.format === "jsonl") {
    const { version, uptimeMs, keys, revision, storeId } = status ?? {};
    const own = state === "other" ? {} : { dataDir, log };
    const told = { version, uptimeMs, keys, revision, storeId };
    await output.json({ state, ...more, address, pid, ...own, ...told });
    return exitCode;
  }
  const rows: [string, string][] = [
    ["state", STATE_TEXTS[state]],
    ["address", address],
    ...(pid === undefined ? [] : ([["pid", String(pid)]] as [string, string][])),
    ...(status === undefined ? [] : statusRows(status)),
    ...(state === "other"
      ? []
      : ([
          ["data", dataDir],
          ["log", log],
        ] as [string, string][])),
  ];
  const shown = rows.map(([name, value]) => [name, plainLine(value)] as const);
  if (output.format === "table") {
    await output.line(await tableText(["what", "value"], shown));
  } else {
    for (const [name, value] of shown) await output.line(`${`${name}:`.padEnd(9)} ${value}`);
  }
  return exitCode;
}

const STATE_TEXTS: Readonly<Record<DaemonState["state"], string>> = {
  running: "running",
  other: "running, but not as the daemon: it was started by hand",
  "not answering": "not answering: it starts, stops, or hangs",
  stopped: "stopped; kvctl serve starts it",
};

function statusRows({
  version,
  uptimeMs,
  keys,
  revision,
}: NonNullable<DaemonState["status"]>): [string, string][] {
  return [
    ["version", version],
    ["uptime", roughText(uptimeMs)],
    ["keys", String(keys)],
    ["revision", String(revision)],
  ];
}
