// Completion in real shells: what is typed, a Tab, Return, and the words that kvctl would get.

import { spawnSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { connect } from "../../client/index.js";
import { folderOfKvctl } from "../support/kvctl-folder.js";
import {
  BUNDLED_KVCTL,
  HookScope,
  kvctlFor,
  run,
  startKvd,
  temporaryFolder,
} from "../support/process.js";
import { Terminal } from "../support/terminal.js";
import { whereAble } from "../support/where-able.js";

/** Keys that a shell must quote, each by its beginning, which needs no quotes. */
const KEYS: Readonly<Record<string, string>> = {
  blank: "blank and  more",
  quote: `quote'd "twice" \`x\` $HOME`,
  line: "line\nand\ttab",
  colon: "colon:a=b:c",
  glob: "glob*?[a]{b,c};|&<>()#~",
  bang: "bang!! \\ back",
  far: "far長頸鹿🦒é",
};

const scope = new HookScope();
let address: string;
let folder: string;

test.before(async () => {
  ({ address } = await startKvd(scope));
  folder = await folderOfKvctl(scope);
  await using kv = connect(address);
  const cities = ["city/KE/Nairobi", "city/UG/Kampala", "city/UG/Jinja"];
  for (const key of [...Object.values(KEYS), ...cities]) await kv.put(key, "");
});

test.after.always(() => scope.end());

async function environmentOf(t: ExecutionContext): Promise<Record<string, string>> {
  return {
    KVCTL_SERVER: address,
    // What is slow here is the machine.
    KVCTL_COMPLETION_TIMEOUT: "20s",
    HOME: await temporaryFolder(t),
    PATH: `${folder}${delimiter}${process.env["PATH"]}`,
    PS1: "ready> ",
  };
}

const missing = (name: string) =>
  spawnSync(name, ["--version"]).error === undefined ? undefined : name;

interface Shell {
  readonly name: "bash" | "zsh";
  readonly start: string;
  readonly setUp: string;
}

const SHELLS: readonly Shell[] = [
  {
    name: "bash",
    start: "bash --norc --noprofile -i",
    setUp: "bind 'set enable-bracketed-paste off'; source <(kvctl completion bash)",
  },
  {
    name: "zsh",
    start: "zsh -f -i",
    setUp: "PS1='ready> '; autoload -U compinit; compinit -u -D; source <(kvctl completion zsh)",
  },
];

for (const { name, start, setUp } of SHELLS) {
  const { declare, note } = whereAble(missing(name));

  declare(`${note}${name} completes keys as they must be quoted there`, async (t) => {
    const environment = await environmentOf(t);
    await writeFile(join(environment["HOME"] ?? "", "a file"), "");
    const options = { environment, folder: environment["HOME"] ?? "" };
    const terminal = new Terminal(t, start, options, { columns: 200 });
    await terminal.until("ready> ");
    await terminal.until("done\n", `${setUp}; echo do""ne\r`);
    // The scripts ask the command; what is entered is shown word by word.
    await terminal.until("ready> ");
    await terminal.until("done\n", 'kvctl() { printf \'<%s>\' "$@"; echo; }; echo do""ne\r');
    const enter = async (line: string, ...words: readonly string[]) => {
      await terminal.until("ready> ");
      await terminal.until(words.map((word) => `<${word}>`).join(""), `${line}\r`);
    };
    for (const [begin, key] of Object.entries(KEYS))
      await enter(`kvctl get ${begin}\t`, "get", key);
    for (const begin of ["blank", "quote", "bang", "colon"]) {
      await enter(`kvctl get '${begin}\t`, "get", KEYS[begin] ?? "");
      await enter(`kvctl get "${begin}\t`, "get", KEYS[begin] ?? "");
    }
    await enter("kvctl get colon:a=\t", "get", KEYS["colon"] ?? "");
    await enter("kvctl ran\t --pre\tcity/K\tN\t", "range", "--prefix", "city/KE/Nairobi");
    await enter("kvctl count --prefix=city/U\t", "count", "--prefix=city/UG/");
    await enter("true | kvctl get fa\t", "get", KEYS["far"] ?? "");
    await enter("kvctl put k -i a\t --qui\t", "put", "k", "-i", "a file", "--quiet");
    t.pass();
  });
}

const fish = whereAble(missing("fish"));

fish.declare(`${fish.note}fish completes verbs, keys, flags and files`, async (t) => {
  const environment = await environmentOf(t);
  await writeFile(join(environment["HOME"] ?? "", "a file"), "");
  const lines = [
    ..."kvctl pu|kvctl get city/|kvctl get --output=ra|kvctl put k -i a|kvctl get colon:a".split(
      "|",
    ),
    ..."kvctl get 'blan|kvctl get quo|kvctl put k --input=a|kvctl get far|kvctl lease gr".split(
      "|",
    ),
  ];
  const asked = lines.map((line) => `complete -C ${JSON.stringify(line)}`);
  const script = ["kvctl completion fish | source", ...asked].join("\n");
  const options = { environment, folder: environment["HOME"] ?? "" };
  const ended = await run(t, ["fish", "--no-config", "-c", script], options);
  t.is(ended.stderr, "");
  t.deepEqual(ended.stdout.split("\n"), [
    "put\twrite a key",
    "city/KE/",
    "city/UG/",
    "--output=raw",
    "a file",
    "colon:a=b:c",
    "blank and  more",
    KEYS["quote"] ?? "",
    "--input=a file",
    KEYS["far"] ?? "",
    "grant\tmake a lease, print its id",
    "",
  ]);
});

const complete = (t: ExecutionContext, server: string, ...words: readonly string[]) =>
  kvctlFor(t, server, BUNDLED_KVCTL).with({
    environment: { KVCTL_COMPLETION_TIMEOUT: "20s" },
  })("__complete", ...words);

test("without a server, and with nonsense, completion is silent and starts none", async (t) => {
  for (const words of [
    ["zsh", "get", "ci"],
    ["zsh", "--server", "nonsense:port", "get", "ci"],
    ["zsh", "nonsense", "ci"],
    ["bash", "kvctl get 'ci", "ci"],
    ["bash", "kvctl get $(", ""],
    ["bash"],
  ]) {
    const ended = await complete(t, "unix:/nonsense/kvd.sock", ...words);
    t.like(ended, { exitCode: 0, stderr: "" }, words.join(" "));
    t.true(["", "words\0"].includes(ended.stdout), ended.stdout);
  }
});

test("completion offers at most 100 keys, and none that is no text", async (t) => {
  const { address: server } = await startKvd(t);
  await using kv = connect(server);
  await kv.put(Buffer.from([0xff, 0x01]), "");
  t.is((await complete(t, server, "zsh", "get", "")).stdout, "words\0");
  for (let key = 0; key < 150; key += 1) await kv.put(`k${key}`, "");
  const { stdout } = await complete(t, server, "zsh", "get", "k");
  t.is(stdout.split("\0").filter((record) => record === "whole").length, 100);
});

test("completion is printed for the shells that it is for", async (t) => {
  const kvctl = kvctlFor(t, address, BUNDLED_KVCTL);
  t.regex((await kvctl("help", "completion")).stdout, /~\/\.bashrc/);
  t.is((await kvctl("completion", "tcsh")).exitCode, 2);
  t.is((await kvctl("completion")).exitCode, 2);
});
