// The range of a selector as text: what can be compared with < and looked up in maps.

import { boundsOfSelector, type Selector } from "../kv/selector.js";
import { latin1FromBytes } from "../lib/bytes.js";

/** A half-open range as latin1; end undefined: past the last key. */
export interface TextBounds {
  readonly start: string;
  readonly end: string | undefined;
}

export function textBoundsOfSelector(selector: Selector): TextBounds {
  const { start, end } = boundsOfSelector(selector);
  return {
    start: latin1FromBytes(start),
    end: end === undefined ? undefined : latin1FromBytes(end),
  };
}
