// The references of kvctl and kvd as pages of Markdown, of what the executables tell.

import { type Section, textFromPage } from "../reference/page.js";
import type { Flag, Kvctl, Kvd, Verb } from "./description.js";

export function kvctlReference({ usage, commands, globalFlags, exitCodes }: Kvctl): string {
  const intro = [
    "The command line tool. Made by `npm run docs` of what `kvctl help --json` tells; the README has",
    "a tour. In a terminal: `man kvctl`, `kvctl help get`.",
  ].join("\n");
  const codes = exitCodes.map(({ code, meaning }) => row([`${code}`, meaning]));
  const sections: Section[] = [
    { level: 2, heading: "Usage", body: fenced(usage) },
    { level: 3, heading: "Global flags", body: flagTable(globalFlags) },
    { level: 3, heading: "Exit codes", body: table(["code", "meaning"], codes) },
    { level: 2, heading: "Verbs", body: "" },
    ...commands.map((verb): Section => ({ level: 3, heading: verb.name, body: verbBody(verb) })),
  ];
  return textFromPage({ title: "kvctl", intro, sections });
}

export function kvdReference({ flags, notes, offline }: Kvd): string {
  const intro = [
    "The server. Made by `npm run docs` of what `kvd --help` tells. In a terminal: `man kvd`;",
    "`kvd --print-config` prints each setting with where it comes from.",
  ].join("\n");
  const sections: Section[] = [
    { level: 2, heading: "Flags", body: [flagTable(flags), ...notes].join("\n\n") },
    { level: 2, heading: "Without a server", body: "" },
    ...offline.map((command): Section => {
      const parts = [fenced(command.usage), sentence(command.summary), flagTable(command.flags)];
      return { level: 3, heading: command.usage.replace(/ [[<].*$/, ""), body: parts.join("\n\n") };
    }),
  ];
  return textFromPage({ title: "kvd", intro, sections });
}

function verbBody({ summary, usage, aliases, details, flags, actions, examples }: Verb): string {
  const also = aliases.length === 0 ? [] : [`Also: ${aliases.map(code).join(", ")}.`];
  const taken = (actions ?? []).map((action) => `- ${code(action.usage)}: ${action.summary}`);
  const shown = examples.map(({ run, says }) => `# ${says}\n${run}`).join("\n");
  return [
    sentence(summary),
    fenced(usage),
    ...also,
    plain(details),
    ...(taken.length === 0 ? [] : [taken.join("\n")]),
    ...(flags.length === 0 ? [] : [flagTable(flags)]),
    ...(shown === "" ? [] : [fenced(shown)]),
  ].join("\n\n");
}

function flagTable(flags: readonly Flag[]): string {
  const rows = flags.map((flag) =>
    row([code(flagText(flag)), plain(flag.description), plain(factsOf(flag).join("; "))]),
  );
  return table(["flag", "meaning", "values"], rows);
}

/** "-o, --out <file>" */
export function flagText({ name, short, value }: Flag): string {
  const both = short === undefined ? name : `${short}, ${name}`;
  return value === undefined ? both : `${both} <${value}>`;
}

export function factsOf(flag: Flag): readonly string[] {
  return [
    ...(flag.choices === undefined ? [] : [flag.choices.join(" | ")]),
    ...(flag.default === undefined ? [] : [`default ${flag.default}`]),
    ...(flag.environment === undefined ? [] : [flag.environment]),
  ];
}

/** With a capital and a full stop. */
export function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

function table(heads: readonly string[], rows: readonly string[]): string {
  return [row(heads), `|${"---|".repeat(heads.length)}`, ...rows].join("\n");
}

function row(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
}

function fenced(text: string): string {
  return `\`\`\`sh\n${text}\n\`\`\``;
}

function code(text: string): string {
  return `\`${text}\``;
}

/** Words that Markdown would take for its own. Those in backticks are meant so. */
function plain(text: string): string {
  const parts = text.split("`").map((part, index) => {
    return index % 2 === 1 ? part : part.replace(/[<*]/g, "\\$&");
  });
  return parts.join("`");
}
