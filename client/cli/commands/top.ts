// kvctl top: the largest keys, and the prefixes that are written most.

import type { Kvd, SelectorLike } from "../../index.js";
import type { CommandDefinition, Invocation } from "../command.js";
import { roughText } from "../duration.js";
import { EXIT, type ExitCode } from "../exit-codes.js";
import { UsageError } from "../failure.js";
import { bytesForm } from "../json-forms.js";
import { pages } from "../listing.js";
import { startProgress } from "../progress.js";
import { SELECTOR_OPTIONS, SELECTOR_USAGE, selectorFrom } from "../selectors.js";
import { Largest, type Sized } from "../stat/largest.js";
import { PrefixCounts, type WrittenPrefix } from "../stat/prefix-counts.js";
import { tableText } from "../table.js";
import { lineText } from "../terminal-text.js";
import { roughBytesText } from "../units.js";

export const topCommand: CommandDefinition = {
  usage: `[${SELECTOR_USAGE}]`,
  details: [
    "Lists all entries once for the largest keys, then watches for --for and tells the prefixes that were",
    "written most meanwhile, folded at --delimiter after --depth levels. Without a selector it looks at",
    "the whole store; it holds no more than the rows that it shows, and up to 100,000 prefixes. --largest",
    "or --written is one of both alone. The listing reads all values: with a large store it takes a",
    "while. Ctrl-C ends the watching early, with what was seen.",
  ].join(" "),
  options: [
    ...SELECTOR_OPTIONS,
    { flags: "--limit <count>", description: "rows of each table", fallback: "10" },
    { flags: "--largest", description: "only the largest keys" },
    { flags: "--written", description: "only what is written most" },
    { flags: "--for <duration>", description: "how long to watch", fallback: "10s" },
    { flags: "--depth <count>", description: "levels of a prefix", fallback: "1" },
    { flags: "--delimiter <text>", description: "what ends a level", fallback: "/" },
  ],
  examples: [
    { run: "kvctl top", says: "both, of the whole store" },
    { run: "kvctl top --largest --prefix city/ --limit 3", says: "the three largest of a part" },
    { run: "kvctl top --written --for 1m --depth 2", says: "who writes, over a minute" },
  ],
  run,
};

const LIMIT_MAX = 10_000;
const DEPTH_MAX = 1_000;
const FOR_MAX_MS = 86_400_000;

interface LargeKey extends Sized {
  readonly key: Uint8Array;
  readonly valueBytes: number;
  readonly modRevision: number;
}

interface Plan {
  readonly selector: SelectorLike;
  readonly limit: number;
  readonly watchMs: number;
  readonly counts: PrefixCounts;
}

async function run(invocation: Invocation): Promise<ExitCode> {
  const { flags, output, signal } = invocation;
  const plan = planFrom(invocation);
  const kv = await invocation.connect();
  const largest = flags.on("written") ? undefined : await largestKeys(invocation, kv, plan);
  const json = output.format === "json" || output.format === "jsonl";
  if (largest !== undefined && !json) {
    await writeLargest(invocation, largest);
    // The second table is a while to come.
    await output.flush();
  }
  const seconds = flags.on("largest") ? undefined : await watchWrites(invocation, kv, plan);
  if (json) {
    await output.json({
      ...(largest === undefined ? {} : { largest: largest.map(largeForm) }),
      ...(seconds === undefined ? {} : writtenForm(plan, seconds)),
    });
  } else if (seconds !== undefined) {
    await writeWritten(invocation, plan, seconds);
  }
  return signal.aborted ? (signal.reason as ExitCode) : EXIT.ok;
}

function planFrom({ verb, words, flags }: Invocation): Plan {
  if (flags.on("largest") && flags.on("written")) {
    throw new UsageError("--largest and --written exclude each other; without them it is both");
  }
  const format = flags.text("output");
  if (format === "raw") throw new UsageError("top writes no raw output");
  const limit = flags.number("limit") ?? 10;
  if (limit < 1 || limit > LIMIT_MAX) throw new UsageError(`--limit is from 1 to ${LIMIT_MAX}`);
  const depth = flags.number("depth") ?? 1;
  if (depth < 1 || depth > DEPTH_MAX) throw new UsageError(`--depth is from 1 to ${DEPTH_MAX}`);
  const watchMs = flags.durationMs("for") ?? 10_000;
  if (watchMs > FOR_MAX_MS) throw new UsageError("--for is at most 1d");
  const delimiter = flags.text("delimiter") ?? "/";
  if (delimiter === "") throw new UsageError("--delimiter is empty");
  return {
    selector: selectorFrom(verb, words, flags, { all: true }),
    limit,
    watchMs,
    counts: new PrefixCounts({ delimiter: Buffer.from(delimiter), depth }),
  };
}

async function largestKeys(
  { output, signal }: Invocation,
  kv: Kvd,
  { selector, limit }: Plan,
): Promise<readonly LargeKey[]> {
  const { count } = output.notesToTerminal ? await kv.count(selector, { signal }) : { count: 0 };
  const progress = await startProgress(output, { label: "listing", total: count });
  const largest = new Largest<LargeKey>(limit);
  let seen = 0;
  try {
    for await (const page of pages(kv, { selector, options: { signal }, limit: 0 })) {
      for (const { keyBytes, bytes, modRevision } of page.entries) {
        const sum = keyBytes.length + bytes.length;
        if (!largest.takes(sum)) continue;
        // A copy: the key is a part of a page, which would stay in memory with it.
        const key = keyBytes.slice();
        largest.add({ key, bytes: sum, valueBytes: bytes.length, modRevision });
      }
      seen += page.entries.length;
      progress.update(seen, seen);
    }
  } finally {
    progress.stop();
  }
  return largest.list;
}

/** The seconds that were watched. */
async function watchWrites(
  { output, signal }: Invocation,
  kv: Kvd,
  { selector, watchMs, counts }: Plan,
): Promise<number> {
  const over = new AbortController();
  const watch = kv.watch(selector, { signal: AbortSignal.any([signal, over.signal]) });
  await watch.ready();
  output.note(`watching for ${roughText(watchMs)}`);
  const began = performance.now();
  const timer = setTimeout(() => over.abort(), watchMs);
  try {
    for await (const event of watch) {
      const valueBytes = event.type === "put" ? event.entry.bytes.length : 0;
      const bytes = event.type === "put" ? event.keyBytes.length + valueBytes : 0;
      counts.add(event.keyBytes, { type: event.type, bytes });
    }
  } finally {
    clearTimeout(timer);
  }
  return (performance.now() - began) / 1_000;
}

async function writeLargest({ output }: Invocation, keys: readonly LargeKey[]): Promise<void> {
  if (keys.length === 0) return output.line("there are no keys");
  const rows = keys.map(({ key, bytes, valueBytes, modRevision }) => [
    lineText(key),
    roughBytesText(bytes),
    String(valueBytes),
    String(modRevision),
  ]);
  const head = ["largest keys", "size", "value bytes", "revision"];
  await output.line(await tableText(head, rows, { right: [1, 2, 3] }));
}

async function writeWritten(
  { output }: Invocation,
  { counts, limit }: Plan,
  seconds: number,
): Promise<void> {
  const most = counts.top(limit);
  if (most.length === 0) return output.line(`nothing was written in ${seconds.toFixed(1)}s`);
  const rows = most.map((each) => [
    lineText(each.prefix),
    String(each.puts),
    String(each.deletes),
    ((each.puts + each.deletes) / seconds).toFixed(1),
    `${roughBytesText(Math.round(each.bytes / seconds))}/s`,
  ]);
  const head = [`written most in ${seconds.toFixed(1)}s`, "puts", "deletes", "a second", "bytes"];
  await output.line(await tableText(head, rows, { right: [1, 2, 3, 4] }));
  if (counts.approximate) output.note("there were too many prefixes: the counts are approximate");
}

function largeForm({ key, bytes, valueBytes, modRevision }: LargeKey): object {
  return { ...bytesForm("key", key), bytes, valueBytes, modRevision };
}

function writtenForm({ counts, limit }: Plan, seconds: number): object {
  const form = ({ prefix, puts, deletes, bytes }: WrittenPrefix) => ({
    ...bytesForm("prefix", prefix),
    puts,
    deletes,
    bytes,
  });
  return {
    seconds: Number(seconds.toFixed(3)),
    written: counts.top(limit).map(form),
    approximate: counts.approximate,
  };
}
