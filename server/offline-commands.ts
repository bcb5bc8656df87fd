// What kvd does with files, without a server: kvd snapshot status FILE, kvd restore FILE.

import { Command } from "commander";

export type OfflineCommand =
  | { readonly kind: "snapshot-status"; readonly file: string; readonly json: boolean }
  | { readonly kind: "restore"; readonly file: string; readonly dataDir: string };

const VERBS = ["snapshot", "restore"];

/**
 * The command of a command line; undefined when it asks for a server.
 *
 * @throws CommanderError; what it says has been printed.
 */
export function readOffline(
  argv: readonly string[],
  print: (text: string) => void,
): OfflineCommand | undefined {
  if (!VERBS.includes(argv[0] ?? "")) return undefined;
  let read: OfflineCommand | undefined;
  const kvd = newCommand("kvd", print);
  const snapshot = newCommand("snapshot", print).description("looks at a snapshot");
  const status = newCommand("status", print)
    .description("checks every byte of a snapshot, and says what it holds")
    .argument("<file>")
    .option("--json", "as one JSON object")
    .action((file: string, { json = false }: { json?: boolean }) => {
      read = { kind: "snapshot-status", file, json };
    });
  const restore = newCommand("restore", print)
    .description("makes a new data directory from a snapshot; the store gets an id of its own")
    .argument("<file>")
    .requiredOption("--data-dir <path>", "where to: a folder that is empty, or is not there")
    .action((file: string, { dataDir }: { dataDir: string }) => {
      read = { kind: "restore", file, dataDir };
    });
  kvd.addCommand(snapshot.addCommand(status)).addCommand(restore);
  kvd.parse([...argv], { from: "user" });
  return read;
}

function newCommand(name: string, print: (text: string) => void): Command {
  return new Command(name)
    .exitOverride()
    .allowExcessArguments(false)
    .helpOption("--help", "print this")
    .configureOutput({ writeOut: print, writeErr: print });
}
