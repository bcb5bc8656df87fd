// What can stand where a word is missing, read from the usage of a verb: "KEY VALUE | KEY -".
//
// A usage has alternatives; each is a row of words. One in capitals stands for something, and its
// name says what; one in small letters is itself. Flags are listed elsewhere, so here they go.

/** What completes a word: its kind is told by what help calls it. */
export type Kind = "key" | "file" | "folder" | "context" | "verb";

type Slot =
  | { readonly kind: "literal"; readonly text: string }
  | { readonly kind: "named"; readonly names: readonly string[]; readonly repeats: boolean };

export interface Slots {
  /** Words that can stand here as they are. */
  readonly literals: readonly string[];
  readonly kinds: readonly Kind[];
  /** Can there be a word at all? */
  readonly any: boolean;
}

const KINDS: readonly (readonly [RegExp, ...Kind[]])[] = [
  [/CONTEXT/, "context"],
  [/FOLDER|DIRECTORY|^DIR$/, "folder"],
  [/FILE|PATH/, "file"],
  [/VERB/, "verb"],
  [/COMMAND|^CMD$/, "file"],
  [/KEY|PREFIX|SOURCE|TARGET|^(?:START|END|FROM|TO|SRC|DST|DEST)$/, "key"],
  [/COMPARE|OPERATION/, "key"],
  [/^(?:LEFT|RIGHT)$/, "key", "file"],
];

/** Of "KEY", "<file>", "--checkpoint"; none for what nobody can know. */
export function kindsOfName(name: string): readonly Kind[] {
  const capitals = name.toUpperCase();
  const [, ...kinds] = KINDS.find(([pattern]) => pattern.test(capitals)) ?? [/$/];
  return kinds;
}

/** What follows these words; `tail`: behind a `--`. */
export function slotsAfter(
  usage: string,
  words: readonly string[],
  { tail }: { readonly tail: boolean },
): Slots {
  const slots = alternativesOf(usage).flatMap(({ head, behind }) => {
    if (tail) return slotAt(behind, words.length) ?? [];
    const fits = words.every((word, index) => {
      const slot = slotAt(head, index);
      return slot !== undefined && (slot.kind === "named" || slot.text === word);
    });
    return fits ? (slotAt(head, words.length) ?? []) : [];
  });
  const named = slots.flatMap((slot) => (slot.kind === "named" ? slot.names : []));
  return {
    literals: unique(slots.flatMap((slot) => (slot.kind === "literal" ? [slot.text] : []))),
    kinds: unique(named.flatMap(kindsOfName)),
    any: slots.length > 0,
  };
}

interface Alternative {
  readonly head: readonly Slot[];
  readonly behind: readonly Slot[];
}

function alternativesOf(usage: string): Alternative[] {
  const plain = usage.replace(/[[\]]/g, " ").replace(/'[^']*'/g, " ");
  return plain.split(/\s\|\s/).map((alternative) => {
    const tokens = alternative.split(/\s+/).filter((token) => token !== "");
    const dashes = tokens.indexOf("--");
    const head = dashes < 0 ? tokens : tokens.slice(0, dashes);
    const behind = dashes < 0 ? [] : tokens.slice(dashes + 1);
    return { head: slotsOf(head), behind: slotsOf(behind) };
  });
}

function slotsOf(tokens: readonly string[]): Slot[] {
  return tokens.flatMap((token, index): Slot[] => {
    // "--prefix P": the flag, and what it takes.
    const value = /^--?[a-z]/.test(tokens[index - 1] ?? "") && isName(token);
    if (value || token.startsWith("-")) return [];
    if (!isName(token)) return [{ kind: "literal", text: token }];
    const names = token.replace(/…|\.\.\./g, "").split("|");
    return [{ kind: "named", names, repeats: /…|\.\.\./.test(token) }];
  });
}

function isName(token: string): boolean {
  return /^[<A-Z]/.test(token);
}

function slotAt(slots: readonly Slot[], index: number): Slot | undefined {
  const last = slots.at(-1);
  const beyond = last?.kind === "named" && last.repeats ? last : undefined;
  return slots[index] ?? beyond;
}

function unique<T>(items: readonly T[]): T[] {
  return [...new Set(items)];
}
