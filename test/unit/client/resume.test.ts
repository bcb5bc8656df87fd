// Watches that go on by themselves, against a scripted server: from where, in which store, after
// which ends, and what of it their consumer sees.

import test from "ava";
import {
  KvdClientError,
  type Watch,
  type WatchEvent,
  type WatchStep,
} from "../../../client/index.js";
import { ErrorReason } from "../../../gen/grpc/kvd/v1/error.js";
import { type RangeRequest, RangeResponse } from "../../../gen/grpc/kvd/v1/kv.js";
import { StatusResponse } from "../../../gen/grpc/kvd/v1/maintenance.js";
import {
  connectScript,
  created,
  multiWatch,
  puts,
  putsOf,
  refusal,
  signalled,
  UNAVAILABLE,
  type Unary,
  type WatchCall,
} from "./scripted.js";

const cut = (call: WatchCall) => call.endStream(refusal(UNAVAILABLE, "SHUTTING_DOWN"));
const compacted = (call: WatchCall, revision: number) =>
  call.end(ErrorReason.REVISION_COMPACTED, { compact_revision: String(revision) });

async function take(count: number, watch: Watch): Promise<WatchEvent[]> {
  const events: WatchEvent[] = [];
  for await (const event of watch) {
    events.push(event);
    if (events.length === count) break;
  }
  return events;
}

/** Steps in short: `events a11 a12+`, a + where a revision goes on; up to the last. */
async function shown(watch: Watch, last: string): Promise<string[]> {
  const seen: string[] = [];
  for await (const step of watch.steps()) {
    seen.push(shownStep(step));
    if (seen.at(-1) === last) break;
  }
  return seen;
}

function shownStep(step: WatchStep): string {
  switch (step.kind) {
    case "events": {
      const events = step.events.map(({ key, revision }) => `${key}${revision}`);
      return `events ${events.join(" ")}${step.fragment ? "+" : ""}`;
    }
    case "current":
      return `current ${step.revision} ${step.entries.map(({ key }) => key).join(" ")}`;
    default:
      return `${step.kind} ${step.revision}`;
  }
}

/** What the client asked for, of each opening. */
interface Asked {
  readonly startRevision: number;
  readonly storeId: string;
}
const askedOf = ({ request }: WatchCall): Asked => ({
  startRevision: Number(request.startRevision),
  storeId: request.storeId,
});

test("a watch goes on after its last revision, in its store, without a second created", async (t) => {
  const asked: Asked[] = [];
  const kv = await connectScript(t, {
    kv: {
      multiWatch: multiWatch((call, opened) => {
        asked.push(askedOf(call));
        call.write(created(10 + 10 * opened));
        call.write(puts([11 + 2 * opened, 12 + 2 * opened]));
        if (opened < 3) cut(call);
      }),
    },
  });
  const watch = kv.watch("a");
  t.deepEqual(await shown(watch, "events a17 a18"), [
    "created 10",
    "events a11 a12",
    "events a13 a14",
    "events a15 a16",
    "events a17 a18",
  ]);
  t.deepEqual(asked, [
    { startRevision: 0, storeId: "" },
    { startRevision: 13, storeId: "store" },
    { startRevision: 15, storeId: "store" },
    { startRevision: 17, storeId: "store" },
  ]);
  t.deepEqual(await watch.ready(), { revision: 10, storeId: "store" });
});

test("a watch that saw nothing goes on after the revision at which it was open", async (t) => {
  const asked: Asked[] = [];
  const kv = await connectScript(t, {
    kv: {
      multiWatch: multiWatch((call, opened) => {
        asked.push(askedOf(call));
        call.write(created(10 + opened * 5));
        if (opened === 0) call.stream.write({ id: 99n, step: undefined }, () => cut(call));
        else call.write(puts([11]));
      }),
    },
  });
  const [event] = await take(1, kv.watch("a"));
  t.is(event?.revision, 11);
  t.deepEqual(
    asked.map(({ startRevision }) => startRevision),
    [0, 11],
  );
});

test("a revision that is cut between its fragments comes whole, each event once", async (t) => {
  const asked: number[] = [];
  const kv = await connectScript(t, {
    kv: {
      multiWatch: multiWatch((call, opened) => {
        asked.push(Number(call.request.startRevision));
        call.write(created(10));
        if (opened === 0) {
          call.write(putsOf(11, ["a", "b", "c"], { fragment: true }));
          call.write(putsOf(11, ["d"], { fragment: true }));
        } else if (opened === 1) {
          // Cut in other places, and cut once more.
          call.write(putsOf(11, ["a", "b"], { fragment: true }));
          call.write(putsOf(11, ["c", "d", "e"], { fragment: true }));
        } else {
          call.write(putsOf(11, ["a", "b", "c", "d", "e", "f"]));
          call.write(putsOf(12, ["g"]));
          return;
        }
        cut(call);
      }),
    },
  });
  t.deepEqual(await shown(kv.watch("a"), "events g12"), [
    "created 10",
    "events a11 b11 c11+",
    "events d11+",
    "events e11+",
    "events f11",
    "events g12",
  ]);
  t.deepEqual(asked, [0, 11, 11]);
});

for (const reason of ["SHUTTING_DOWN", "WATCHER_TOO_SLOW", "TOO_MANY_WATCHERS"] as const) {
  test(`a watch that was open goes on after ${reason}`, async (t) => {
    const kv = await connectScript(t, {
      kv: {
        multiWatch: multiWatch((call, opened) => {
          if (opened !== 1) call.write(created(10));
          if (opened < 2) call.end(ErrorReason[reason], { resume_revision: "11" });
          else call.write(puts([11]));
        }),
      },
    });
    t.is((await take(1, kv.watch("a")))[0]?.revision, 11);
  });
}

test("a watch tells of a break once, until it is open again", async (t) => {
  const breaks: string[] = [];
  const kv = await connectScript(t, {
    kv: {
      multiWatch: multiWatch((call, opened) => {
        if (opened === 1 || opened === 2) return cut(call);
        call.write(created(10 + opened));
        call.write(puts([11 + opened]), () => opened < 4 && cut(call));
      }),
    },
  });
  const watch = kv.watch("a", { onBreak: ({ code }) => breaks.push(code) });
  const events = await take(3, watch);
  t.is(events.length, 3);
  t.deepEqual(breaks, ["UNAVAILABLE", "UNAVAILABLE"]);
});

test("a watch never goes on in another store", async (t) => {
  let opened = 0;
  const kv = await connectScript(t, {
    kv: {
      multiWatch: multiWatch((call, before) => {
        opened += 1;
        call.write(created(10, before === 0 ? "store" : "other"));
        call.write(puts([11 + before]));
        if (before === 0) cut(call);
      }),
    },
  });
  const seen: number[] = [];
  const watch = kv.watch("a");
  const error = await t.throwsAsync(
    async () => {
      for await (const { revision } of watch) seen.push(revision);
    },
    { instanceOf: KvdClientError },
  );
  t.deepEqual([error?.code, error?.reason], ["FAILED_PRECONDITION", "STORE_CHANGED"]);
  t.is(error?.details.storeId, "other");
  t.is(error?.details.resumeRevision, undefined);
  t.deepEqual(seen, [11]);
  t.is(opened, 2);
});

test("a refusal ends a watch that goes on", async (t) => {
  const kv = await connectScript(t, {
    kv: {
      multiWatch: multiWatch((call, opened) => {
        if (opened === 0) call.write(created(10), () => cut(call));
        else call.end(ErrorReason.KEY_TOO_LONG);
      }),
    },
  });
  const error = await t.throwsAsync<KvdClientError>(take(1, kv.watch("a")));
  t.deepEqual([error?.code, error?.reason], ["INVALID_ARGUMENT", "KEY_TOO_LONG"]);
  t.is(error?.details.resumeRevision, 11);
});

test("a watch that ends oddly again and again says so at last", async (t) => {
  let opened = 0;
  const kv = await connectScript(t, {
    kv: {
      multiWatch: multiWatch((call) => {
        opened += 1;
        call.write(created(10));
        call.stream.end();
      }),
    },
  });
  const error = await t.throwsAsync<KvdClientError>(take(1, kv.watch("a")));
  t.is(error?.code, "UNKNOWN");
  t.is(opened, 6);
});

test("a watch that was not told anything yet is refused at once", async (t) => {
  const kv = await connectScript(t, {
    kv: { multiWatch: multiWatch((call) => call.end(ErrorReason.TOO_MANY_WATCHERS)) },
  });
  const watch = kv.watch("a");
  const error = await t.throwsAsync(watch.ready(), { instanceOf: KvdClientError });
  t.is(error?.reason, "TOO_MANY_WATCHERS");
  t.is(await t.throwsAsync(take(1, watch)), error);
});

test("a watch that waits to go on ends quietly with its signal", async (t) => {
  const isOut = signalled();
  const kv = await connectScript(t, {
    kv: {
      multiWatch: multiWatch((call, opened) => {
        call.write(created(10));
        cut(call);
        if (opened === 4) isOut.settle();
      }),
    },
  });
  const controller = new AbortController();
  const iterated = take(1, kv.watch("a", { signal: controller.signal }));
  await isOut.happened;
  controller.abort();
  t.deepEqual(await iterated, []);
});

test("history that is gone is thrown, with the compact revision", async (t) => {
  const kv = await connectScript(t, {
    kv: {
      multiWatch: multiWatch((call, opened) => {
        call.write(created(10));
        if (opened > 0) return compacted(call, 50);
        call.write(puts([11]));
        cut(call);
      }),
    },
  });
  const seen: number[] = [];
  const error = await t.throwsAsync(
    async () => {
      for await (const { revision } of kv.watch("a")) seen.push(revision);
    },
    { instanceOf: KvdClientError },
  );
  t.is(error?.reason, "REVISION_COMPACTED");
  t.is(error?.details.compactRevision, 50);
  t.deepEqual(seen, [11]);
});

/** Pages of one key each; which of them are refused because their revision is compacted. */
function listing(refuses: (page: number) => boolean) {
  const asked: number[] = [];
  const keys = ["a", "b"];
  const range: Unary<RangeRequest, RangeResponse> = (call, answer) => {
    const { revision, pageToken } = call.request;
    asked.push(Number(revision));
    if (refuses(asked.length - 1)) return answer(refusal(11, "REVISION_COMPACTED"));
    const index = pageToken[0] ?? 0;
    const keyForm = { $case: "key", value: keys[index] ?? "" } as const;
    const nextPageToken = index + 1 < keys.length ? Uint8Array.of(index + 1) : new Uint8Array(0);
    answer(null, RangeResponse.fromPartial({ revision, kvs: [{ keyForm }], nextPageToken }));
  };
  const status: Unary<unknown, StatusResponse> = (_, answer) =>
    answer(null, StatusResponse.fromPartial({ storeId: "store", revision: 1n }));
  return { asked, range, maintenance: { status } };
}

test("with relist, history that is gone becomes the present entries, marked as such", async (t) => {
  const { asked, range, maintenance } = listing(() => false);
  const kv = await connectScript(t, {
    maintenance,
    kv: {
      range,
      multiWatch: multiWatch((call, opened) => {
        call.write(created(10 + 50 * opened));
        if (opened === 0) {
          call.write(putsOf(11, ["a"]));
          cut(call);
        } else if (opened === 1) {
          compacted(call, 50);
        } else {
          call.write(putsOf(111, ["c"]));
        }
      }),
    },
  });
  t.deepEqual(await shown(kv.watch({ all: true }, { relist: true }), "events c111"), [
    "created 10",
    "events a11",
    "relist 110",
    "current 110 a",
    "current 110 b",
    "synced 110",
    "events c111",
  ]);
  t.deepEqual(asked, [110, 110]);
});

test("a watch from compacted history with relist begins with the present entries", async (t) => {
  const { range, maintenance } = listing(() => false);
  const kv = await connectScript(t, {
    maintenance,
    kv: {
      range,
      multiWatch: multiWatch((call, opened) => {
        call.write(created(10));
        if (opened === 0) compacted(call, 9);
      }),
    },
  });
  const watch = kv.watch({ all: true }, { startRevision: 3, relist: true });
  t.deepEqual(await shown(watch, "synced 10"), [
    "created 10",
    "relist 10",
    "current 10 a",
    "current 10 b",
    "synced 10",
  ]);
});

test("a watch with relist tells more than events, and refuses to tell less", async (t) => {
  const kv = await connectScript(t, {});
  const watch = kv.watch("a", { relist: true });
  t.throws(() => watch[Symbol.asyncIterator](), { instanceOf: TypeError });
  watch.close();
});

test("present entries go on where they were when the stream breaks among them", async (t) => {
  const { asked, range, maintenance } = listing(() => false);
  const call = signalled<WatchCall>();
  const starts: number[] = [];
  const kv = await connectScript(t, {
    maintenance,
    kv: {
      range,
      multiWatch: multiWatch((opened, before) => {
        starts.push(Number(opened.request.startRevision));
        opened.write(created(10 + before * 5));
        if (before === 0) call.settle(opened);
        else opened.write(putsOf(11, ["c"]));
      }),
    },
  });
  const seen: string[] = [];
  for await (const step of kv.watch({ all: true }, { includeCurrent: true }).steps()) {
    seen.push(shownStep(step));
    if (seen.length === 2) cut(await call.happened);
    if (step.kind === "events") break;
  }
  t.deepEqual(seen, ["created 10", "current 10 a", "current 10 b", "synced 10", "events c11"]);
  t.deepEqual(asked, [10, 10]);
  t.deepEqual(starts, [0, 11]);
});

/** A watch whose listing finds its revision compacted at this page. */
function compactedAt(refused: number) {
  const { range, maintenance } = listing((page) => page === refused);
  const script = multiWatch((call, opened) => call.write(created(10 + opened)));
  return { maintenance, kv: { range, multiWatch: script } };
}

test("present entries of which none was given are listed at a later revision", async (t) => {
  const kv = await connectScript(t, compactedAt(0));
  const watch = kv.watch({ all: true }, { includeCurrent: true });
  t.deepEqual(await shown(watch, "synced 11"), [
    "created 10",
    "current 11 a",
    "current 11 b",
    "synced 11",
  ]);
});

test("present entries of which some were given are not begun anew without a word", async (t) => {
  const kv = await connectScript(t, compactedAt(1));
  const watch = kv.watch({ all: true }, { includeCurrent: true });
  const seen: string[] = [];
  const error = await t.throwsAsync(
    async () => {
      for await (const step of watch.steps()) seen.push(shownStep(step));
    },
    { instanceOf: KvdClientError },
  );
  t.deepEqual(seen, ["created 10", "current 10 a"]);
  t.is(error?.reason, "REVISION_COMPACTED");
  t.is(error?.details.resumeRevision, undefined);
});

test("with relist, present entries that broke off come anew after the mark", async (t) => {
  const kv = await connectScript(t, compactedAt(1));
  const watch = kv.watch({ all: true }, { includeCurrent: true, relist: true });
  t.deepEqual(await shown(watch, "synced 11"), [
    "created 10",
    "current 10 a",
    "relist 11",
    "current 11 a",
    "current 11 b",
    "synced 11",
  ]);
});

test("present entries of another store are never given", async (t) => {
  const { range } = listing(() => false);
  const status: Unary<unknown, StatusResponse> = (_, answer) =>
    answer(null, StatusResponse.fromPartial({ storeId: "other", revision: 1n }));
  const script = multiWatch((call) => call.write(created(10)));
  const kv = await connectScript(t, { maintenance: { status }, kv: { range, multiWatch: script } });
  const watch = kv.watch({ all: true }, { includeCurrent: true });
  const error = await t.throwsAsync<KvdClientError>(shown(watch, "synced 10"));
  t.is(error?.reason, "STORE_CHANGED");
  t.is(error?.details.storeId, "other");
});

test("many watches share a stream, up to a thousand", async (t) => {
  let streams = 0;
  const script = multiWatch((call) => call.write(created(10)));
  const kv = await connectScript(t, {
    kv: {
      multiWatch(stream: Parameters<typeof script>[0]) {
        streams += 1;
        script(stream);
      },
    },
  });
  const watches = Array.from({ length: 1000 }, () => kv.watch("a"));
  await Promise.all(watches.map((watch) => watch.ready()));
  t.is(streams, 1);
  await kv.watch("a").ready();
  t.is(streams, 2);
});

test("a message above responseMaxBytes ends its watch, and no other on the stream", async (t) => {
  const isTold = signalled();
  const kv = await connectScript(
    t,
    {
      kv: {
        multiWatch: multiWatch(async (call, opened) => {
          call.write(created(10));
          if (opened === 0) call.write(puts([11], { value: new Uint8Array(2000) }));
          else await isTold.happened.then(() => call.write(puts([11])));
        }),
      },
    },
    { responseMaxBytes: 1000 },
  );
  const [large, small] = [kv.watch("a"), kv.watch("a")];
  const error = await t.throwsAsync<KvdClientError>(take(1, large));
  t.is(error?.code, "RESOURCE_EXHAUSTED");
  t.is(error?.details.resumeRevision, 11);
  isTold.settle();
  t.is((await take(1, small)).length, 1);
});

test("an answer that makes no sense ends its watch, and no other on the stream", async (t) => {
  const isTold = signalled();
  const kv = await connectScript(t, {
    kv: {
      multiWatch: multiWatch(async (call, opened) => {
        call.write(created(10));
        if (opened === 0) call.write({ revision: 2n ** 60n, kind: created(1).kind });
        else await isTold.happened.then(() => call.write(puts([11])));
      }),
    },
  });
  const [strange, sound] = [kv.watch("a"), kv.watch("a")];
  t.is((await t.throwsAsync<KvdClientError>(take(1, strange)))?.code, "INTERNAL");
  isTold.settle();
  t.is((await take(1, sound)).length, 1);
});
