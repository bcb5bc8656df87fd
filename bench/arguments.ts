// The command line of the suite.

import { parseArgs } from "node:util";

export interface BenchOptions {
  /** Cases whose names match one of these run; all of the quick set, if there is none. */
  readonly patterns: readonly RegExp[];
  readonly list: boolean;
  readonly help: boolean;
  /** Beside etcd and Redis, where they are installed. */
  readonly peers: boolean;
  /** Also what is not of the quick set. */
  readonly all: boolean;
  /** And what takes long and much memory. */
  readonly big: boolean;
  /** Put the servers of kvd under the CPU profiler, and tell where the time went. */
  readonly profile: boolean;
  readonly jsonFile: string | undefined;
  readonly plotsFolder: string | undefined;
  readonly rounds: number;
  /** Of one measurement of a throughput. */
  readonly seconds: number;
  /** Where servers keep their data: on the disk that is measured. */
  readonly folder: string;
  /** The Node of kvd and of the null server. */
  readonly node: string;
}

export const USAGE = `npm run bench -- [NAME…] [flags]: NAME is a regular expression over the names of cases.

  --list          name the cases, and end
  --peers         beside etcd and Redis, where they are installed
  --all           also the cases that have no goal and are not quick
  --big           and those with 10 million keys
  --profile NAME  run it under the CPU profiler; a folder of .cpuprofile files, and the top of them
  --json FILE     write all figures there
  --plots DIR     draw plots (SVG) there
  --rounds N      measurements of each, in turn (3)
  --seconds N     of each measurement of a throughput (2)
  --folder DIR    where servers keep their data (.)
  --node PATH     the Node of the servers (this one)
`;

/** @throws Error that says what is wrong with which argument. */
export function readArguments(argv: readonly string[]): BenchOptions {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      list: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
      peers: { type: "boolean", default: false },
      all: { type: "boolean", default: false },
      big: { type: "boolean", default: false },
      profile: { type: "string" },
      json: { type: "string" },
      plots: { type: "string" },
      rounds: { type: "string" },
      seconds: { type: "string" },
      folder: { type: "string", default: "." },
      node: { type: "string", default: process.execPath },
    },
  });
  const profile = values.profile !== undefined;
  const names = values.profile === undefined ? positionals : [...positionals, values.profile];
  return {
    patterns: names.map(patternFromText),
    list: values.list,
    help: values.help,
    peers: values.peers,
    all: values.all,
    big: values.big,
    profile,
    jsonFile: values.json,
    plotsFolder: values.plots,
    rounds: positive("--rounds", values.rounds ?? (profile ? "1" : "3"), { whole: true }),
    seconds: positive("--seconds", values.seconds ?? "2", { whole: false }),
    folder: values.folder,
    node: values.node,
  };
}

function patternFromText(text: string): RegExp {
  try {
    return new RegExp(text);
  } catch (error) {
    throw new Error(`${text} is no regular expression: ${(error as Error).message}`);
  }
}

function positive(flag: string, text: string, { whole }: { readonly whole: boolean }): number {
  const value = Number(text);
  if (!(value > 0) || !Number.isFinite(value) || (whole && !Number.isInteger(value))) {
    throw new Error(`${flag} ${text}: a ${whole ? "whole " : ""}number above 0 is wanted`);
  }
  return value;
}
