// A store's image as a source for a snapshot: slice by slice, with a turn for others after each.

import type { Clock } from "../lib/clock.js";
import type { ImageExport } from "../store/image-export.js";
import type { ImageSource } from "../wal/snapshot-writer.js";

/** What is looked at in one go: about a millisecond. */
const SLICE_VISITS = 500;

export function imageSource(image: ImageExport, clock: Clock): ImageSource {
  return {
    header: image.header,
    async next(target) {
      await clock.yieldTurn();
      return image.next(SLICE_VISITS, target);
    },
  };
}
