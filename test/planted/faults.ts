// Faults that a change could bring in without being noticed in review, each in one place.

export interface Fault {
  readonly name: string;
  readonly file: string;
  /** Stands in the file exactly once. */
  readonly from: string;
  readonly to: string;
}

export const FAULTS: readonly Fault[] = [
  {
    name: "the end of a prefix is off by one",
    file: "server/kv/selector.ts",
    from: "end[length - 1] = (end[length - 1] ?? 0) + 1;",
    to: "end[length - 1] = (end[length - 1] ?? 0) + 2;",
  },
  {
    name: "a later page reads a newer revision",
    file: "server/rpc/commands.ts",
    from: "return { ...query, revision: token.revision, resume: token.resume };",
    to: "return { ...query, resume: token.resume };",
  },
  {
    name: "compares of a nested txn run after the first operation",
    file: "server/store/txn-choice.ts",
    from: "return { succeeded, operations, nested };",
    to: `const late = {
      get(index: number) {
        const operation = operations[index];
        if (operation?.kind !== "txn") return undefined;
        return chooseBranches(operation.txn, keys, visits, Number.POSITIVE_INFINITY);
      },
    };
    return { succeeded, operations, nested: late as typeof nested };`,
  },
  {
    name: "a key that changes its lease is not detached from the old one",
    file: "server/store/commit-builder.ts",
    from: "lease?.keys.delete(id);",
    to: "lease?.keys.has(id);",
  },
  {
    name: "a watch that has caught up skips the last revision",
    file: "server/store/watch.ts",
    from: "if (phase.next > published) this.#becomeSynced();",
    to: "if (phase.next >= published) this.#becomeSynced();",
  },
  {
    name: "the end of a lease reuses the revision before it",
    file: "server/store/journal.ts",
    from: "new CommitBuilder(keys, lessor, this.#revision + 1);",
    to: "new CommitBuilder(keys, lessor, this.#revision + (ending ? 0 : 1));",
  },
  {
    name: "a fragment of a revision is not marked",
    file: "server/store/events-message.ts",
    from: "this.#fragment = true;",
    to: "this.#fragment = false;",
  },
  {
    name: "the previous entry of an event is of an older revision",
    file: "server/store/change.ts",
    from: "const previous = rows.previousOf(row);",
    to: "const previous = rows.previousOf(rows.previousOf(row) || row);",
  },
  {
    name: "compaction drops the tombstone of its own revision",
    file: "server/store/key-space.ts",
    from: "if (rows.isPut(row) || revision >= this.floor) return;",
    to: "if (rows.isPut(row) || revision > this.floor) return;",
  },
  {
    name: "a key that comes back is passed over with the dead ones around it",
    file: "server/store/key-space.ts",
    from: "else if (previous !== NO_ROW) this.#table.revive(row);",
    to: "",
  },
  {
    name: "a row that has moved is not found from the row behind it",
    file: "server/store/key-space.ts",
    from: "rows.setPrevious(rowAbove(rows, newest, revision - 1), moved)",
    to: "rows.setPrevious(moved, revision < 0 ? moved : NO_ROW)",
  },
  {
    name: "rows go on in the segment of a long row that was taken back",
    file: "server/store/rows.ts",
    from: "if (used + length <= bytes.length && bytes.length <= this.#segmentBytes) return index;",
    to: "if (used + length <= bytes.length) return index;",
  },
  {
    name: "memory that was given out is written again",
    file: "server/store/rows.ts",
    from: "    this.segments[index] = NO_SEGMENT;",
    to: "    (this.segments[index] ?? NO_SEGMENT).bytes.fill(0);",
  },
  {
    name: "what waits in the queue of a watch are views of the store",
    file: "server/store/commit.ts",
    from: "this.at(place).copy());",
    to: "this.at(place));",
  },
  {
    name: "the queue of a watch is not bounded",
    file: "server/store/hub.ts",
    from: "if (watch.queuedBytes + bytes > watcherQueueMaxBytes) {",
    to: "if (watch.queuedBytes + bytes > Number.POSITIVE_INFINITY) {",
  },
  {
    name: "the log is not synced",
    file: "server/wal/segment-writer.ts",
    from: 'if (this.#options.fsync === "always") await certain(this.#file.sync());',
    to: 'if (this.#options.fsync === "always") await Promise.resolve();',
  },
  {
    name: "a write is answered before it is synced",
    file: "server/wal/segment-writer.ts",
    from: 'if (this.#options.fsync === "always") await certain(this.#file.sync());',
    to: 'if (this.#options.fsync === "always") this.#file.sync().catch(() => {});',
  },
  {
    name: "the folder is not synced after a rename",
    file: "server/wal/folder.ts",
    from: `await certain(this.#files.rename(this.pathOf(from), this.pathOf(to)));
    await this.sync();`,
    to: "await certain(this.#files.rename(this.pathOf(from), this.pathOf(to)));",
  },
  {
    name: "the folder is not synced after a removal",
    file: "server/wal/folder.ts",
    from: "if (names.length > 0) await this.sync();",
    to: "",
  },
  {
    name: "what a killed process left is shown before it is synced",
    file: "server/engines/saved-store.ts",
    from: "if (data.clean === undefined) await settle(data, recovered.log);",
    to: "if (data.clean?.length === 0) await settle(data, recovered.log);",
  },
  {
    name: "a hole in the log counts as its end",
    file: "server/wal/log-reader.ts",
    from: "if (view.getUint32(at + HEAD.unsynced, true) < at) return at;",
    to: "",
  },
  {
    name: "the end of the log is not asked for after a clean stop",
    file: "server/engines/recovery.ts",
    from: "if (clean === undefined) return;",
    to: "if (clean === undefined || clean.segment > 0) return;",
  },
  {
    name: "a stream sends beyond its window",
    file: "server/http2/sender.ts",
    from: "return Math.min(this.#window, stream.sendWindow, this.#frameMaxBytes);",
    to: "return Math.min(this.#window, this.#frameMaxBytes);",
  },
  {
    name: "the end of an answer overtakes its data",
    file: "server/http2/stream.ts",
    from: "if (!this.isWaiting) this.#end();",
    to: "this.#end();",
  },
  {
    name: "a call that is paused gets more room",
    file: "server/grpc/streaming-call.ts",
    from: "if (this.stream.isPaused && !this.#isPaused && !this.#isEnding) this.stream.resume();",
    to: "if (!this.#isEnding) this.stream.resume();",
  },
];
