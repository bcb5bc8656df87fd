// What the two executables tell of themselves: kvctl as JSON, kvd in its help, which is read line
// by line. Both are run as they were built; nothing of theirs is imported.

import { spawnSync } from "node:child_process";
import { join } from "node:path";

export interface Flag {
  readonly name: string;
  readonly short?: string;
  /** What its value is called. */
  readonly value?: string;
  readonly type: string;
  readonly choices?: readonly string[];
  readonly default?: string;
  readonly environment?: string;
  readonly description: string;
}

export interface Verb {
  readonly name: string;
  readonly aliases: readonly string[];
  readonly summary: string;
  readonly usage: string;
  readonly details: string;
  readonly flags: readonly Flag[];
  readonly actions?: readonly { readonly usage: string; readonly summary: string }[];
  readonly examples: readonly { readonly run: string; readonly says: string }[];
}

export interface Kvctl {
  readonly version: string;
  readonly usage: string;
  readonly globalFlags: readonly Flag[];
  readonly commands: readonly Verb[];
  readonly exitCodes: readonly { readonly code: number; readonly meaning: string }[];
}

export interface Kvd {
  readonly flags: readonly Flag[];
  /** What stands after the flags, in paragraphs. */
  readonly notes: readonly string[];
  /** What it does with files, without a server. */
  readonly offline: readonly {
    readonly usage: string;
    readonly summary: string;
    readonly flags: readonly Flag[];
  }[];
}

const OFFLINE = [["check"], ["repair"], ["snapshot", "status"], ["restore"]];

export function readKvctl(root: string): Kvctl {
  return JSON.parse(run(root, "kvctl", ["help", "--json"])) as Kvctl;
}

export function readKvd(root: string): Kvd {
  const { flags, notes } = kvdFromHelp(run(root, "kvd", ["--help"]));
  const offline = OFFLINE.map((words) =>
    offlineFromHelp(words, run(root, "kvd", [...words, "--help"])),
  );
  return { flags, notes, offline };
}

/** @throws Error with what it says when it does not end well. */
function run(root: string, name: string, args: readonly string[]): string {
  const script = join(root, "dist/bin", `${name}.js`);
  // Without what somebody has set for these programs.
  const kept = Object.entries(process.env).filter(([name]) => !/^KV(?:D|CTL)_/.test(name));
  const env = Object.fromEntries(kept);
  const ended = spawnSync(process.execPath, [script, ...args], { encoding: "utf8", env });
  if (ended.status === 0) return ended.stdout;
  throw new Error(`${name} ${args.join(" ")} ended with ${ended.status}: ${ended.stderr}`);
}

/** The parts of a help as commander prints it: a flag begins in the third column. */
export function kvdFromHelp(help: string): Pick<Kvd, "flags" | "notes"> {
  const [, after = ""] = help.split(/^Options:\n/m);
  const flags: { flags: string; description: string }[] = [];
  const lines = after.split("\n");
  const end = lines.findIndex((line) => !line.startsWith("  "));
  for (const line of lines.slice(0, end < 0 ? lines.length : end)) {
    const [, name, text = ""] = /^ {2}(-\S.*?)(?: {2,}(\S.*))?$/.exec(line) ?? [];
    const last = flags.at(-1);
    if (name !== undefined) flags.push({ flags: name, description: text });
    else if (last !== undefined) last.description = `${last.description} ${line.trim()}`.trim();
  }
  const rest = end < 0 ? "" : lines.slice(end).join("\n").trim();
  const notes = rest === "" ? [] : rest.split("\n\n").map((text) => text.replace(/\n/g, " "));
  return { flags: flags.map(kvdFlag), notes };
}

function kvdFlag({ flags, description }: { flags: string; description: string }): Flag {
  const name = /--[a-z0-9-]+/.exec(flags)?.[0] ?? flags;
  const value = /<([^>]+)>/.exec(flags)?.[1];
  const [, text = "", fallback] = /^(.*?)(?: \(default: (.*)\))?$/.exec(description) ?? [];
  const isSetting = !/^--(?:no-|version$|help$)/.test(name);
  return {
    name,
    ...(value === undefined ? {} : { value }),
    type: value ?? "boolean",
    ...(fallback === undefined ? {} : { default: fallback }),
    ...(isSetting
      ? { environment: `KVD_${name.slice(2).replaceAll("-", "_").toUpperCase()}` }
      : {}),
    description: text,
  };
}

function offlineFromHelp(words: readonly string[], help: string): Kvd["offline"][number] {
  const [, usage = ""] = /^Usage: (.*)$/m.exec(help) ?? [];
  const [, summary = ""] = /^Usage: .*\n\n([\s\S]*?)\n\n/.exec(help) ?? [];
  const [name] = words.slice(-1);
  const tail = usage.slice(usage.indexOf(`${name}`) + `${name}`.length).trim();
  return {
    usage: `kvd ${words.join(" ")} ${tail}`,
    summary: summary.replace(/\n/g, " "),
    flags: kvdFromHelp(help).flags.map(({ environment: _, ...flag }) => flag),
  };
}
