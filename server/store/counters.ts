// Work done, counted: what tests assert ("costs one seek", "yields") and Status shows.

export interface Counters {
  /** Keys looked at by reads. */
  entriesVisited: number;
  /** Places in the order of keys that reads jumped to. */
  seeks: number;
  /** Pieces of long work after each of which other calls had their turn. */
  slices: number;
  /** Changes that compaction has walked. */
  changesCompacted: number;
  /** Times a watch fell behind its queue and had to catch up from history. */
  watchersUnsynced: number;
}

export function newCounters(): Counters {
  return { entriesVisited: 0, seeks: 0, slices: 0, changesCompacted: 0, watchersUnsynced: 0 };
}
