// Between the bytes of a frame and generated messages, for every method that the server serves.
//
// A request deserialiser never throws (the transport would answer INTERNAL without a reason): it
// hands what it found to the handler. Texts that are not UTF-8 are refused, nested ones too.

import type { DescMessage } from "@bufbuild/protobuf";
import { BinaryReader, type BinaryWriter } from "@bufbuild/protobuf/wire";
import type { MethodDefinition } from "@grpc/grpc-js";
import { KvdError } from "../kv/errors.js";
import { hasStructure } from "./structure.js";

/** Makes the options of methods that share a limit. */
export function methodOptions(requestMaxBytes: number) {
  return <Request, Response>(
    input: DescMessage,
    request: Codec<Request>,
    response: Codec<Response>,
  ): MethodOptions<Request, Response> => ({ input, request, response, requestMaxBytes });
}

/** What a handler gets: the message, or why there is none. */
export type Decoded<T> =
  | { readonly ok: true; readonly message: T }
  | { readonly ok: false; readonly error: KvdError };

/** What the generated code offers for a message. */
export interface Codec<T> {
  encode(message: T): BinaryWriter;
  decode(input: BinaryReader | Uint8Array): T;
}

/** A method as it is served. */
export interface AnsweringMethod<Request, Answer> extends MethodDefinition<Request, Answer> {
  /** An answer of the handler as a message, for who does not want its bytes; absent: it is one. */
  readonly messageOf?: (answer: Answer) => unknown;
}

export interface MethodOptions<Request, Response> {
  readonly request: Codec<Request>;
  readonly response: Codec<Response>;
  /** The request's descriptor. */
  readonly input: DescMessage;
  readonly requestMaxBytes: number;
  /** Looks at the bytes before they are decoded. @throws KvdError. */
  readonly scan?: (bytes: Uint8Array) => void;
  /** The message, or an equal one, when it is of a kind that is decoded faster by hand. */
  readonly plain?: (bytes: Uint8Array) => Request | undefined;
}

/** A generated method with these codecs instead of its own. */
export function servedMethod<Request, Response>(
  method: MethodDefinition<Request, Response>,
  options: MethodOptions<Request, Response>,
): MethodDefinition<Decoded<Request>, Response> {
  return {
    path: method.path,
    requestStream: method.requestStream,
    responseStream: method.responseStream,
    requestSerialize: () => Buffer.alloc(0),
    requestDeserialize: (bytes) => decodeRequest(bytes, options),
    responseSerialize: (message) => encodeMessage(options.response, message),
    responseDeserialize: (bytes) => options.response.decode(bytes),
  };
}

/**
 * A generated method whose handler takes requests as they came, and gives the bytes of its answers.
 * Requests are views of what was received.
 */
export function servedBytes<Request, Response>(
  method: MethodDefinition<Request, Response>,
  { requestMaxBytes }: { readonly requestMaxBytes: number },
): AnsweringMethod<Decoded<Uint8Array>, Buffer> {
  return {
    path: method.path,
    requestStream: method.requestStream,
    responseStream: method.responseStream,
    requestSerialize: () => Buffer.alloc(0),
    requestDeserialize: (bytes) =>
      bytes.length <= requestMaxBytes
        ? { ok: true, message: bytes }
        : { ok: false, error: tooLarge(bytes, requestMaxBytes) },
    responseSerialize: (bytes) => bytes,
    responseDeserialize: (bytes) => bytes,
    messageOf: method.responseDeserialize,
  };
}

/** The same method, whose handler answers with what these turn into a response, or its bytes. */
export function answeredWith<Request, Response, Answer>(
  method: MethodDefinition<Decoded<Request>, Response>,
  encode: (answer: Answer) => Buffer,
  messageOf: (answer: Answer) => Response,
) {
  return { ...method, responseSerialize: encode, messageOf };
}

/** The same with an encoder for the response itself. */
export function encodedBy<Request, Response>(
  method: MethodDefinition<Decoded<Request>, Response>,
  encode: (response: Response) => Buffer,
) {
  return { ...method, responseSerialize: encode };
}

export function decodeRequest<Request>(
  bytes: Uint8Array,
  options: Omit<MethodOptions<Request, unknown>, "response">,
): Decoded<Request> {
  try {
    const { requestMaxBytes } = options;
    if (bytes.length > requestMaxBytes) throw tooLarge(bytes, requestMaxBytes);
    options.scan?.(bytes);
    const plain = options.plain?.(bytes);
    if (plain !== undefined) return { ok: true, message: plain };
    if (!hasStructure(bytes, options.input)) throw new Error("not the structure of the message");
    return { ok: true, message: options.request.decode(messageReader(bytes)) };
  } catch (error) {
    if (error instanceof KvdError) return { ok: false, error };
    const text = "the request is not the message that it should be, or a text in it is not UTF-8";
    return { ok: false, error: new KvdError("MALFORMED", text, {}, { cause: error }) };
  }
}

/** For a generated decoder; it refuses texts that are not UTF-8. */
export function messageReader(bytes: Uint8Array): BinaryReader {
  return new BinaryReader(bytes, decodeText);
}

function tooLarge(bytes: Uint8Array, maxBytes: number): KvdError {
  const text = `the request has ${bytes.length} bytes, more than ${maxBytes}`;
  return new KvdError("REQUEST_TOO_LARGE", `${text} (--request-max-bytes)`);
}

/** The encoded message, not copied once more. */
export function encodeMessage<T>(codec: Pick<Codec<T>, "encode">, message: T): Buffer {
  const bytes = codec.encode(message).finish();
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

const fatalUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function decodeText(bytes: Uint8Array): string {
  return fatalUtf8.decode(bytes);
}
