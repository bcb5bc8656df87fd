// The verbs of kvctl. A command's own file is loaded only when it runs or is described.

import type { CommandDefinition } from "./command.js";

export interface CatalogEntry {
  readonly name: string;
  readonly alias?: string;
  readonly summary: string;
  /**
   * Changes the store, so an answer that does not come leaves that open: always, never, or with
   * one of these first words.
   */
  readonly writes: boolean | readonly string[];
  load(): Promise<CommandDefinition>;
}

export const CATALOG: readonly CatalogEntry[] = [
  {
    name: "get",
    summary: "print the value of a key, or the entries of a selector",
    writes: false,
    load: async () => (await import("./commands/get.js")).getCommand,
  },
  {
    name: "put",
    summary: "write a key",
    writes: true,
    load: async () => (await import("./commands/put.js")).putCommand,
  },
  {
    name: "delete",
    alias: "del",
    summary: "delete a key, or the keys of a selector",
    writes: true,
    load: async () => (await import("./commands/delete.js")).deleteCommand,
  },
  {
    name: "ls",
    summary: "list keys, one level at a time",
    writes: false,
    load: async () => (await import("./commands/ls.js")).lsCommand,
  },
  {
    name: "range",
    summary: "list keys and values",
    writes: false,
    load: async () => (await import("./commands/range.js")).rangeCommand,
  },
  {
    name: "count",
    summary: "count keys",
    writes: false,
    load: async () => (await import("./commands/count.js")).countCommand,
  },
  {
    name: "txn",
    summary: "compare, then do one thing or the other, atomically",
    writes: true,
    load: async () => (await import("./commands/txn.js")).txnCommand,
  },
  {
    name: "watch",
    summary: "print changes as they happen",
    writes: false,
    load: async () => (await import("./commands/watch.js")).watchCommand,
  },
  {
    name: "lease",
    summary: "grant, list, renew and revoke leases",
    writes: ["grant", "keep-alive", "revoke"],
    load: async () => (await import("./commands/lease.js")).leaseCommand,
  },
  {
    name: "import",
    summary: "write the keys of a JSON Lines file",
    writes: true,
    load: async () => (await import("./commands/import.js")).importCommand,
  },
  {
    name: "export",
    summary: "write keys and values as JSON Lines",
    writes: false,
    load: async () => (await import("./commands/export.js")).exportCommand,
  },
  {
    name: "snapshot",
    summary: "save the whole store to a file",
    writes: false,
    load: async () => (await import("./commands/snapshot.js")).snapshotCommand,
  },
  {
    name: "compact",
    summary: "drop what was superseded up to a revision",
    writes: true,
    load: async () => (await import("./commands/compact.js")).compactCommand,
  },
  {
    name: "status",
    summary: "show how the server is",
    writes: false,
    load: async () => (await import("./commands/status.js")).statusCommand,
  },
  {
    name: "ping",
    summary: "see whether the server answers, and how fast",
    writes: false,
    load: async () => (await import("./commands/ping.js")).pingCommand,
  },
  {
    name: "shell",
    summary: "type many commands, over one connection",
    writes: true,
    load: async () => (await import("./commands/shell.js")).shellCommand,
  },
  {
    name: "completion",
    summary: "print a script that completes kvctl in bash, zsh or fish",
    writes: false,
    load: async () => (await import("./commands/completion.js")).completionCommand,
  },
];
