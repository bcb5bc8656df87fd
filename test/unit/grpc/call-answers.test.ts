// What a call ends with: status, its text and metadata, and errors of ours.

import { type Client, Metadata, type ServiceError, status } from "@grpc/grpc-js";
import test from "ava";
import type { Failure } from "../../../server/grpc/service.js";
import {
  framed,
  GATHER,
  MANY,
  ONCE,
  post,
  STREAM,
  same,
  serveEcho,
} from "../../support/echo-service.js";

/** What grpc-js makes of the answer to a call of one. */
function once(client: Client, text = ""): Promise<ServiceError | Buffer> {
  return new Promise((resolve) => {
    client.makeUnaryRequest(ONCE, same, same, Buffer.from(text), (error, answer) =>
      resolve(error ?? (answer as Buffer)),
    );
  });
}

/** The same for a stream of answers. */
function many(client: Client, text = ""): Promise<ServiceError> {
  return new Promise((resolve) => {
    const call = client.makeServerStreamRequest(MANY, same, same, Buffer.from(text));
    call.on("data", () => {});
    call.on("error", (error: ServiceError) => resolve(error));
  });
}

function failing(failure: Failure) {
  return {
    once: (_: unknown, answer: (failure: Failure) => void) => answer(failure),
    many: (call: { fail(failure: Failure): void; write(bytes: Buffer): void }) => {
      call.write(Buffer.from("first"));
      call.fail(failure);
    },
  };
}

const TEXTS = {
  "every ASCII character": Array.from({ length: 128 }, (_, code) => String.fromCharCode(code)).join(
    "",
  ),
  "percent signs": "100 %, %41, %%, %",
  newlines: "one\ntwo\r\nthree\n",
  umlauts: "Größe über alles",
  emoji: "it burns 🔥, 👩‍👩‍👧",
  "spaces around it": "  between spaces  ",
  "one space": " ",
  "a comma and quotes": `"a", 'b'`,
  "a NUL": "a\0b",
};

for (const [name, text] of Object.entries(TEXTS)) {
  test(`the text of a status arrives as it is: ${name}`, async (t) => {
    const failure = { code: status.ABORTED, details: text };
    const { client } = await serveEcho(t, { handlers: failing(failure) });
    t.like(await once(client), failure);
    t.like(await many(client), failure);
  });
}

test("a lone surrogate in the text of a status is a character that is replaced", async (t) => {
  const failure = { code: status.ABORTED, details: "a\ud800b\udc00" };
  const { client } = await serveEcho(t, { handlers: failing(failure) });
  t.like(await once(client), { code: status.ABORTED, details: "a\ufffdb\ufffd" });
});

test("a status may have no text", async (t) => {
  const failure = { code: status.NOT_FOUND, details: "" };
  const { client } = await serveEcho(t, { handlers: failing(failure) });
  t.like(await once(client), { code: status.NOT_FOUND });
});

test("metadata comes after the answer, texts and bytes, several of a name", async (t) => {
  const metadata = new Metadata();
  const bytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
  metadata.add("some-bin", bytes);
  metadata.add("some-bin", Buffer.alloc(0));
  metadata.add("some-bin", Buffer.of(1));
  metadata.add("some-text", "one");
  metadata.add("some-text", "two");
  const failure = { code: status.ABORTED, details: "as asked", metadata };
  const { client } = await serveEcho(t, { handlers: failing(failure) });
  for (const answer of [await once(client), await many(client)]) {
    const got = (answer as ServiceError).metadata;
    t.deepEqual(got.get("some-bin"), [bytes, Buffer.alloc(0), Buffer.of(1)]);
    t.deepEqual(got.get("some-text").join(", "), "one, two");
  }
});

const BUG = "an error of kvd's own";

for (const path of [ONCE, MANY, GATHER, STREAM]) {
  test(`${path}: a handler that throws is INTERNAL, logged, and not the end`, async (t) => {
    let isBroken = true;
    const fail = () => {
      if (isBroken) throw new Error("a secret");
    };
    const { session, logger } = await serveEcho(t, {
      handlers: {
        once: (call, answer) => {
          fail();
          answer(null, call.request);
        },
        many: (call) => {
          fail();
          call.finish();
        },
        gather: (call) => {
          fail();
          call.on("end", () => call.finish());
        },
        stream: (call) => {
          fail();
          call.on("end", () => call.finish());
        },
      },
    });
    const broken = await post(session, path, framed("a"));
    t.like(broken, { code: status.INTERNAL, details: "internal error", resetCode: 0 });
    t.deepEqual(logger.texts("error"), [BUG]);
    isBroken = false;
    t.is((await post(session, path, framed("a"))).code, status.OK);
  });

  test(`${path}: an answer that has no bytes is INTERNAL, logged, and not the end`, async (t) => {
    const { session, logger } = await serveEcho(t, {
      encode: (bytes) => {
        if (`${bytes}` === "b") throw new Error("a secret");
        return bytes;
      },
    });
    const broken = await post(session, path, framed("b"));
    t.like(broken, { code: status.INTERNAL, details: "internal error", resetCode: 0 });
    t.deepEqual(logger.texts("error"), [BUG]);
    t.like(await post(session, path, framed("a")), { code: status.OK, body: framed("a") });
  });
}

test("a handler that throws at a request of its stream ends that stream alone", async (t) => {
  const { session, logger } = await serveEcho(t, {
    handlers: {
      stream: (call) => {
        call.on("data", (bytes: Buffer) => {
          if (`${bytes}` === "b") throw new Error("a secret");
          call.write(bytes);
        });
        call.on("end", () => {
          throw new Error("another");
        });
      },
    },
  });
  const parts = ["a", "b", "c"].map((text) => framed(text));
  const broken = await post(session, STREAM, Buffer.concat(parts));
  t.like(broken, { code: status.INTERNAL, body: framed("a"), resetCode: 0 });
  t.like(await post(session, STREAM, framed("a")), { code: status.INTERNAL, body: framed("a") });
  t.deepEqual(logger.texts("error"), [BUG, BUG]);
  t.false(session.closed);
});

test("what a handler does after its answer changes nothing", async (t) => {
  const failure = { code: status.ABORTED, details: "too late" };
  const { session, logger } = await serveEcho(t, {
    handlers: {
      once: (call, answer) => {
        answer(null, call.request);
        answer(failure);
        answer(null, Buffer.from("again"));
      },
      many: (call) => {
        call.write(call.request);
        call.finish();
        call.write(Buffer.from("again"));
        call.fail(failure);
        call.finish();
      },
    },
  });
  for (const path of [ONCE, MANY]) {
    const answer = await post(session, path, framed("a"));
    t.like(answer, { code: status.OK, body: framed("a"), resetCode: 0 });
  }
  t.deepEqual(logger.lines, []);
});

test("what is written when a stream is over is given back at once", async (t) => {
  const { session } = await serveEcho(t, {
    handlers: {
      many: (call) => {
        call.fail({ code: status.ABORTED, details: "" });
        let taken = 0;
        call.write(Buffer.from("a"), () => {
          taken += 1;
        });
        t.is(taken, 1);
      },
    },
  });
  t.like(await post(session, MANY, framed("a")), { code: status.ABORTED });
});
