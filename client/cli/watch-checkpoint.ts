// The file of `watch --checkpoint`: where to go on, of which store, for which keys.
//
// It is replaced as a whole, and synced, so that after any end it holds a position that was
// handled. Positions are noted as often as they come, and the newest is written ten times a second:
// what was noted and not written comes again after a kill, and nothing is ever left out.

import { setTimeout as after } from "node:timers/promises";
import type { SelectorLike } from "../index.js";
import { EXIT } from "./exit-codes.js";
import { Failure, UsageError } from "./failure.js";
import { FileTarget } from "./file-target.js";
import { bytesForm, FormError, objectFromJson } from "./json-forms.js";
import { isFileError, readInput } from "./values.js";
import type { WatchPosition } from "./watch-progress.js";

/** Between two writes: each is synced, which takes milliseconds and wears disks. */
const PAUSE_MS = 100;

export interface StoredPosition {
  readonly storeId: string;
  readonly position: WatchPosition;
}

export class Checkpoint {
  readonly path: string;
  /** What the file held; undefined without one. */
  readonly stored: StoredPosition | undefined;
  readonly #selector: string;
  #storeId = "";
  #noted: WatchPosition | undefined;
  #written: WatchPosition | undefined;
  #writing: Promise<void> | undefined;
  #atWork = false;
  #hurry = new AbortController();
  #error: unknown;

  private constructor(path: string, selector: string, stored: StoredPosition | undefined) {
    this.path = path;
    this.stored = stored;
    this.#selector = selector;
    this.#written = stored?.position;
  }

  /**
   * `filter` is part of what is watched: changes are counted without those that are left out.
   *
   * @throws Failure when the file is there and is none, UsageError when it is of other keys.
   */
  static async open(
    path: string,
    selector: SelectorLike,
    filter: { readonly only?: string } = {},
  ): Promise<Checkpoint> {
    const wanted = JSON.stringify({ ...selectorForm(selector), ...filter });
    const bytes = await contentOf(path);
    if (bytes.length === 0) return new Checkpoint(path, wanted, undefined);
    const form = formOf(path, bytes);
    const found = JSON.stringify(form.selector);
    if (found !== wanted) {
      const text = `${path} is the checkpoint of a watch of ${found}, not of ${wanted}`;
      throw new UsageError(`${text}; give that one, or another file`);
    }
    const { storeId, revision, events } = form;
    return new Checkpoint(path, wanted, { storeId, position: { revision, events } });
  }

  /** Positions that are noted from here on are of this store. */
  set storeId(storeId: string) {
    this.#storeId = storeId;
  }

  /** Written soon, or what is noted until then. @throws what an earlier write failed with. */
  note(position: WatchPosition | undefined): void {
    if (this.#error !== undefined) throw this.#error;
    this.#noted = position;
    if (!this.#atWork) this.#writing = this.#write();
  }

  /** What was noted is on disk. @throws Failure */
  async flush(): Promise<void> {
    this.#hurry.abort();
    await this.#writing;
    this.#hurry = new AbortController();
    if (this.#error !== undefined) throw this.#error;
  }

  async #write(): Promise<void> {
    this.#atWork = true;
    try {
      for (let position = this.#noted; !same(position, this.#written); position = this.#noted) {
        if (position !== undefined) await this.#replace(position);
        this.#written = position;
        await after(PAUSE_MS, undefined, { signal: this.#hurry.signal }).catch(() => {});
      }
    } catch (error) {
      this.#error = error;
    }
    this.#atWork = false;
  }

  async #replace({ revision, events }: WatchPosition): Promise<void> {
    const storeId = JSON.stringify(this.#storeId);
    const place = `"revision":${revision},"events":${events}`;
    const text = `{"watch":${this.#selector},"storeId":${storeId},${place}}\n`;
    const file = await FileTarget.open(this.path, { durable: true, alone: true });
    let complete = false;
    try {
      await file.write(Buffer.from(text));
      complete = true;
    } finally {
      await file.close({ complete });
    }
  }
}

function same(one: WatchPosition | undefined, other: WatchPosition | undefined): boolean {
  return one?.revision === other?.revision && one?.events === other?.events;
}

/** Nothing when there is no such file yet; what `mktemp` makes is as good. */
async function contentOf(path: string): Promise<Uint8Array> {
  if (path === "" || path === "-") throw new UsageError("--checkpoint takes the path of a file");
  try {
    return await readInput(path);
  } catch (error) {
    const { cause } = error as Error;
    if (isFileError(cause) && cause.code === "ENOENT") return new Uint8Array(0);
    throw error;
  }
}

interface CheckpointForm extends WatchPosition {
  readonly storeId: string;
  readonly selector: unknown;
}

function formOf(path: string, bytes: Uint8Array): CheckpointForm {
  try {
    const { watch: selector, storeId, revision, events } = objectFromJson(bytes);
    if (typeof storeId === "string" && selector !== undefined) {
      if (isCount(revision) && isCount(events)) return { selector, storeId, revision, events };
    }
  } catch (error) {
    if (!(error instanceof FormError)) throw error;
  }
  const text = `${path} is not a checkpoint of kvctl watch; it was left as it is`;
  throw new Failure(EXIT.invalid, `${text}: give another file, or remove it to begin anew`);
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

/** `{"prefix": "kenya:"}`: as the flags have it, with bytes that are no text in base64. */
function selectorForm(selector: SelectorLike): object {
  if (typeof selector === "string" || selector instanceof Uint8Array) {
    return selectorForm({ key: selector });
  }
  const forms = Object.entries(selector).map(([name, value]) => {
    return value === true ? { [name]: true } : bytesForm(name, Buffer.from(value as string));
  });
  return Object.assign({}, ...forms);
}
