// kvctl edit: changes a value in the person's editor, and writes it back if nobody else did.

import { isUtf8 } from "node:buffer";
import type { Entry, KeyLike, Kvd } from "../../index.js";
import type { CommandDefinition, Invocation } from "../command.js";
import { isLostPrecondition } from "../conflicts.js";
import { diffText } from "../diff-output.js";
import { type EditForm, jsonForm, NotJson, plainForm } from "../edit/edit-form.js";
import { editorFrom, runEditor } from "../edit/editor.js";
import { fileNameOf, TextFile } from "../edit/text-file.js";
import { errorText, exitCodeOf } from "../error-text.js";
import { EXIT, type ExitCode } from "../exit-codes.js";
import { Failure } from "../failure.js";
import { leaseForm } from "../json-forms.js";
import { onlyKey, quotedKey, shownKey } from "../key-argument.js";
import { LEASE_OPTIONS, leaseOptionsFrom } from "../lease-flags.js";
import { askYesNo } from "../question.js";
import { KEY_ENCODING } from "../selectors.js";
import { plainLine } from "../terminal-text.js";
import { isJson } from "../value-output.js";

export const editCommand: CommandDefinition = {
  usage: "KEY",
  details: [
    "Opens the value in $VISUAL, else $EDITOR, else vi or nano, and writes back what was saved, unless",
    "somebody else changed the key meanwhile: then it shows what differs, keeps your text in a file",
    "that it names, and ends with 1. A text that is as it was writes nothing, and so does an editor that",
    "fails. An absent key begins empty, and is created. A final newline that the editor adds and the",
    "value had not is not written. The key keeps its lease, unless --ttl or --lease is given.",
  ].join(" "),
  options: [
    { flags: "--json", description: "show the value indented, and take nothing but JSON back" },
    { flags: "--binary", description: "open a value that is no text, for editors of bytes" },
    ...LEASE_OPTIONS,
    KEY_ENCODING,
  ],
  examples: [
    { run: "kvctl edit motd", says: "in your editor" },
    { run: "kvctl edit country:KE --json", says: "indented, and checked" },
    { run: "EDITOR='code --wait' kvctl edit config.toml", says: "in another one" },
    { run: "EDITOR='sed -i s/8080/9090/' kvctl edit service/port", says: "in a script" },
  ],
  run,
};

interface Edit {
  readonly kv: Kvd;
  readonly key: KeyLike;
  readonly entry: Entry | undefined;
  readonly form: EditForm;
  readonly file: TextFile;
}

async function run(invocation: Invocation): Promise<ExitCode> {
  const { flags, output, signal } = invocation;
  const key = onlyKey(invocation);
  leaseOptionsFrom(flags);
  const editor = await editorFrom(process.env);
  const kv = await invocation.connect();
  const entry = await kv.get(key, { signal });
  const value = entry?.bytes ?? new Uint8Array(0);
  if (!isUtf8(value) && !flags.on("binary")) {
    const text = `the value of ${quotedKey(key)} is no text; --binary opens it for an editor of bytes`;
    throw new Failure(EXIT.invalid, `${text}, kvctl get -o FILE and put -i FILE work, too`);
  }
  const form = flags.on("json") ? jsonForm(value) : plainForm(value);
  if (entry === undefined) output.note(`there is no ${quotedKey(key)} yet; saving creates it`);
  const file = await TextFile.create(fileNameOf(shownKey(key), value), form.shown);
  try {
    return await edited(invocation, editor, { kv, key, entry, form, file });
  } finally {
    await file.close();
  }
}

async function edited(invocation: Invocation, editor: string, edit: Edit): Promise<ExitCode> {
  const { output, signal } = invocation;
  const { form, file } = edit;
  for (;;) {
    await runOn(editor, edit);
    signal.throwIfAborted();
    const saved = await file.read();
    try {
      const value = form.valueOf(saved);
      if (value !== undefined) return await write(invocation, edit, value);
    } catch (error) {
      if (!(error instanceof NotJson)) throw error;
      const question = `${plainLine(error.message)}. Edit again? [Y/n] `;
      if (await askYesNo(invocation, question, { otherwise: true })) continue;
      file.keep();
      throw new Failure(error.exitCode, `${error.message}; nothing was written${whereIs(file)}`);
    }
    if (isJson(output)) await output.json({ changed: false });
    else output.note("it is as it was; nothing was written");
    return EXIT.ok;
  }
}

/** What an editor had saved before it failed is kept, too. */
async function runOn(editor: string, { form, file }: Edit): Promise<void> {
  try {
    await runEditor(editor, file.path);
  } catch (error) {
    const saved = await file.read().catch(() => form.shown);
    if (!(error instanceof Failure) || Buffer.compare(saved, form.shown) === 0) throw error;
    file.keep();
    throw new Failure(error.exitCode, `${error.message}${whereIs(file)}`, { cause: error });
  }
}

async function write(invocation: Invocation, edit: Edit, value: Uint8Array): Promise<ExitCode> {
  const { flags, output, settings, signal } = invocation;
  const { kv, key, entry, file } = edit;
  const expectedModRevision = entry?.modRevision ?? 0;
  try {
    const options = { ...leaseOptionsFrom(flags), expectedModRevision, signal };
    const { revision, leaseId } = await kv.put(key, value, options);
    if (isJson(output)) await output.json({ changed: true, revision, ...leaseForm(leaseId) });
    else if (!output.quiet && output.format !== "raw") await output.line(`revision ${revision}`);
    return EXIT.ok;
  } catch (error) {
    // Whatever it was, nobody's work shall be lost by it.
    file.keep();
    if (isLostPrecondition(error)) throw await lost(output, edit, value, signal);
    const text = errorText(error, { settings, writes: true });
    throw new Failure(exitCodeOf(error), `${text}${whereIs(file)}`, { cause: error });
  }
}

async function lost(
  output: Invocation["output"],
  { kv, key, file }: Edit,
  value: Uint8Array,
  signal: AbortSignal,
): Promise<Failure> {
  const now = await kv.get(key, { signal });
  const what =
    now === undefined ? "deleted meanwhile" : `changed meanwhile, at revision ${now.modRevision}`;
  const diff = diffText(output, { before: now?.bytes, after: value }, "  ");
  const detail = diff === undefined ? {} : { detail: `  - what is there\n  + yours\n${diff}` };
  const text = `${quotedKey(key)} was ${what}; nothing was written${whereIs(file)}`;
  return new Failure(EXIT.negative, `${text}; kvctl put -i writes it all the same`, detail);
}

function whereIs(file: TextFile): string {
  return `; your text is in ${file.path}`;
}
