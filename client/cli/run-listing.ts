// Runs a listing to its end: what `range`, `ls` and `get --prefix` share.

import type { Invocation } from "./command.js";
import { EXIT, type ExitCode } from "./exit-codes.js";
import { type Listing, pages, rowsOfPage } from "./listing.js";
import { type RowOptions, rowWriter } from "./rows.js";

/** Nothing there is an empty answer, and exit 0: the question was not about one key. */
export async function runListing(
  invocation: Invocation,
  listing: Listing,
  options: RowOptions,
): Promise<ExitCode> {
  const { output } = invocation;
  const kv = await invocation.connect();
  const writer = rowWriter(output, options);
  const reverse = listing.options.order === "descending";
  let revision = 0;
  let more = false;
  for await (const page of pages(kv, listing)) {
    for (const row of rowsOfPage(page, reverse)) await writer.row(row);
    ({ revision, more } = page);
  }
  await writer.end({ revision, more });
  return EXIT.ok;
}
