// Messages of a request: compressed ones, those that are too large, and those that are not there.

import { deflateSync, gzipSync } from "node:zlib";
import { status } from "@grpc/grpc-js";
import test from "ava";
import { MessageReader } from "../../../server/grpc/message-reader.js";
import {
  framed,
  MANY,
  ONCE,
  post,
  request,
  STREAM,
  serveEcho,
} from "../../support/echo-service.js";

const MAX_BYTES = 1_000;
const server = { messageMaxBytes: MAX_BYTES };
const HELLO = framed("hello");

/** A prefix alone. */
function prefix(length: number): Buffer {
  const bytes = Buffer.alloc(5);
  bytes.writeUInt32BE(length, 1);
  return bytes;
}

const ENCODED = {
  gzip: (text: string) => gzipSync(text),
  deflate: (text: string) => deflateSync(text),
};

for (const [encoding, encode] of Object.entries(ENCODED)) {
  for (const path of [ONCE, STREAM]) {
    test(`${path} takes messages in ${encoding}, and others beside them`, async (t) => {
      const { session } = await serveEcho(t);
      const headers = { "grpc-encoding": encoding };
      const packed = await post(session, path, framed(encode("hello"), 1), headers);
      t.like(packed, { code: status.OK, body: HELLO });
      t.like(await post(session, path, HELLO, headers), { code: status.OK, body: HELLO });
    });

    test(`${path} refuses what is too large once it is out of ${encoding}`, async (t) => {
      const { session } = await serveEcho(t, { server });
      const headers = { "grpc-encoding": encoding };
      const fits = framed(encode("x".repeat(MAX_BYTES)), 1);
      t.is((await post(session, path, fits, headers)).code, status.OK);
      const bomb = framed(encode("x".repeat(100 * MAX_BYTES)), 1);
      t.true(bomb.length < MAX_BYTES);
      t.is((await post(session, path, bomb, headers)).code, status.RESOURCE_EXHAUSTED);
    });

    test(`${path} is told what is not ${encoding}`, async (t) => {
      const { session } = await serveEcho(t);
      const headers = { "grpc-encoding": encoding };
      const whole = framed("hello", 1);
      t.is((await post(session, path, whole, headers)).code, status.INTERNAL);
      const half = framed(encode("hello").subarray(0, -6), 1);
      t.is((await post(session, path, half, headers)).code, status.INTERNAL);
    });
  }
}

for (const path of [ONCE, STREAM]) {
  test(`${path} in an encoding that we do not know is told those that we do`, async (t) => {
    const { session } = await serveEcho(t);
    const answer = await post(session, path, HELLO, { "grpc-encoding": "zstd" });
    t.is(answer.code, status.UNIMPLEMENTED);
    t.is(answer.head["grpc-accept-encoding"], "identity,deflate,gzip");
  });

  test(`${path} has nothing compressed without an encoding`, async (t) => {
    const { session } = await serveEcho(t);
    const packed = framed(gzipSync("hello"), 1);
    t.is((await post(session, path, packed)).code, status.INTERNAL);
    const headers = { "grpc-encoding": "identity" };
    t.is((await post(session, path, packed, headers)).code, status.INTERNAL);
    t.is((await post(session, path, HELLO, headers)).code, status.OK);
  });

  test(`${path} knows two first bytes of a message`, async (t) => {
    const { session } = await serveEcho(t);
    t.is((await post(session, path, framed("hello", 2))).code, status.INTERNAL);
    const bytes = framed(gzipSync("hello"), 129);
    const headers = { "grpc-encoding": "gzip" };
    t.is((await post(session, path, bytes, headers)).code, status.INTERNAL);
  });

  test(`${path} takes a message of the limit`, async (t) => {
    const { session } = await serveEcho(t, { server });
    const largest = framed(Buffer.alloc(MAX_BYTES));
    t.like(await post(session, path, largest), { code: status.OK, body: largest });
  });
}

for (const path of [ONCE, MANY, STREAM]) {
  for (const pieces of [1, 5]) {
    const title = `${path} refuses a message above the limit before it has come`;
    test(`${title}, its prefix in ${pieces} pieces`, async (t) => {
      const { session, calls } = await serveEcho(t, { server });
      const { stream, answer } = request(session, path);
      const bytes = prefix(MAX_BYTES + 1);
      for (let at = 0; at < 5; at += 5 / pieces) stream.write(bytes.subarray(at, at + 5 / pieces));
      t.like(await answer, { code: status.RESOURCE_EXHAUSTED, resetCode: 0 });
      t.is(calls.timer.size, 0, "nobody waits for the rest");
    });
  }

  test(`${path} is told of half a message`, async (t) => {
    const { session } = await serveEcho(t);
    t.like(await post(session, path, HELLO.subarray(0, 8)), { code: status.INTERNAL });
    t.like(await post(session, path, HELLO.subarray(0, 3)), { code: status.INTERNAL });
  });
}

for (const path of [ONCE, MANY]) {
  test(`${path} takes one message, no more and no less`, async (t) => {
    const { session } = await serveEcho(t);
    const two = await post(session, path, Buffer.concat([HELLO, HELLO]));
    t.like(two, { code: status.UNIMPLEMENTED, resetCode: 0 });
    t.is((await post(session, path, Buffer.alloc(0))).code, status.UNIMPLEMENTED);
    const { answer } = request(session, path, {}, { endStream: true });
    t.like(await answer, { code: status.UNIMPLEMENTED, resetCode: 0 });
  });
}

test("a stream may be over with its head", async (t) => {
  const { session } = await serveEcho(t);
  const { answer } = request(session, STREAM, {}, { endStream: true });
  t.like(await answer, { code: status.OK, body: Buffer.alloc(0) });
});

test("messages of no bytes are messages", async (t) => {
  const { session } = await serveEcho(t);
  const empty = framed("");
  t.like(await post(session, ONCE, empty), { code: status.OK, body: empty });
  const three = Buffer.concat([empty, empty, empty]);
  t.like(await post(session, STREAM, three), { code: status.OK, body: three });
});

for (const path of [ONCE, MANY, STREAM]) {
  test(`${path}: bytes that are no request are the peer's fault, and not logged`, async (t) => {
    const { session, logger } = await serveEcho(t, {
      decode: (bytes) => {
        if (`${bytes}` === "bad") throw new Error("no such field\n");
        return bytes;
      },
    });
    const answer = await post(session, path, framed("bad"));
    t.is(answer.code, status.INTERNAL);
    t.regex(decodeURIComponent(answer.details), /no such field/);
    t.is((await post(session, path, HELLO)).code, status.OK);
    t.deepEqual(logger.lines, []);
  });
}

test("small parts of a message are copied, lest each hold what it came with", (t) => {
  const sent = framed("0123456789".repeat(100));
  const reader = new MessageReader({ maxBytes: 1_000_000, encoding: undefined });
  reader.push(sent.subarray(0, 1));
  for (const byte of sent.subarray(1)) {
    const part = Buffer.of(byte);
    reader.push(part);
    part[0] = 0;
  }
  t.deepEqual(reader.next(), sent.subarray(5));
});

test("small and large parts come together in their order, message for message", (t) => {
  const message = Buffer.from(Array.from({ length: 200_000 }, (_, index) => index * 7));
  const bytes = Buffer.concat([framed(message), framed("hello"), framed(message)]);
  const reader = new MessageReader({ maxBytes: 1_000_000, encoding: undefined });
  const taken: Buffer[] = [];
  const sizes = [3, 5_000, 1, 1, 20_000, 4_095, 4_096, 16_384, 700];
  for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
    const size = sizes[turn % sizes.length] ?? 1;
    reader.push(bytes.subarray(at, at + size));
    for (let next = reader.next(); next !== undefined; next = reader.next()) taken.push(next);
    at += size;
  }
  t.deepEqual(taken, [message, Buffer.from("hello"), message]);
  t.true(reader.isEmpty);
});
