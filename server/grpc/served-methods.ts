// The methods of services by their paths, in the shape in which calls want them.

import { type MethodDefinition, status } from "@grpc/grpc-js";
import { CallError } from "./call-error.js";
import { shortText } from "./failures.js";
import type { GrpcService } from "./service.js";

export interface ServedMethod {
  readonly requestStream: boolean;
  readonly responseStream: boolean;
  /** The answer of a method of one may be long in coming, and is small. */
  readonly isPatient: boolean;
  /** @throws CallError */
  decode(bytes: Buffer): unknown;
  encode(message: unknown): Buffer;
  /** Only methods of one answer get a callback. */
  handle(call: object, answer?: (failure: never, response?: unknown) => void): unknown;
}

/** A method without a handler is none. */
export function servedMethods(services: readonly GrpcService[]): ReadonlyMap<string, ServedMethod> {
  const methods = new Map<string, ServedMethod>();
  for (const { definition, handlers, waits = [] } of services) {
    for (const [name, method] of Object.entries(definition)) {
      const handler = Reflect.get(handlers, name);
      if (handler === undefined) continue;
      methods.set(method.path, {
        requestStream: method.requestStream,
        responseStream: method.responseStream,
        isPatient: waits.includes(name),
        decode: (bytes) => decoded(method, bytes),
        encode: method.responseSerialize,
        handle: handler.bind(handlers),
      });
    }
  }
  return methods;
}

/** Bytes that are no request of the method's are the peer's fault, and nothing to log. */
function decoded(method: MethodDefinition<unknown, unknown>, bytes: Buffer): unknown {
  try {
    return method.requestDeserialize(bytes);
  } catch (error) {
    const details = `Error deserializing request: ${(error as Error).message}`;
    throw new CallError(status.INTERNAL, shortText(details));
  }
}
