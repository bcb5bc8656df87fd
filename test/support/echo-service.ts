// A service of four methods whose messages are bytes, and a peer that sends it whatever a test
// wants: heads, bodies and pieces of them, on Node's own HTTP/2.

import { once } from "node:events";
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
} from "node:http2";
import { Client, credentials } from "@grpc/grpc-js";
import type { ExecutionContext } from "ava";
import type { CallServerOptions } from "../../server/grpc/call-server.js";
import type {
  AnsweringCall,
  DuplexCall,
  GrpcService,
  UnaryHandler,
} from "../../server/grpc/service.js";
import type { StreamingCall } from "../../server/grpc/streaming-call.js";
import { serveCalls } from "./grpc-service.js";
import { RecordingLogger } from "./recording-logger.js";

export const ONCE = "/test.Echo/Once";
export const MANY = "/test.Echo/Many";
export const GATHER = "/test.Echo/Gather";
export const STREAM = "/test.Echo/Stream";

export const same = (bytes: Buffer): Buffer => bytes;

export interface EchoHandlers {
  readonly once: UnaryHandler<Buffer, Buffer>;
  readonly many: (call: AnsweringCall<Buffer, Buffer>) => void;
  readonly gather: (call: DuplexCall<Buffer, Buffer>) => void;
  readonly stream: (call: StreamingCall) => void;
}

/** Everything comes back. */
const ECHO: EchoHandlers = {
  once: (call, answer) => answer(null, call.request),
  many: (call) => {
    for (const byte of call.request) call.write(Buffer.of(byte));
    call.finish();
  },
  gather: (call) => {
    const parts: Buffer[] = [];
    call.on("data", (bytes) => parts.push(bytes));
    call.on("end", () => {
      call.write(Buffer.concat(parts));
      call.finish();
    });
  },
  stream: (call) => {
    call.on("data", (bytes: Buffer) => call.write(bytes));
    call.on("end", () => call.finish());
  },
};

export interface EchoCodecs {
  readonly encode?: (bytes: Buffer) => Buffer;
  readonly decode?: (bytes: Buffer) => Buffer;
}

export function echoService(
  handlers: Partial<EchoHandlers> = {},
  { encode = same, decode = same }: EchoCodecs = {},
): GrpcService {
  const method = (path: string, requestStream: boolean, responseStream: boolean) => ({
    path,
    requestStream,
    responseStream,
    requestSerialize: same,
    requestDeserialize: decode,
    responseSerialize: encode,
    responseDeserialize: same,
  });
  const definition = {
    once: method(ONCE, false, false),
    many: method(MANY, false, true),
    gather: method(GATHER, true, false),
    stream: method(STREAM, true, true),
  };
  return { definition, handlers: { ...ECHO, ...handlers } };
}

export interface EchoOptions extends EchoCodecs {
  readonly handlers?: Partial<EchoHandlers>;
  readonly server?: Partial<CallServerOptions>;
}

/** Serves it to two peers: grpc-js's client, and one of HTTP/2 alone. */
export async function serveEcho(t: ExecutionContext, options: EchoOptions = {}) {
  const logger = new RecordingLogger();
  const service = echoService(options.handlers, options);
  const { address, calls } = await serveCalls(t, [service], { logger, ...options.server });
  const client = new Client(address, credentials.createInsecure());
  const session = connect(`http://${address}`).on("error", () => {});
  t.teardown(() => {
    client.close();
    session.destroy();
  });
  await once(session, "remoteSettings");
  return { address, calls, logger, client, session };
}

/** A message with gRPC's five bytes in front. */
export function framed(bytes: Buffer | string, flag = 0): Buffer {
  const message = Buffer.from(bytes);
  const head = Buffer.from([flag, 0, 0, 0, 0]);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

export interface RawAnswer {
  readonly httpStatus: number;
  /** Of gRPC; NaN: none. */
  readonly code: number;
  readonly details: string;
  readonly head: IncomingHttpHeaders;
  readonly body: Buffer;
  /** What the stream was reset with; 0: nothing. */
  readonly resetCode: number;
}

export interface RawRequest {
  readonly stream: ClientHttp2Stream;
  readonly answer: Promise<RawAnswer>;
}

/** The head has what every call of gRPC has, unless `headers` says otherwise: undefined is none. */
export function request(
  session: ClientHttp2Session,
  path: string,
  headers: OutgoingHttpHeaders = {},
  options: { readonly endStream?: boolean } = {},
): RawRequest {
  const head = { ":method": "POST", ":path": path, "content-type": "application/grpc" };
  const stream = session.request({ ...head, te: "trailers", ...headers }, options);
  return { stream, answer: answerOf(stream) };
}

/** One with this body, whole. */
export function post(
  session: ClientHttp2Session,
  path: string,
  body: Buffer,
  headers: OutgoingHttpHeaders = {},
): Promise<RawAnswer> {
  const { stream, answer } = request(session, path, headers);
  stream.end(body);
  return answer;
}

function answerOf(stream: ClientHttp2Stream): Promise<RawAnswer> {
  let head: IncomingHttpHeaders = {};
  let trailers: IncomingHttpHeaders = {};
  const body: Buffer[] = [];
  stream.on("response", (headers) => {
    head = headers;
  });
  stream.on("trailers", (headers) => {
    trailers = headers;
  });
  stream.on("data", (bytes) => body.push(bytes));
  stream.on("error", () => {});
  return new Promise((resolve) => {
    stream.on("close", () => {
      const { "grpc-status": code = Number.NaN, "grpc-message": details = "" } = {
        ...head,
        ...trailers,
      };
      resolve({
        httpStatus: Number(head[":status"]),
        code: Number(code),
        details: String(details),
        head,
        body: Buffer.concat(body),
        resetCode: stream.rstCode ?? -1,
      });
    });
  });
}
