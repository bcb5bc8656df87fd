// The manual pages and the references of kvctl and kvd: what is read of helps, that nothing of the
// executables is left out, and that pages are well formed.

import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import test from "ava";
import { CATALOG } from "../../../client/cli/catalog.js";
import { description } from "../../../client/cli/description.js";
import { kvdCommand } from "../../../server/config-flags.js";
import { type Kvctl, kvdFromHelp } from "../../../tools/commands/description.js";
import { kvctlPage, kvdPage } from "../../../tools/commands/man-pages.js";
import { kvctlReference } from "../../../tools/commands/markdown.js";
import { escaped } from "../../../tools/commands/roff.js";
import { whereAble } from "../../support/where-able.js";

const ROOT = fileURLToPath(new URL("../../../../", import.meta.url));
const reference = (name: string) => readFileSync(`${ROOT}docs/reference/${name}.md`, "utf8");

function helpOfKvd(): string {
  let text = "";
  const command = kvdCommand("0.0.0").configureOutput({
    writeOut: (part) => {
      text += part;
    },
  });
  command.outputHelp();
  return text;
}

test("the help of kvd is read flag by flag, with defaults and variables", (t) => {
  const { flags, notes } = kvdFromHelp(helpOfKvd());
  const names = kvdCommand("").options.map(({ long }) => long);
  t.deepEqual(flags.map(({ name }) => name).sort(), [...names, "--help"].sort() as string[]);
  const flagOf = (wanted: string) => flags.find(({ name }) => name === wanted);
  t.deepEqual(flagOf("--listen"), {
    name: "--listen",
    value: "address",
    type: "address",
    default: "127.0.0.1:7856",
    environment: "KVD_LISTEN",
    description: "host:port, [v6]:port or unix:/path; may be repeated",
  });
  t.is(flagOf("--memory")?.type, "boolean");
  t.is(flagOf("--no-etcd")?.environment, undefined);
  for (const { name, description } of flags) t.true(description.length > 1, name);
  t.true(notes.some((note) => note.includes("KVD_LOG_LEVEL")));
});

test("the references have every verb of kvctl and every flag of kvd", (t) => {
  const kvctl = reference("kvctl");
  for (const { name } of CATALOG)
    t.true(kvctl.includes(`\n### ${name}\n`), `npm run docs: ${name}`);
  const kvd = reference("kvd");
  for (const { long } of kvdCommand("").options) t.true(kvd.includes(`${long}`), `${long}`);
});

test("text in a manual page stays text", (t) => {
  t.is(escaped(".SH no\\thing"), "\\&.SH no\\ething");
  t.is(escaped("'so"), "\\&'so");
  t.is(escaped("a--b … \u{1f600}"), "a\\-\\-b \\[u2026] \\[u1F600]");
});

const ODD: Kvctl = {
  version: "1.0.0",
  usage: "kvctl <verb>",
  globalFlags: [{ name: "--a|b", type: "choice", choices: ["x", "y"], description: "a <b> *c*" }],
  commands: [
    {
      name: "odd",
      aliases: ["o"],
      summary: "does odd things",
      usage: "kvctl odd [-- COMMAND…]",
      details: "Takes `<x>` and \\n.\n.SH nothing",
      flags: [{ name: "--x", short: "-x", value: "file", type: "file", description: "'quoted'" }],
      examples: [{ run: ".odd", says: "odd" }],
    },
  ],
  exitCodes: [{ code: 0, meaning: "done" }],
};

test("a reference keeps what Markdown would take for its own", (t) => {
  const text = kvctlReference(ODD);
  t.true(text.includes("| `--a\\|b` | a \\<b> \\*c\\* | x \\| y |"));
  t.true(text.includes("Takes `<x>` and"));
});

const lint = (page: string) =>
  spawnSync("man", ["--warnings", "-E", "UTF-8", "-l", "-"], {
    input: page,
    encoding: "utf8",
    env: { PATH: process.env["PATH"], LC_ALL: "C.UTF-8", MANWIDTH: "80" },
  });
/** Small images have a stand-in for man, which says that there are no pages. */
const hasMan = /^NAME$/m.test(lint(".TH X 1\n.SH NAME\nx\n").stdout);
const { declare, note } = whereAble(hasMan ? undefined : "man");

declare(`${note}manual pages are taken by man without a warning`, async (t) => {
  const kvd = { ...kvdFromHelp(helpOfKvd()), offline: [] };
  const kvctl = (await description()) as Kvctl;
  for (const page of [kvctlPage(ODD), kvctlPage(kvctl), kvdPage(kvd, "1.0.0")]) {
    const { status, stdout, stderr } = lint(page);
    t.is(status, 0);
    t.is(stderr, "");
    t.regex(stdout, /^NAME$/m);
    t.regex(stdout, /^EXIT STATUS$/m);
  }
  t.regex(lint(kvctlPage(ODD)).stdout, /^ +\.odd$/m);
  t.regex(lint(".TH X 1\n.nosuchmacro\n").stderr, /nosuchmacro/);
});
