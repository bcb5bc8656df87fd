// Server reflection, v1 and v1alpha: what grpcurl and buf curl ask before they call.
//
// One implementation serves both, because their messages have the same fields. Questions of a
// stream are answered in order; what is not there is an error_response, and the stream goes on.
// Reading waits while answers wait for the peer. Nothing of ours has extensions.

import { readFileSync } from "node:fs";
import { status } from "@grpc/grpc-js";
import {
  ServerReflectionRequest,
  type ServerReflectionResponse,
} from "../../gen/grpc/grpc/reflection/v1/reflection.js";
import { showText } from "../kv/errors.js";
import { DescriptorIndex } from "./descriptor-index.js";
import type { DuplexCall } from "./service.js";

type Answer = NonNullable<ServerReflectionResponse["messageResponse"]>;
type ReflectionStream = DuplexCall<ServerReflectionRequest, ServerReflectionResponse>;

/** Far above any name: the answer repeats the question. */
const QUESTION_MAX_BYTES = 4096;

/** From server/rpc in the build to gen beside it; the same in an installed package. */
const DESCRIPTORS = new URL("../../../gen/descriptors.binpb", import.meta.url);

export class Reflection {
  readonly #services: readonly string[];
  readonly #streams = new Set<ReflectionStream>();
  #index: DescriptorIndex | undefined;
  #closed = false;

  /** The full names of the services that are listed. */
  constructor(services: readonly string[]) {
    this.#services = services;
  }

  /** The answer to one question. */
  answer(request: ServerReflectionRequest): ServerReflectionResponse {
    const messageResponse = this.#answerTo(request);
    return { validHost: request.host, originalRequest: request, messageResponse };
  }

  /** Ends every stream, those to come too. Twice does no harm. */
  close(): void {
    this.#closed = true;
    for (const call of this.#streams) endStopping(call);
  }

  readonly handlers = {
    serverReflectionInfo: (call: ReflectionStream) => {
      this.#streams.add(call);
      call.once("cancelled", () => this.#streams.delete(call));
      call.on("data", (request: ServerReflectionRequest) => {
        if (ServerReflectionRequest.encode(request).finish().length > QUESTION_MAX_BYTES) {
          refuseLong(call);
        } else {
          call.pause();
          call.write(this.answer(request), () => call.resume());
        }
      });
      call.on("end", () => call.finish());
      if (this.#closed) endStopping(call);
    },
  };

  #answerTo({ messageRequest: question }: ServerReflectionRequest): Answer {
    switch (question?.$case) {
      case undefined:
        return failure(status.INVALID_ARGUMENT, "no question");
      case "listServices": {
        const service = this.#services.map((name) => ({ name }));
        return { $case: "listServicesResponse", value: { service } };
      }
      case "fileByFilename":
        return files(this.#descriptors.fileByPath(question.value), question.value);
      case "fileContainingSymbol":
        return files(this.#descriptors.fileBySymbol(question.value), question.value);
      case "fileContainingExtension": {
        const { containingType, extensionNumber } = question.value;
        return notFound(`extension ${extensionNumber} of ${showText(containingType)}`);
      }
      case "allExtensionNumbersOfType": {
        const baseTypeName = question.value;
        if (!this.#descriptors.hasMessage(baseTypeName)) return notFound(showText(baseTypeName));
        const value = { baseTypeName, extensionNumber: [] };
        return { $case: "allExtensionNumbersResponse", value };
      }
    }
  }

  /** Read when first asked for: most servers never are. */
  get #descriptors(): DescriptorIndex {
    this.#index ??= new DescriptorIndex(readFileSync(DESCRIPTORS));
    return this.#index;
  }
}

function files(found: readonly Uint8Array[] | undefined, asked: string): Answer {
  if (found === undefined) return notFound(showText(asked));
  return { $case: "fileDescriptorResponse", value: { fileDescriptorProto: [...found] } };
}

function notFound(subject: string): Answer {
  return failure(status.NOT_FOUND, `not found: ${subject}`);
}

function failure(errorCode: number, errorMessage: string): Answer {
  return { $case: "errorResponse", value: { errorCode, errorMessage } };
}

function refuseLong(call: ReflectionStream): void {
  const details = `a question has at most ${QUESTION_MAX_BYTES} bytes`;
  call.fail({ code: status.INVALID_ARGUMENT, details });
}

function endStopping(call: ReflectionStream): void {
  call.fail({ code: status.UNAVAILABLE, details: "the server is shutting down" });
}
