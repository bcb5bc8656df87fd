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
  /** False: a server that was only just started would be no answer, so none is. */
  readonly autostart?: false;
  /** False: works by other means than calls, so --print-curl has none to show, and runs nothing. */
  readonly calls?: false;
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
    name: "edit",
    summary: "change a value in your editor",
    writes: true,
    load: async () => (await import("./commands/edit.js")).editCommand,
  },
  {
    name: "incr",
    summary: "add to a number",
    writes: true,
    load: async () => (await import("./commands/incr.js")).incrCommand,
  },
  {
    name: "swap",
    summary: "write a value and print the one it replaces",
    writes: true,
    load: async () => (await import("./commands/swap.js")).swapCommand,
  },
  {
    name: "cas",
    summary: "write a value only if the present one is what is expected",
    writes: true,
    load: async () => (await import("./commands/cas.js")).casCommand,
  },
  {
    name: "mv",
    summary: "move a key, or all keys of a prefix",
    writes: true,
    load: async () => (await import("./commands/mv.js")).mvCommand,
  },
  {
    name: "cp",
    summary: "copy a key, or all keys of a prefix",
    writes: true,
    load: async () => (await import("./commands/cp.js")).cpCommand,
  },
  {
    name: "ttl",
    summary: "print how long a key still lives",
    writes: false,
    load: async () => (await import("./commands/ttl.js")).ttlCommand,
  },
  {
    name: "touch",
    summary: "renew the lease of a key, or give it a ttl",
    writes: true,
    load: async () => (await import("./commands/touch.js")).touchCommand,
  },
  {
    name: "txn",
    summary: "compare, then do one thing or the other, atomically",
    writes: true,
    load: async () => (await import("./commands/txn.js")).txnCommand,
  },
  {
    name: "history",
    summary: "print the versions of a key",
    writes: false,
    load: async () => (await import("./commands/history.js")).historyCommand,
  },
  {
    name: "undo",
    summary: "print or apply the inverse of a revision",
    writes: true,
    load: async () => (await import("./commands/undo.js")).undoCommand,
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
    name: "lock",
    summary: "run a command while nobody else has the lock",
    // What an unanswered call leaves behind ends by itself.
    writes: false,
    load: async () => (await import("./commands/lock.js")).lockCommand,
  },
  {
    name: "elect",
    summary: "run a command while this one leads, and show who does",
    // What an unanswered call leaves behind ends by itself.
    writes: false,
    load: async () => (await import("./commands/elect.js")).electCommand,
  },
  {
    name: "import",
    summary: "write the keys of a file or a folder",
    writes: true,
    load: async () => (await import("./commands/import.js")).importCommand,
  },
  {
    name: "export",
    summary: "write keys and values into a file or a folder",
    writes: false,
    load: async () => (await import("./commands/export.js")).exportCommand,
  },
  {
    name: "diff",
    summary: "show what differs between prefixes, revisions, servers and files",
    writes: false,
    load: async () => (await import("./commands/diff.js")).diffCommand,
  },
  {
    name: "apply",
    summary: "make the keys be as a file has them",
    writes: true,
    load: async () => (await import("./commands/apply.js")).applyCommand,
  },
  {
    name: "clear",
    summary: "delete all keys of a prefix, page by page",
    writes: true,
    load: async () => (await import("./commands/clear.js")).clearCommand,
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
    name: "bench",
    summary: "put load on the server, and measure it",
    writes: false,
    load: async () => (await import("./commands/bench.js")).benchCommand,
  },
  {
    name: "stat",
    summary: "show how the server changes, a line a second",
    writes: false,
    load: async () => (await import("./commands/stat.js")).statCommand,
  },
  {
    name: "top",
    summary: "show the largest keys, and what is written most",
    writes: false,
    load: async () => (await import("./commands/top.js")).topCommand,
  },
  {
    name: "status",
    summary: "show how the server is",
    writes: false,
    autostart: false,
    load: async () => (await import("./commands/status.js")).statusCommand,
  },
  {
    name: "doctor",
    summary: "look for what is wrong, and say how to mend it",
    writes: false,
    autostart: false,
    calls: false,
    load: async () => (await import("./commands/doctor.js")).doctorCommand,
  },
  {
    name: "serve",
    summary: "start, stop and look at the local server",
    writes: false,
    autostart: false,
    calls: false,
    load: async () => (await import("./commands/serve.js")).serveCommand,
  },
  {
    name: "context",
    summary: "keep servers under names, and choose between them",
    writes: false,
    autostart: false,
    calls: false,
    load: async () => (await import("./commands/context.js")).contextCommand,
  },
  {
    name: "ping",
    summary: "see whether the server answers, and how fast",
    writes: false,
    autostart: false,
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
    autostart: false,
    calls: false,
    load: async () => (await import("./commands/completion.js")).completionCommand,
  },
];
