// The manual pages of kvctl and kvd, of what the executables tell.

import type { Flag, Kvctl, Kvd, Verb } from "./description.js";
import { factsOf, sentence } from "./markdown.js";
import { bold, escaped, heading, italic, paragraph, subheading, tagged, verbatim } from "./roff.js";

export function kvctlPage({ version, usage, commands, globalFlags, exitCodes }: Kvctl): string {
  return page("kvctl", version, [
    heading("Name"),
    "kvctl \\- reads, writes and watches the keys of a kvd server",
    heading("Synopsis"),
    escaped(usage),
    heading("Description"),
    escaped(
      "Each verb does one thing, and is told below. Answers go to standard output, errors and notes " +
        "to standard error. After --, nothing is a flag.",
    ),
    heading("Global flags"),
    ...globalFlags.map(flagItem),
    heading("Verbs"),
    ...commands.flatMap(verbParts),
    heading("Exit status"),
    ...exitCodes.map(({ code, meaning }) => tagged(bold(`${code}`), meaning)),
    heading("Environment"),
    escaped("Each global flag has a variable, which is told with it; a flag goes first."),
    tagged(bold("NO_COLOR"), "Set to anything: no colours."),
    tagged(
      bold("FORCE_COLOR"),
      "Set to anything but 0 or false: colours, also without a terminal.",
    ),
    heading("See also"),
    "\\fBkvd\\fR(1)",
  ]);
}

export function kvdPage({ flags, notes, offline }: Kvd, version: string): string {
  return page("kvd", version, [
    heading("Name"),
    "kvd \\- a key\\-value service over gRPC",
    heading("Synopsis"),
    "kvd [flags]",
    heading("Description"),
    escaped(
      "Serves a store of keys and values, with revisions, transactions, watches and leases, until it " +
        "is stopped by SIGTERM or SIGINT: then calls in flight are finished, and the log is synced. " +
        "A second signal ends it at once.",
    ),
    heading("Flags"),
    ...flags.map(flagItem),
    ...notes.map(paragraph),
    heading("Without a server"),
    ...offline.flatMap((command) => [
      subheading(command.usage),
      escaped(sentence(command.summary)),
      ...command.flags.map(flagItem),
    ]),
    heading("Exit status"),
    tagged(bold("0"), "Stopped as it was told."),
    tagged(bold("1"), "It cannot start."),
    tagged(bold("2"), "A flag, a variable or the file of settings is wrong."),
    tagged(bold("70"), "An error of its own."),
    tagged(bold("74"), "Data that is damaged, or a disk that failed."),
    heading("See also"),
    "\\fBkvctl\\fR(1)",
  ]);
}

function page(name: string, version: string, parts: readonly string[]): string {
  return `.TH ${name.toUpperCase()} 1 "" "kvd ${version}" "kvd"\n${parts.join("\n")}\n`;
}

function verbParts({ name, aliases, summary, usage, details, flags, ...rest }: Verb): string[] {
  const { actions = [], examples } = rest;
  return [
    subheading([name, ...aliases].join(", ")),
    escaped(sentence(summary)),
    paragraph(usage),
    paragraph(details),
    ...actions.map((action) => tagged(bold(action.usage), action.summary)),
    ...flags.map(flagItem),
    ...(examples.length === 0
      ? []
      : [verbatim(examples.flatMap(({ run, says }) => [`# ${says}`, run]))]),
  ];
}

function flagItem(flag: Flag): string {
  const names = [flag.short, flag.name].flatMap((name) => (name === undefined ? [] : [bold(name)]));
  const value = flag.value === undefined ? "" : ` ${italic(flag.value)}`;
  const facts = factsOf(flag).join("; ");
  const text = facts === "" ? flag.description : `${flag.description} (${facts})`;
  return tagged(`${names.join(", ")}${value}`, text);
}
