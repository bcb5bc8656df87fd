// Gets, puts, deletes and revisions.

import {
  all,
  bytes,
  deleteOf,
  interval,
  keysOf,
  one,
  prefix,
  put,
  putOf,
  rangeOf,
  refused,
  type Suite,
  text,
  valueAt,
} from "../suite.js";

export const kvSuite: Suite = (test, open) => {
  test("an empty store is at revision 1 and every change adds one", async (t) => {
    const { engine } = await open(t);
    t.is((await engine.get({ key: bytes("a"), revision: 0 })).revision, 1);
    t.is(await put(engine, "a"), 2);
    t.is(await put(engine, "a"), 3);
    t.is((await engine.delete(deleteOf(one("a")))).revision, 4);
  });

  test("an absent key is an answer without an entry", async (t) => {
    const { engine } = await open(t);
    t.is((await engine.get({ key: bytes("a"), revision: 0 })).entry, undefined);
  });

  test("an entry tells its creation, its last change and how many there were", async (t) => {
    const { engine } = await open(t);
    await put(engine, "a", "1");
    await put(engine, "other");
    await put(engine, "a", "2");
    const { entry } = await engine.get({ key: bytes("a"), revision: 0 });
    t.deepEqual(
      { ...entry, key: text(entry?.key), value: text(entry?.value) },
      { key: "a", value: "2", createRevision: 2, modRevision: 4, version: 2, leaseId: 0n },
    );
  });

  test("a delete ends an entry, and a new put begins at version 1", async (t) => {
    const { engine } = await open(t);
    await put(engine, "a");
    await put(engine, "a");
    await engine.delete(deleteOf(one("a")));
    await put(engine, "a");
    const { entry } = await engine.get({ key: bytes("a"), revision: 0 });
    t.is(entry?.version, 1);
    t.is(entry?.createRevision, 5);
  });

  test("the same value again is a new revision and version", async (t) => {
    const { engine } = await open(t);
    await put(engine, "a", "x");
    t.is(await put(engine, "a", "x"), 3);
    t.is((await engine.get({ key: bytes("a"), revision: 0 })).entry?.version, 2);
  });

  test("an empty value is a value", async (t) => {
    const { engine } = await open(t);
    await put(engine, "a", "");
    t.is(await valueAt(engine, "a"), "");
  });

  test("keys and values of any bytes come back as they were", async (t) => {
    const { engine } = await open(t);
    const any = Uint8Array.from({ length: 256 }, (_, index) => index);
    await engine.put({ ...putOf(any), value: any });
    const { entry } = await engine.get({ key: any, revision: 0 });
    t.deepEqual(Buffer.from(entry?.key ?? []), Buffer.from(any));
    t.deepEqual(Buffer.from(entry?.value ?? []), Buffer.from(any));
  });

  test("what was passed in can be changed afterwards", async (t) => {
    const { engine } = await open(t);
    const command = putOf(Buffer.from("key"), "value");
    await engine.put(command);
    command.key.fill(0);
    command.value.fill(0);
    t.is(await valueAt(engine, "key"), "value");
  });

  test("a put gives the previous entry when it is asked for", async (t) => {
    const { engine } = await open(t);
    const first = await engine.put(putOf("a", "1", { returnPrevious: true }));
    t.is(first.previous, undefined);
    const second = await engine.put(putOf("a", "2", { returnPrevious: true }));
    t.is(text(second.previous?.value), "1");
    t.is((await engine.put(putOf("a", "3"))).previous, undefined);
  });

  test("a put with an expected mod revision is refused when it is another", async (t) => {
    const { engine } = await open(t);
    await put(engine, "a");
    await put(engine, "b");
    await engine.put(putOf("a", "2", { expectedModRevision: 2 }));
    const error = await refused(
      t,
      engine.put(putOf("a", "3", { expectedModRevision: 2 })),
      "PRECONDITION_FAILED",
    );
    t.is(error.details.modRevision, 4);
    t.is(error.details.revision, 4);
    t.is(await valueAt(engine, "a"), "2");
  });

  test("a put that expects an absent key creates it once", async (t) => {
    const { engine } = await open(t);
    await engine.put(putOf("a", "1", { expectedModRevision: 0 }));
    const again = engine.put(putOf("a", "2", { expectedModRevision: 0 }));
    t.is((await refused(t, again, "PRECONDITION_FAILED")).details.modRevision, 2);
    const absent = engine.put(putOf("b", "2", { expectedModRevision: 7 }));
    t.is((await refused(t, absent, "PRECONDITION_FAILED")).details.modRevision, 0);
  });

  test("a delete of nothing makes no revision", async (t) => {
    const { engine } = await open(t);
    const result = await engine.delete(deleteOf(one("a")));
    t.deepEqual([result.revision, result.deleted, result.more], [1, 0, false]);
  });

  test("a delete of many keys is one revision, and gives them in key order", async (t) => {
    const { engine } = await open(t);
    for (const key of ["b", "a/2", "a/1", "a0"]) await put(engine, key, key);
    const result = await engine.delete(deleteOf(prefix("a/"), { returnPrevious: true }));
    t.deepEqual([result.revision, result.deleted], [6, 2]);
    t.deepEqual(
      result.previous.map(({ key }) => text(key)),
      ["a/1", "a/2"],
    );
    t.deepEqual(keysOf(await engine.range(rangeOf(all))), ["a0", "b"]);
  });

  test("a delete with a limit takes the lowest keys and says that there are more", async (t) => {
    const { engine } = await open(t);
    for (const key of ["c", "a", "b"]) await put(engine, key);
    const first = await engine.delete(deleteOf(all, { limit: 2 }));
    t.deepEqual([first.deleted, first.more], [2, true]);
    const second = await engine.delete(deleteOf(all, { limit: 2 }));
    t.deepEqual([second.deleted, second.more], [1, false]);
  });

  test("a delete of an interval takes its start and leaves its end", async (t) => {
    const { engine } = await open(t);
    for (const key of ["a", "b", "c"]) await put(engine, key);
    await engine.delete(deleteOf(interval("a", "c")));
    t.deepEqual(keysOf(await engine.range(rangeOf(all))), ["c"]);
    t.is((await engine.delete(deleteOf(interval("d", "a")))).deleted, 0);
  });

  test("a delete with an expected mod revision is refused when it is another", async (t) => {
    const { engine } = await open(t);
    await put(engine, "a");
    await refused(
      t,
      engine.delete(deleteOf(one("a"), { expectedModRevision: 1 })),
      "PRECONDITION_FAILED",
    );
    t.is((await engine.delete(deleteOf(one("a"), { expectedModRevision: 2 }))).deleted, 1);
    await refused(
      t,
      engine.delete(deleteOf(one("a"), { expectedModRevision: 2 })),
      "PRECONDITION_FAILED",
    );
    t.is((await engine.delete(deleteOf(one("a"), { expectedModRevision: 0 }))).deleted, 0);
  });

  test("a delete of more keys than it may is refused and deletes nothing", async (t) => {
    const { engine } = await open(t, { deleteMaxKeys: 2 });
    for (const key of ["a", "b", "c"]) await put(engine, key);
    await refused(t, engine.delete(deleteOf(all, { maxKeys: 2 })), "TOO_MANY_KEYS");
    t.is((await engine.range(rangeOf(all))).entries.length, 3);
    t.is((await engine.delete(deleteOf(all, { maxKeys: 2, limit: 2 }))).deleted, 2);
  });

  test("the past can be read, and reads nothing of what came later", async (t) => {
    const { engine } = await open(t);
    await put(engine, "a", "1");
    await put(engine, "a", "2");
    await engine.delete(deleteOf(one("a")));
    t.is(await valueAt(engine, "a", 1), undefined);
    t.is(await valueAt(engine, "a", 2), "1");
    t.is(await valueAt(engine, "a", 3), "2");
    t.is(await valueAt(engine, "a", 4), undefined);
  });

  test("the future cannot be read", async (t) => {
    const { engine } = await open(t);
    await put(engine, "a");
    const get = engine.get({ key: bytes("a"), revision: 3 });
    t.is((await refused(t, get, "REVISION_FUTURE")).details.revision, 2);
    await refused(t, engine.range(rangeOf(all, { revision: 3 })), "REVISION_FUTURE");
  });
};
