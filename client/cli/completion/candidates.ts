// What a command line can go on with: verbs, actions, flags, the values of flags, keys, contexts.
// All of it comes from the catalog and the definitions of the verbs; what the server and the disk
// know is asked for through `Sources`, which never fail.

import { CATALOG } from "../catalog.js";
import type { CommandDefinition } from "../command.js";
import type { OptionDefinition } from "../option.js";
import type { Streams } from "../output.js";
import { GLOBAL_FLAGS } from "../settings.js";
import { kindsOfName, type Slots, slotsAfter } from "./usage.js";

export interface Candidate {
  readonly text: string;
  readonly says?: string;
  /** It is the beginning of something, so that no blank follows. */
  readonly partial?: boolean;
}

export type Candidates =
  | { readonly kind: "words"; readonly words: readonly Candidate[] }
  /** The names of files, which shells complete best themselves, behind this part of the word. */
  | { readonly kind: "files" | "folders"; readonly behind: string };

export interface Sources {
  /** @param values of the global flags that were given, by name. */
  keys(prefix: string, values: Readonly<Record<string, unknown>>): Promise<readonly Candidate[]>;
  /** What a verb keeps by name. */
  names(verb: string): Promise<readonly string[]>;
  /** Verbs besides those of the catalog. */
  readonly verbs: readonly Candidate[];
}

const HELP: OptionDefinition = { flags: "-h, --help", description: "show its help" };
const VERSION: OptionDefinition = { flags: "-V, --version", description: "print the version" };

/** @param words those behind `kvctl`, up to the one that is being typed, `current`. */
export async function candidatesFor(
  words: readonly string[],
  current: string,
  sources: Sources,
): Promise<Candidates> {
  const line = await readLine(words);
  const values = Object.fromEntries(line.given);
  const finder = new Finder(current, sources, values);
  const inline = line.tail ? null : /^(--[a-z0-9-]+)=(.*)$/s.exec(current);
  if (line.pending !== undefined) return finder.value(line.pending, "");
  if (inline !== null) {
    const [, name = "", value = ""] = inline;
    const option = line.options.find((known) => namesOf(known).includes(name));
    if (option === undefined) return NOTHING;
    return new Finder(value, sources, values).value(option, `${name}=`);
  }
  if (current.startsWith("-") && !line.tail) return finder.flags(line);
  if (line.verb === undefined) return finder.verbs();
  return finder.words(line);
}

interface LineSoFar {
  readonly verb: string | undefined;
  readonly definition: CommandDefinition | undefined;
  readonly options: readonly OptionDefinition[];
  /** Behind the verb; behind `--` only those, when it is there. */
  readonly words: readonly string[];
  readonly tail: boolean;
  /** Values of flags by name, without dashes. */
  readonly given: ReadonlyMap<string, unknown>;
  /** The flag whose value is being typed. */
  readonly pending: OptionDefinition | undefined;
}

async function readLine(all: readonly string[]): Promise<LineSoFar> {
  const dashes = all.indexOf("--");
  const head = dashes < 0 ? all : all.slice(0, dashes);
  const given = new Map<string, unknown>();
  const words: string[] = [];
  let options: readonly OptionDefinition[] = [...GLOBAL_FLAGS, HELP, VERSION];
  let definition: CommandDefinition | undefined;
  let verb: string | undefined;
  let pending: OptionDefinition | undefined;
  for (const word of head) {
    if (pending !== undefined) {
      given.set(longName(pending), word);
      pending = undefined;
    } else if (word.startsWith("-") && word !== "-") {
      const [name = "", value] = word.split(/=(.*)/s);
      const option = options.find((known) => namesOf(known).includes(name));
      if (option === undefined) continue;
      if (takesValue(option) && value === undefined) pending = option;
      else given.set(longName(option), value ?? true);
    } else if (verb === undefined) {
      const entry = CATALOG.find(({ name, alias }) => name === word || alias === word);
      verb = entry?.name ?? word;
      definition = await entry?.load();
      options = [...(definition?.options ?? []), ...GLOBAL_FLAGS, HELP];
    } else {
      words.push(word);
    }
  }
  const tail = dashes >= 0;
  const behind = tail ? all.slice(dashes + 1) : words;
  return { verb, definition, options, words: behind, tail, given, pending };
}

const NOTHING: Candidates = { kind: "words", words: [] };

class Finder {
  readonly #current: string;
  readonly #sources: Sources;
  readonly #values: Readonly<Record<string, unknown>>;

  constructor(current: string, sources: Sources, values: Readonly<Record<string, unknown>>) {
    this.#current = current;
    this.#sources = sources;
    this.#values = values;
  }

  verbs(): Candidates {
    const verbs = CATALOG.map(({ name, summary }) => ({ text: name, says: summary }));
    const help = { text: "help", says: "show the help of a verb" };
    const found = this.#fitting([...verbs, help, ...this.#sources.verbs]);
    if (found.length > 0) return { kind: "words", words: found };
    const aliases = CATALOG.flatMap(({ alias, summary }) =>
      alias === undefined ? [] : [{ text: alias, says: summary }],
    );
    return { kind: "words", words: this.#fitting(aliases) };
  }

  flags({ options, given, definition, verb, words }: LineSoFar): Candidates {
    const action = definition?.actions?.find(({ name }) => name === words[0]);
    const others = definition?.actions?.flatMap((each) => each.options) ?? [];
    const offered = options
      .filter((option) => !given.has(longName(option)))
      .filter((option) => action?.options.includes(option) !== false || !others.includes(option))
      .map((option) => ({ text: `--${longName(option)}`, says: option.description }));
    const json = { text: "--json", says: "all commands, flags and exit codes, for machines" };
    const list = verb === "help" ? [json, ...offered] : offered;
    return { kind: "words", words: this.#fitting(list) };
  }

  /** The value of a flag; `behind` is the part of the word that stands before it. */
  async value(option: OptionDefinition, behind: string): Promise<Candidates> {
    if (!takesValue(option)) return NOTHING;
    const { choices } = option;
    const placeholder = /<([^>]+)>/.exec(option.flags)?.[1] ?? "";
    const byPlaceholder = kindsOfName(placeholder);
    const kinds = byPlaceholder.length > 0 ? byPlaceholder : kindsOfName(longName(option));
    if (choices !== undefined) return this.#ofSlots({ literals: choices, kinds: [] }, behind);
    return this.#ofSlots({ literals: [], kinds }, behind);
  }

  async words(line: LineSoFar): Promise<Candidates> {
    const { verb, definition, words, tail } = line;
    if (verb === "help") return words.length === 0 ? this.verbs() : NOTHING;
    if (definition === undefined) return NOTHING;
    const { actions, usage } = definition;
    if (actions !== undefined && !tail) {
      const action = actions.find(({ name }) => name === words[0]);
      if (words.length === 0) {
        const named = actions.map(({ name, says }) => ({ text: name, says }));
        return { kind: "words", words: this.#fitting(named) };
      }
      const name = words.length === 1 ? (action?.word ?? "") : "";
      // The name of whatever the verb is about.
      const kinds = kindsOfName(name === "NAME" ? (verb ?? "") : name);
      return this.#ofSlots({ literals: [], kinds }, "");
    }
    const slots = slotsAfter(usage, words, { tail });
    // Where no word can stand, a flag can.
    if (!slots.any && this.#current === "" && !tail) return this.flags(line);
    return this.#ofSlots(slots, "");
  }

  async #ofSlots({ literals, kinds }: Omit<Slots, "any">, behind: string): Promise<Candidates> {
    const found: Candidate[] = this.#fitting(literals.map((text) => ({ text })));
    if (kinds.includes("key") && (this.#values["key-encoding"] ?? "text") === "text") {
      found.push(...(await this.#sources.keys(this.#current, this.#values)));
    }
    if (kinds.includes("context")) {
      const names = await this.#sources.names("context");
      found.push(...this.#fitting(names.map((text) => ({ text }))));
    }
    if (kinds.includes("verb")) {
      const verbs = this.verbs();
      if (verbs.kind === "words") found.push(...verbs.words);
    }
    if (found.length === 0 && kinds.includes("file")) return { kind: "files", behind };
    if (found.length === 0 && kinds.includes("folder")) return { kind: "folders", behind };
    const words = found.map((candidate) => ({ ...candidate, text: behind + candidate.text }));
    return { kind: "words", words };
  }

  #fitting(candidates: readonly Candidate[]): Candidate[] {
    return candidates.filter(({ text }) => text.startsWith(this.#current));
  }
}

/** "-o, --out <file>": both names. */
function namesOf({ flags }: OptionDefinition): string[] {
  return flags.match(/(?<![a-z0-9-])-{1,2}[A-Za-z][a-z0-9-]*/g) ?? [];
}

function longName(option: OptionDefinition): string {
  return /--([a-z0-9-]+)/.exec(option.flags)?.[1] ?? "";
}

function takesValue({ flags }: OptionDefinition): boolean {
  return /[<[]/.test(flags);
}

/** What a verb of the catalog keeps by name; none, whatever goes wrong. */
export async function namesOfVerb(
  verb: string,
  environment: Streams["environment"],
): Promise<readonly string[]> {
  try {
    const definition = await CATALOG.find(({ name }) => name === verb)?.load();
    return (await definition?.names?.(environment)) ?? [];
  } catch {
    return [];
  }
}
