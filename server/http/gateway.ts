// The JSON gateway: methods of services as they are served over gRPC, for those who speak HTTP/1
// and JSON.
//
// It calls the very same handlers by way of the very same codecs, so what they refuse, and how far
// they let a peer go, is the same. A stream of requests is one JSON object after the other in a
// body, a stream of answers a line each.

import type { IncomingMessage, ServerResponse } from "node:http";
import type { DescMethod } from "@bufbuild/protobuf";
import { status } from "@grpc/grpc-js";
import type { Decoded } from "../grpc/codec.js";
import { type StatusOf, statusesFrom } from "../grpc/failures.js";
import type { Failure, GrpcService } from "../grpc/service.js";
import { KvdError } from "../kv/errors.js";
import type { Limits } from "../kv/limits.js";
import type { Clock } from "../lib/clock.js";
import { DueList } from "../lib/due-list.js";
import type { Logger } from "../lib/logger.js";
import { type Answer, JSON_TYPE, sendAnswer } from "./answer.js";
import { JsonBody } from "./json-body.js";
import { JsonCall } from "./json-call.js";
import { requestFromJson, type ServedMethod } from "./json-message.js";
import { failureAnswer } from "./json-status.js";
import { jsonOf } from "./json-writer.js";

export interface GatewayOptions {
  readonly services: readonly GrpcService[];
  /** By path, without a slash at its beginning. */
  readonly routes: ReadonlyMap<string, DescMethod>;
  /** Of a request once it is encoded. */
  readonly requestMaxBytes: number;
  /** Of an answer as JSON, each one of a stream: 128 MiB by default. */
  readonly answerMaxBytes?: number;
  readonly limits: Limits;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Only methods of one answer get a callback. */
type Handler = (
  call: JsonCall,
  callback?: (failure: Failure | null, message?: unknown) => void,
) => unknown;

interface Method {
  readonly description: DescMethod;
  readonly served: ServedMethod;
  readonly handle: Handler;
}

type Handled = Omit<Method, "description">;

/** JSON takes more room than the bytes that are meant: a third more, and names. */
const JSON_TO_BYTES = 2;

/** An answer is one text in memory, and its bytes: gRPC is for what is larger. */
const ANSWER_MAX_BYTES = 128 * 1024 * 1024;

export class Gateway {
  readonly #options: GatewayOptions;
  /** By the path that gRPC has for each. */
  readonly #methods: ReadonlyMap<string, Handled>;
  readonly #arriving: DueList<JsonBody>;
  readonly #unanswerable: StatusOf;

  constructor(options: GatewayOptions) {
    this.#options = options;
    const { services, limits, clock, logger } = options;
    this.#methods = methodsByPath(services);
    const onDue = (body: JsonBody) => body.late();
    this.#arriving = new DueList({ maxMs: limits.requestMaxMs, clock, onDue });
    this.#unanswerable = statusesFrom(tooLarge, logger);
  }

  /** Settles once the handler has begun; undefined when there is no such path. */
  serve(
    path: string,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> | undefined {
    const description = this.#options.routes.get(path);
    if (description === undefined) return undefined;
    return this.#serve(description, request, response);
  }

  /** Times nothing any more. */
  close(): void {
    this.#arriving.close();
  }

  async #serve(description: DescMethod, request: IncomingMessage, response: ServerResponse) {
    const { parent, name, methodKind } = description;
    const handled = this.#methods.get(`/${parent.typeName}/${name}`);
    if (request.method !== "POST") sendAnswer(response, ONLY_POST);
    else if (handled === undefined) sendAnswer(response, failureAnswer(unserved(description)));
    else {
      const method = { description, ...handled };
      if (methodKind === "unary") await this.#unary(method, request, response);
      else await this.#stream(method, request, response);
    }
  }

  async #unary(method: Method, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const late = () => sendAnswer(response, { ...failureAnswer(this.#late()), isLast: true });
    const decoded = await this.#one(method, this.#body(request, late));
    if (response.destroyed) return;
    const call = this.#call(method, response);
    call.request = decoded;
    method.handle(call, (failure, message) => {
      const isLast = !request.complete;
      if (failure === null) sendAnswer(response, this.#answer(method, message));
      else sendAnswer(response, { ...failureAnswer(failure), isLast });
    });
  }

  /** Never throws: it is called where nobody would catch it. */
  #answer(method: Method, message: unknown): Answer {
    try {
      return { status: 200, text: this.#json(method, message), type: JSON_TYPE };
    } catch (error) {
      return failureAnswer(this.#unanswerable(error));
    }
  }

  #json({ description, served }: Method, answer: unknown): string {
    const { answerMaxBytes = ANSWER_MAX_BYTES } = this.#options;
    const message = served.messageOf === undefined ? answer : served.messageOf(answer);
    return jsonOf(message, description.output, answerMaxBytes);
  }

  #call(method: Method, response: ServerResponse, onWanted?: () => void): JsonCall {
    return new JsonCall(response, {
      jsonOf: (message) => this.#json(method, message),
      failureOf: this.#unanswerable,
      ...(onWanted && { onWanted }),
    });
  }

  async #stream(method: Method, request: IncomingMessage, response: ServerResponse) {
    const body = this.#body(request, () => call.fail(this.#late()));
    const call = this.#call(method, response, () => body.resume());
    if (method.served.requestStream) this.#pour(body, method, call);
    else call.request = await this.#one(method, body);
    if (!call.cancelled) method.handle(call);
  }

  #body(request: IncomingMessage, onLate: () => void): JsonBody {
    const maxBytes = this.#options.requestMaxBytes * JSON_TO_BYTES;
    return new JsonBody(request, { maxBytes, arriving: this.#arriving, onLate });
  }

  async #one(method: Method, body: JsonBody): Promise<Decoded<unknown>> {
    try {
      return decode(method, await body.one());
    } catch (error) {
      return refused(error);
    }
  }

  /** Requests flow from the body into the call at the pace of its handler. */
  #pour(body: JsonBody, method: Method, call: JsonCall): void {
    body.each({
      onValue: (text) => {
        if (!call.push(decode(method, text))) body.pause();
      },
      onEnd: (error) => {
        if (error !== undefined) call.push(refused(error));
        call.push(null);
      },
    });
    body.timeEach();
  }

  #late(): Failure {
    const { requestMaxMs } = this.#options.limits;
    const text = `the request was not there in full after ${requestMaxMs} ms`;
    return { code: status.DEADLINE_EXCEEDED, details: `${text} (--request-max-time)` };
  }
}

function methodsByPath(services: readonly GrpcService[]): ReadonlyMap<string, Handled> {
  const methods = new Map<string, Handled>();
  for (const { definition, handlers } of services) {
    for (const [name, served] of Object.entries<ServedMethod>(definition)) {
      methods.set(served.path, { served, handle: Reflect.get(handlers, name) as Handler });
    }
  }
  return methods;
}

function decode({ description, served }: Method, text: string): Decoded<unknown> {
  return requestFromJson(text, description, served);
}

/** For the handler, which knows the status of its protocol for it. */
function refused(error: unknown): Decoded<unknown> {
  if (error instanceof KvdError) return { ok: false, error };
  throw error;
}

function tooLarge({ message }: KvdError): Failure {
  return {
    code: status.RESOURCE_EXHAUSTED,
    details: `kvd: ${message}`,
  };
}

const ONLY_POST: Answer = {
  status: 405,
  text: "kvd: this takes POST, with the request as JSON.\n",
  allow: "POST",
};

function unserved({ parent, name }: DescMethod): Failure {
  const details = `kvd: ${parent.typeName}/${name} is not served`;
  return { code: status.UNIMPLEMENTED, details };
}
