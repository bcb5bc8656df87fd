// A snapshot as it is read, into a store that is empty.

import type { Clock } from "../lib/clock.js";
import { ImageImport } from "../store/image-import.js";
import type { Store } from "../store/store.js";
import type { SnapshotSink } from "../wal/snapshot-reader.js";

/** Deadlines of leases are in running time: see Store.start(). */
export function imageSink(
  store: Store,
  clock: Clock,
  onRead: (bytes: number) => void = () => {},
): SnapshotSink {
  let image: ImageImport | undefined;
  return {
    begin(header) {
      image = new ImageImport(store, header);
      return image;
    },
    end() {
      image?.finish();
    },
    pause(bytes) {
      onRead(bytes);
      return clock.yieldTurn();
    },
  };
}
