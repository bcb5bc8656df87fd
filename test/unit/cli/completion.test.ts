// What a Tab offers: from usages, from the catalog, and as bash writes it.

import test from "ava";
import { CATALOG } from "../../../client/cli/catalog.js";
import {
  bashRecords,
  commonPrefix,
  wordsOfBash,
} from "../../../client/cli/completion/bash-line.js";
import { candidatesFor } from "../../../client/cli/completion/candidates.js";
import { slotsAfter } from "../../../client/cli/completion/usage.js";
import { completionOf } from "../../../client/cli/shell/tab.js";

const KEYS = ["city/KE", "city/UG", "my key", "kenya:capital", "it's"];
const sources = {
  keys: async (prefix: string) =>
    KEYS.filter((key) => key.startsWith(prefix)).map((text) => ({ text })),
  names: async () => ["prod", "test"],
  verbs: [],
};

async function offered(...words: string[]): Promise<string[] | string> {
  const found = await candidatesFor(words.slice(0, -1), words.at(-1) ?? "", sources);
  if (found.kind !== "words") return `${found.kind} behind "${found.behind}"`;
  return found.words.map(({ text }) => text);
}

const slot = (usage: string, words: readonly string[] = [], tail = false) => {
  const { literals, kinds } = slotsAfter(usage, words, { tail });
  return [...literals, ...kinds].join(" ");
};

test("a usage tells what can stand next", (t) => {
  t.is(slot("KEY VALUE | KEY - | KEY -i FILE"), "key");
  t.is(slot("KEY VALUE | KEY - | KEY -i FILE", ["k"]), "");
  t.is(slot("KEY | --prefix P | --start S --end E | --all"), "key");
  t.is(slot("KEY | --prefix P", ["k"]), "");
  t.is(slot("[PREFIX]"), "key");
  t.is(slot("REVISION | now"), "now");
  t.is(slot("FILE | -"), "file");
  t.is(slot("FILE…", ["a", "b"]), "file");
  t.is(slot("KEY | --all [-- COMMAND…]", [], true), "file");
  t.is(slot("add CONTEXT ADDRESS | use CONTEXT | list"), "add use list");
  t.is(slot("add CONTEXT ADDRESS | use CONTEXT | list", ["use"]), "context");
  t.is(slot("add CONTEXT ADDRESS | use CONTEXT | list", ["list"]), "");
  t.is(slot("bash | zsh | fish"), "bash zsh fish");
});

test("every verb of the catalog is offered, and its flags", async (t) => {
  t.deepEqual(await offered(""), [...CATALOG.map(({ name }) => name), "help"]);
  for (const { name, alias, load } of CATALOG) {
    const { options } = await load();
    const flags = await offered(name, "--");
    for (const { flags: text } of options) {
      const flag = /--[a-z-]+/.exec(text)?.[0] ?? "";
      t.true(flags.includes(flag), `${name} ${flag}`);
      t.false(
        (await offered(alias ?? name, flag, "v", "--")).includes(flag),
        `${name} ${flag} twice`,
      );
    }
    t.true(flags.includes("--server") && flags.includes("--help"), name);
  }
});

test("words, values and files are offered where they can stand", async (t) => {
  t.deepEqual(await offered("pu"), ["put"]);
  t.deepEqual(await offered("del"), ["delete"]);
  t.deepEqual(await offered("help", "wat"), ["watch"]);
  t.deepEqual(await offered("get", "city/"), ["city/KE", "city/UG"]);
  t.deepEqual(await offered("--output", "json", "get", "k"), ["kenya:capital"]);
  t.deepEqual(await offered("get", "k", "m"), []);
  t.deepEqual(await offered("range", "--prefix", "city/K"), ["city/KE"]);
  t.deepEqual(await offered("range", "--prefix=city/K"), ["--prefix=city/KE"]);
  t.deepEqual(await offered("get", "--output", "j"), ["json", "jsonl"]);
  t.deepEqual(await offered("get", "--key-encoding="), [
    "--key-encoding=text",
    "--key-encoding=hex",
    "--key-encoding=base64",
  ]);
  t.deepEqual(await offered("get", "--key-encoding", "hex", "m"), []);
  t.deepEqual(await offered("put", "k", ""), []);
  t.is(await offered("put", "k", "-i", "fi"), 'files behind ""');
  t.is(await offered("put", "k", "--input=fi"), 'files behind "--input="');
  t.is(await offered("watch", "k", "--", "se"), 'files behind ""');
  t.deepEqual(await offered("lease", "g"), ["grant"]);
  t.true((await offered("lease", "grant", "--")).includes("--id"));
  t.false((await offered("lease", "list", "--")).includes("--id"));
  t.true((await offered("status", "")).includes("--limits"));
  t.deepEqual(await offered("nonsense", ""), []);
});

const bash = async (typed: string, replaced: string) => {
  const line = wordsOfBash(typed, replaced);
  if (line === undefined) return undefined;
  return bashRecords(line, await candidatesFor(line.words, line.current, sources));
};

test("bash gets the rest of the word, in the quote that is open", async (t) => {
  t.deepEqual(await bash("kvctl get my", "my"), ["space", "my\\ key"]);
  t.deepEqual(await bash("kvctl get 'my k", "my k"), ["space", "my key"]);
  t.deepEqual(await bash('kvctl get "it', "it"), ["space", "it's"]);
  t.deepEqual(await bash("kvctl get 'it", "it"), ["space", "it'\\''s"]);
  t.deepEqual(await bash("kvctl get kenya:ca", "ca"), ["space", "capital"]);
  t.deepEqual(await bash("kvctl get --output=ra", "ra"), ["space", "raw"]);
  t.deepEqual(await bash("kvctl get c", "c"), ["nospace", "city/"]);
  t.deepEqual(await bash("kvctl get city/", "city/"), ["nospace", "city/KE", "city/UG"]);
  t.deepEqual(await bash("A=1 kvctl get --pre", "--pre"), ["space", "--prefix"]);
  t.deepEqual(await bash("kvctl put k -i f", "f"), ["files"]);
  t.is(await bash('kvctl get "$HO', "$HO"), undefined);
  t.is(await bash("kvctl get `x` m", "m"), undefined);
});

test("a common beginning never ends within a character", (t) => {
  t.is(commonPrefix([{ text: "a🦒" }, { text: "a🦓" }]), "a");
  t.is(commonPrefix([{ text: "abc" }, { text: "ab" }, { text: "abd" }]), "ab");
  t.is(commonPrefix([]), "");
});

test("in the shell a Tab writes words in the quotes that were begun", async (t) => {
  const tab = (text: string) => completionOf(text, text, sources);
  t.deepEqual(await tab("GET my"), { choices: ["my\\ key "], replaces: "my" });
  t.deepEqual(await tab("get 'my k"), { choices: ["'my key' "], replaces: "'my k" });
  t.deepEqual(await tab('set "it'), { choices: ['"it\'s" '], replaces: '"it' });
  t.deepEqual(await tab("kvctl get $'my"), { choices: ["$'my key' "], replaces: "$'my" });
  t.deepEqual(await tab("get c"), { choices: ["city/"], replaces: "c" });
  t.deepEqual((await tab("get city/")).choices, ["city/KE", "city/UG"]);
  t.deepEqual((await tab("qu")).choices, ["quit "]);
  t.deepEqual((await tab("get a # m")).choices, []);
  const above = await completionOf('put "a\nmy', "my", sources);
  t.deepEqual(above.choices, []);
});
