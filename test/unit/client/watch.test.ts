// Watches against a scripted server: who may iterate, how they end, what is missed (nothing). The
// server ends streams where a real one rarely would.

import test from "ava";
import { KvdClientError, type Watch, type WatchEvent } from "../../../client/index.js";
import {
  connectScript,
  created,
  multiWatch,
  puts,
  refusal,
  signalled,
  UNAVAILABLE,
} from "./scripted.js";

const shutDown = (metadata: Record<string, string> = {}) =>
  refusal(UNAVAILABLE, "SHUTTING_DOWN", metadata);

async function revisionsUntilTheEnd(watch: Watch): Promise<{ seen: number[]; error: unknown }> {
  const seen: number[] = [];
  try {
    for await (const event of watch) seen.push(event.revision);
  } catch (error) {
    return { seen, error };
  }
  return { seen, error: undefined };
}

test("a watch is opened by the call, so nothing is missed before the iteration", async (t) => {
  const kv = await connectScript(t, {
    kv: {
      multiWatch: multiWatch((call) => {
        call.write(created(10));
        call.write(puts([11, 12]));
      }),
    },
  });
  const watch = kv.watch("a");
  t.deepEqual(await watch.ready(), { revision: 10, storeId: "store" });
  const seen: WatchEvent[] = [];
  for await (const event of watch) {
    seen.push(event);
    if (seen.length === 2) break;
  }
  t.deepEqual(
    seen.map(({ revision }) => revision),
    [11, 12],
  );
  const [event] = seen;
  t.is(event?.type, "put");
  t.is(event?.key, "a");
  t.deepEqual(event?.keyBytes, Uint8Array.of(97));
  t.is(event?.commitTime.getTime(), 1_700_000_000_005);
});

test("steps tell everything in order, ready or not", async (t) => {
  const kv = await connectScript(t, {
    kv: {
      multiWatch: multiWatch((call) => {
        call.write(created(10));
        call.write(puts([11, 11], { fragment: true }));
        call.write(puts([11]));
        call.write({ revision: 15n, kind: undefined });
        call.write({ revision: 15n, kind: { $case: "progress", value: {} } });
      }),
    },
  });
  const watch = kv.watch("a");
  const kinds: string[] = [];
  for await (const step of watch.steps()) {
    kinds.push(
      step.kind === "events" ? `events ${step.events.length} ${step.fragment}` : step.kind,
    );
    if (step.kind === "progress") break;
  }
  t.deepEqual(kinds, ["created", "events 2 true", "events 1 false", "progress"]);
  t.is((await watch.ready()).revision, 10);
});

test("a watch that does not resume throws at its end, with the revision to go on from", async (t) => {
  const kv = await connectScript(t, {
    kv: {
      multiWatch: multiWatch((call) => {
        call.write(created(10));
        call.write(puts([11, 12]));
        call.endStream(shutDown({ resume_revision: "13" }));
      }),
    },
  });
  const { seen, error } = await revisionsUntilTheEnd(kv.watch("a", { resume: false }));
  t.true(error instanceof KvdClientError);
  const { code, reason, details } = error as KvdClientError;
  t.deepEqual([code, reason], ["UNAVAILABLE", "SHUTTING_DOWN"]);
  t.is(details.resumeRevision, (seen.at(-1) ?? 10) + 1);
});

test("what had arrived when the server stopped is given before the end is told", async (t) => {
  const total = 500;
  const kv = await connectScript(t, {
    kv: {
      multiWatch: multiWatch((call) => {
        call.write(created(1));
        for (let revision = 2; revision <= total; revision += 1) call.write(puts([revision]));
        call.endStream(shutDown({ resume_revision: String(total + 1) }));
      }),
    },
  });
  const watch = kv.watch("a", { resume: false });
  await watch.ready();
  // Meanwhile everything arrives, the status included, and nobody pulls.
  for (let round = 0; round < 200; round += 1) await kv.maintenance.status();
  const { seen, error } = await revisionsUntilTheEnd(watch);
  t.is(seen.length, total - 1);
  t.is((error as KvdClientError).details.resumeRevision, total + 1);
});

test("a watch that ends in the middle of a revision goes on at its beginning", async (t) => {
  const given = signalled();
  const kv = await connectScript(t, {
    kv: {
      multiWatch: multiWatch(async (call) => {
        call.write(created(10));
        call.write(puts([11, 12], { fragment: true }));
        await given.happened;
        call.endStream(shutDown());
      }),
    },
  });
  const iterator = kv.watch("a", { resume: false })[Symbol.asyncIterator]();
  await iterator.next();
  await iterator.next();
  given.settle();
  const error = await t.throwsAsync(iterator.next(), { instanceOf: KvdClientError });
  t.is(error?.details.resumeRevision, 12);
  t.true((await iterator.next()).done);
});

test("a watch that ends with OK still says that it ended", async (t) => {
  const kv = await connectScript(t, {
    kv: {
      multiWatch: multiWatch((call) => {
        call.write(created(10));
        call.stream.end();
      }),
    },
  });
  const { error } = await revisionsUntilTheEnd(kv.watch("a", { resume: false }));
  t.is((error as KvdClientError).code, "UNKNOWN");
  t.is((error as KvdClientError).details.resumeRevision, 11);
});

test("a refusal reaches ready() and the iteration alike", async (t) => {
  const kv = await connectScript(t, {
    kv: {
      multiWatch: multiWatch((call) => {
        call.endStream(refusal(3, "PREFIX_EMPTY"));
      }),
    },
  });
  const watch = kv.watch({ prefix: "" });
  const error = await t.throwsAsync(watch.ready(), { instanceOf: KvdClientError });
  t.is(error?.reason, "PREFIX_EMPTY");
  t.is((await revisionsUntilTheEnd(watch)).error, error);
});

test("a watch can be iterated over once", async (t) => {
  const kv = await connectScript(t, { kv: { multiWatch: () => {} } });
  const watch = kv.watch("a");
  watch.steps();
  t.throws(() => watch.steps(), { instanceOf: TypeError });
  t.throws(() => watch[Symbol.asyncIterator](), { instanceOf: TypeError });
});

type Ending = (watch: Watch, controller: AbortController) => unknown;

const endsOnTheServer = test.macro({
  async exec(t, end: Ending) {
    const canceled = signalled();
    const kv = await connectScript(t, {
      kv: {
        multiWatch: multiWatch((call) => {
          call.canceled.then(() => canceled.settle());
          call.write(created(10));
        }),
      },
    });
    const controller = new AbortController();
    const watch = kv.watch("a", { signal: controller.signal });
    await watch.ready();
    const iterated = revisionsUntilTheEnd(watch);
    await end(watch, controller);
    t.deepEqual(await iterated, { seen: [], error: undefined });
    await canceled.happened;
  },
  title: (title) => `${title} ends a waiting iteration quietly, and the watch on the server`,
});

test("close()", endsOnTheServer, (watch) => watch.close());
test("close(), twice", endsOnTheServer, (watch) => {
  watch.close();
  watch.close();
});
test("disposing", endsOnTheServer, (watch) => watch[Symbol.asyncDispose]());
test("the signal", endsOnTheServer, (_, controller) => controller.abort());

test("leaving the loop ends the watch on the server", async (t) => {
  const canceled = signalled();
  const kv = await connectScript(t, {
    kv: {
      multiWatch: multiWatch((call) => {
        call.canceled.then(() => canceled.settle());
        call.write(created(10));
        call.write(puts([11, 12, 13]));
      }),
    },
  });
  for await (const event of kv.watch("a")) {
    t.is(event.revision, 11);
    break;
  }
  await canceled.happened;
});

test("an iterator that is returned while its next() waits is over at once", async (t) => {
  const kv = await connectScript(t, {
    kv: { multiWatch: multiWatch((call) => call.write(created(1))) },
  });
  const iterator = kv.watch("a")[Symbol.asyncIterator]();
  const waiting = iterator.next();
  await iterator.return?.();
  t.true((await waiting).done);
});

test("a watch whose signal is aborted before it is never opened", async (t) => {
  let opened = 0;
  const kv = await connectScript(t, {
    kv: {
      multiWatch() {
        opened += 1;
      },
    },
  });
  const reason = new Error("no more");
  const watch = kv.watch("a", { signal: AbortSignal.abort(reason) });
  t.deepEqual(await revisionsUntilTheEnd(watch), { seen: [], error: undefined });
  const error = await t.throwsAsync(watch.ready(), { instanceOf: KvdClientError });
  t.is(error?.code, "CANCELLED");
  t.is(error?.cause, reason);
  await kv.maintenance.status();
  t.is(opened, 0);
});

test("closing the client ends its watches, also those that nobody iterates over", async (t) => {
  const canceled = [signalled(), signalled()];
  let opened = 0;
  const kv = await connectScript(t, {
    kv: {
      multiWatch: multiWatch((call) => {
        const mine = canceled[opened++];
        call.canceled.then(() => mine?.settle());
        call.write(created(10));
      }),
    },
  });
  const iterated = revisionsUntilTheEnd(kv.watch("a"));
  const idle = kv.watch("b");
  await idle.ready();
  await kv.close();
  t.deepEqual(await iterated, { seen: [], error: undefined });
  await Promise.all(canceled.map(({ happened }) => happened));
});

test("a selector that is none throws where the watch is asked for", async (t) => {
  const kv = await connectScript(t, {});
  t.throws(() => kv.watch({}), { instanceOf: TypeError });
});

test("a watch whose consumer is behind is closed on the server, and goes on later", async (t) => {
  const total = 2000;
  const value = new Uint8Array(16 * 1024);
  const starts: number[] = [];
  let closed = 0;
  const kv = await connectScript(t, {
    kv: {
      multiWatch: multiWatch(async (call, opened) => {
        let isOpen = true;
        call.canceled.then(() => {
          isOpen = false;
          closed += 1;
        });
        const { startRevision } = call.request;
        starts.push(Number(startRevision));
        call.write(created(opened === 0 ? 1 : total));
        for (let next = Number(startRevision) || 2; isOpen && next <= total; next += 1) {
          if (!call.write(puts([next], { value }))) await call.drained();
        }
      }),
    },
  });
  const watch = kv.watch("a");
  await watch.ready();
  while (closed === 0) await kv.maintenance.status();
  t.deepEqual(starts, [0]);
  let expected = 2;
  for await (const event of watch) {
    if (event.revision !== expected) t.fail(`${event.revision} came instead of ${expected}`);
    if (event.revision === total) break;
    expected += 1;
    if (expected % 10 === 0) await kv.maintenance.status();
  }
  t.is(expected, total);
  t.true(starts.length >= 2 && starts.length < total / 8, `${starts.length} times`);
});
