// A connection that sends nothing: it tells what it would send.
//
// Calls come as far as the transport with all their checks and translations, so that what is told
// is what would go over the wire; there they end.

import { InterceptingCall, type Interceptor, Metadata, status } from "@grpc/grpc-js";

/** A request that was made and not sent: what connectDry() tells. */
export interface DryRequest {
  /** Such as "kvd.v1.KvService/Get". A watch counts as a Watch of its own. */
  readonly method: string;
  /**
   * The request in the JSON form of protocol buffers, which gRPC tools take: one line, bytes as
   * base64, 64-bit numbers as text.
   */
  json(): Promise<string>;
}

/** The path of the rpc, and the encoded message. */
export interface RawRequest {
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** Ends every call before it is sent, with CANCELLED. */
export function endingBefore(onRequest: (request: DryRequest) => void): Interceptor {
  return ({ method_definition: { path, requestSerialize } }) => {
    let end = () => {};
    const nothing = () => {};
    return new InterceptingCall({
      start(_, listener) {
        end = () => {
          const details = "it was a dry run; nothing was sent";
          listener?.onReceiveStatus?.({
            code: status.CANCELLED,
            details,
            metadata: new Metadata(),
          });
        };
      },
      sendMessage(message: unknown) {
        onRequest(dryRequest({ path, bytes: requestSerialize(message) }));
        // Whoever calls is not ready for an answer before the call has returned.
        queueMicrotask(() => end());
      },
      sendMessageWithContext(_, message: unknown) {
        this.sendMessage(message);
      },
      cancelWithStatus: () => end(),
      getPeer: () => "",
      getAuthContext: () => null,
      startRead: nothing,
      halfClose: nothing,
    });
  };
}

function dryRequest(request: RawRequest): DryRequest {
  // The path tells it, but for the stream that watches share.
  const method = request.path.slice(1).replace(/\/MultiWatch$/, "/Watch");
  return {
    method,
    // The descriptors are large, and loaded for this alone.
    json: async () => (await import("./request-json.js")).jsonOfRequest(request),
  };
}
