// What kvd does with files, without a server: kvd check, kvd repair, kvd snapshot status, kvd
// restore.

import { Command } from "commander";

export type OfflineCommand =
  | { readonly kind: "snapshot-status"; readonly file: string; readonly json: boolean }
  | { readonly kind: "restore"; readonly file: string; readonly dataDir: string }
  | { readonly kind: "check"; readonly dataDir: string; readonly json: boolean }
  | {
      readonly kind: "repair";
      readonly dataDir: string;
      readonly to: string | undefined;
      readonly json: boolean;
    };

const VERBS = ["snapshot", "restore", "check", "repair"];

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
  const check = newCommand("check", print)
    .description("reads all of a data directory, and says whether it is whole; changes nothing")
    .requiredOption("--data-dir <path>", "of a server that does not run")
    .option("--json", "as one JSON object")
    .action(({ dataDir, json = false }: { dataDir: string; json?: boolean }) => {
      read = { kind: "check", dataDir, json };
    });
  const repair = newCommand("repair", print)
    .description("says what a damaged data directory has lost, and makes another of the rest")
    .requiredOption("--data-dir <path>", "the damaged one; it stays as it is")
    .option("--to <path>", "where to: a folder that is empty, or is not there")
    .option("--json", "as one JSON object")
    .action((options: { dataDir: string; to?: string; json?: boolean }) => {
      const { dataDir, to, json = false } = options;
      read = { kind: "repair", dataDir, to, json };
    });
  kvd.addCommand(snapshot.addCommand(status)).addCommand(restore);
  kvd.addCommand(check).addCommand(repair);
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
