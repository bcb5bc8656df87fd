// Listings: pages of one revision, in the order of the keys' bytes, until a limit or their end.

import type { Entry, Kvd, RangeOptions, RangeResult, SelectorLike } from "../index.js";
import { defined } from "./defined.js";
import type { Flags } from "./flags.js";
import { AT_OPTION } from "./history/moment.js";
import type { OptionDefinition } from "./option.js";

export const LISTING_OPTIONS: readonly OptionDefinition[] = [
  { flags: "--rev <revision>", description: "as it was at this revision" },
  AT_OPTION,
  { flags: "--limit <count>", description: "at most this many; 0: all" },
  { flags: "--reverse", description: "the highest key first" },
];

export const KEYS_ONLY: OptionDefinition = {
  flags: "--keys-only",
  description: "leave the values out",
};

export interface Listing {
  readonly selector: SelectorLike;
  readonly options: Omit<RangeOptions, "limit" | "pageToken">;
  /** Rows in all; 0: no limit. */
  readonly limit: number;
}

/** The options of LISTING_OPTIONS and KEYS_ONLY; revisionFrom() knows what --at means. */
export function listingFrom(
  selector: SelectorLike,
  flags: Flags,
  more: {
    /** Of --at; without it, that of --rev. */
    readonly revision?: number | undefined;
    readonly delimiter?: string;
    readonly keysOnly?: boolean;
    readonly signal: AbortSignal;
  },
): Listing {
  const options = defined({
    revision: more.revision ?? flags.number("rev"),
    order: flags.on("reverse") ? ("descending" as const) : undefined,
    keysOnly: more.keysOnly === true || flags.on("keys-only") ? true : undefined,
    delimiter: more.delimiter,
    signal: more.signal,
  });
  return { selector, options, limit: flags.number("limit") ?? 0 };
}

/**
 * Page after page. Each is asked for when the one before is done with, so one is held at a time.
 */
export async function* pages(
  kv: Pick<Kvd, "range">,
  listing: Listing,
): AsyncGenerator<RangeResult> {
  let left = listing.limit === 0 ? Number.POSITIVE_INFINITY : listing.limit;
  let pageToken: Uint8Array | undefined;
  do {
    const limit = Number.isFinite(left) ? left : undefined;
    const options = { ...listing.options, ...defined({ limit, pageToken }) };
    const page = await kv.range(listing.selector, options);
    yield page;
    left -= page.entries.length + page.commonPrefixes.length;
    pageToken = page.nextPageToken;
  } while (pageToken !== undefined && left > 0);
}

/** A row of a listing: an entry, or a folded prefix. */
export type ListingRow =
  | { readonly kind: "entry"; readonly entry: Entry }
  | { readonly kind: "prefix"; readonly prefix: Uint8Array };

/** The entries and the folded prefixes of a page as one list, in the order asked for. */
export function* rowsOfPage(page: RangeResult, reverse: boolean): Generator<ListingRow> {
  const { entries, commonPrefixBytes: prefixes } = page;
  let next = 0;
  for (const entry of entries) {
    for (; next < prefixes.length; next += 1) {
      const prefix = prefixes[next] as Uint8Array;
      const order = Buffer.compare(prefix, entry.keyBytes);
      if (reverse ? order < 0 : order > 0) break;
      yield { kind: "prefix", prefix };
    }
    yield { kind: "entry", entry };
  }
  for (const prefix of prefixes.slice(next)) yield { kind: "prefix", prefix };
}
