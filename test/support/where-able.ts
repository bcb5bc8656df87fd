// Tests that need more of the machine than Node: without it they are left out, under a title that
// says so. CI takes no left out test.

import test from "ava";

/** `test`, or one that is not run for want of something, by name. */
export function whereAble(want: string | undefined) {
  return {
    declare: want === undefined ? test : test.skip,
    note: want === undefined ? "" : `NOT RUN, for want of ${want}: `,
  };
}
