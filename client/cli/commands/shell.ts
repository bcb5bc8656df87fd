// kvctl shell: many commands over one connection, typed on a terminal or read from a script.

import type { CommandDefinition, Invocation } from "../command.js";
import type { ExitCode } from "../exit-codes.js";
import { UsageError } from "../failure.js";
import { runScript } from "../shell/script.js";
import { Session } from "../shell/session.js";
import { takeStandardInput } from "../standard-input.js";
import { openInput } from "../values.js";

export const shellCommand: CommandDefinition = {
  usage: "[FILE]",
  details: [
    "Takes all verbs of kvctl, in any case and without kvctl before them, and the commands of older",
    "stores: GET k, SET k v, DEL k, ADDFILE f, PING, HELP, QUIT. Words are quoted as in sh: '…', \"…\",",
    "a backslash, and $'…' with \\n, \\t, \\xNN and \\u{…}. A line whose quote is open, or that ends in",
    "a backslash, goes on in the next; # begins a comment. On a terminal there are a prompt, a history",
    "(in $XDG_STATE_HOME/kvctl/history, without values of keys that look like secrets, and without",
    "lines that begin with a blank), and Tab, which knows verbs, flags, files and the server's keys.",
    "Ctrl-C drops the line or stops the command, Ctrl-D ends the shell. Commands from a file, or from",
    "standard input that is no terminal, run up to the first that fails, whose exit code is the",
    "shell's. Flags of kvctl count for every line that has not its own.",
  ].join(" "),
  options: [
    {
      flags: "--keep-going",
      description: "go on after a command of a script that failed; ends with 8 if one did",
    },
  ],
  examples: [
    { run: "kvctl shell", says: "type commands" },
    { run: "printf 'SET a 1\\nGET a\\n' | kvctl shell", says: "from a pipe" },
    { run: "kvctl shell setup.kvctl --quiet", says: "from a file" },
  ],
  run,
};

async function run(invocation: Invocation): Promise<ExitCode> {
  const { words, flags } = invocation;
  const [file = "-", excess] = words;
  if (excess !== undefined) throw new UsageError(`shell takes one FILE; "${excess}" is too much`);
  const session = new Session(invocation.process, flags);
  try {
    if (file !== "-") return await runLines(invocation, session, openInput(file), file);
    const { stream, release } = takeStandardInput("the shell");
    try {
      if (stream.isTTY !== true || invocation.process.stdout.isTTY !== true) {
        return await runLines(invocation, session, stream, "standard input");
      }
      const { TerminalShell } = await import("../shell/terminal.js");
      return await new TerminalShell(invocation, session, stream).run();
    } finally {
      release();
    }
  } finally {
    await session.close();
  }
}

function runLines(
  { flags, output, signal, process }: Invocation,
  session: Session,
  chunks: AsyncIterable<Uint8Array>,
  name: string,
): Promise<ExitCode> {
  const keepGoing = flags.on("keep-going");
  let closed = false;
  process.stdout.once("error", () => {
    closed = true;
  });
  return runScript(session, output, {
    ...{ chunks, name, keepGoing, signal },
    closed: () => closed,
  });
}
