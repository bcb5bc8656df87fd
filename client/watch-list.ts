// The present entries of a watch, listed page by page at the revision at which it was opened. The
// events after that revision come on the stream meanwhile.
//
// A listing of one revision goes on exactly where it stood, whatever happens to connections in
// between, as long as the revision is not compacted; and it waits for its consumer by itself. That
// the first page is of the right store is asked afterwards; the tokens of pages say it for others.

import type { RangeRequest } from "../gen/grpc/kvd/v1/kv.js";
import { Backoff, pause } from "./backoff.js";
import type { Calls } from "./calls.js";
import { KvdClientError } from "./errors.js";
import { RANGE } from "./kv.js";
import { STATUS } from "./maintenance.js";
import { rangeResult } from "./messages.js";
import { rangeRequest } from "./requests.js";
import { passes } from "./resumption.js";
import type { Entry } from "./types.js";

const PAGE_ENTRIES = 1_000;

export interface Listing {
  readonly selector: RangeRequest["selector"];
  readonly revision: number;
  readonly storeId: string;
  /** Wait for the server, however long that takes. */
  readonly patient: boolean;
  readonly signal: AbortSignal;
}

/**
 * Pages, none of them empty.
 *
 * @throws KvdClientError REVISION_COMPACTED, STORE_CHANGED.
 */
export async function* listedPages(
  calls: Calls,
  listing: Listing,
): AsyncGenerator<readonly Entry[], void> {
  const { selector, revision, signal } = listing;
  let pageToken: Uint8Array | undefined;
  let sameStore = false;
  do {
    const token = pageToken === undefined ? {} : { pageToken };
    const options = { revision, limit: PAGE_ENTRIES, ...token };
    const request = { ...rangeRequest({ all: true }, options), selector };
    const read = () => calls.unary(RANGE, request, { signal }, rangeResult);
    const page = await patiently(listing, read);
    if (!sameStore) await patiently(listing, () => checkStore(calls, listing));
    sameStore = true;
    if (page.entries.length > 0) yield page.entries;
    pageToken = page.nextPageToken;
  } while (pageToken !== undefined);
}

async function checkStore(calls: Calls, { storeId, signal }: Listing): Promise<void> {
  const present = await calls.unary(STATUS, {}, { signal }, (status) => status.storeId);
  if (present === storeId) return;
  const text = `the store is ${present}, not ${storeId}, whose revisions were watched`;
  const options = { reason: "STORE_CHANGED", details: { storeId: present } } as const;
  throw new KvdClientError("FAILED_PRECONDITION", text, options);
}

async function patiently<T>({ patient, signal }: Listing, read: () => Promise<T>): Promise<T> {
  const backoff = new Backoff();
  for (;;) {
    try {
      return await read();
    } catch (error) {
      if (!patient || signal.aborted || !(error instanceof KvdClientError)) throw error;
      if (!passes(error) && error.code !== "DEADLINE_EXCEEDED") throw error;
      await pause(backoff.nextMs(), [signal]);
    }
  }
}
