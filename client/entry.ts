// Entries and keys as callers get them, from the messages that carry them. They own nothing: bytes
// are views of the received message, and what a caller may never ask for is made when it does.

import type { Key as KeyMessage, KeyValue } from "../gen/grpc/kvd/v1/watch.js";
import { KvdClientError } from "./errors.js";
import { numberFromInt64 } from "./numbers.js";
import { shownText, textFromUtf8, utf8FromText } from "./text.js";
import type { Entry } from "./types.js";

/** A key in both its forms; the one that did not come over the wire is made when asked for. */
export class ReceivedKey {
  readonly key: string;
  readonly #raw: Uint8Array | undefined;

  /** @throws KvdClientError INTERNAL when the server left the key out. */
  constructor(form: KeyMessage["keyForm"]) {
    if (form === undefined) throw new KvdClientError("INTERNAL", "the server left a key out");
    this.key = form.$case === "key" ? form.value : shownText(form.value);
    this.#raw = form.$case === "key" ? undefined : form.value;
  }

  get keyBytes(): Uint8Array {
    return this.#raw ?? utf8FromText(this.key, "the key");
  }
}

/** An entry; its bytes are views of the received message. */
export class ReceivedEntry extends ReceivedKey implements Entry {
  readonly bytes: Uint8Array;
  readonly createRevision: number;
  readonly modRevision: number;
  readonly version: number;
  readonly leaseId: bigint;

  constructor(kv: KeyValue) {
    super(kv.keyForm);
    this.bytes = kv.value;
    this.createRevision = numberFromInt64(kv.createRevision, "create_revision");
    this.modRevision = numberFromInt64(kv.modRevision, "mod_revision");
    this.version = numberFromInt64(kv.version, "version");
    this.leaseId = kv.leaseId;
  }

  text(): string {
    return textFromUtf8(this.bytes);
  }

  json(): unknown {
    return JSON.parse(this.text());
  }
}

export function entryFromMessage(kv: KeyValue): Entry {
  return new ReceivedEntry(kv);
}

export function optionalEntry(kv: KeyValue | undefined): Entry | undefined {
  return kv === undefined ? undefined : new ReceivedEntry(kv);
}
