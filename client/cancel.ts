// Canceling a stream on both sides.

/**
 * Cancels in the next turn: grpc-js, when it cancels a call in the tick that made it, reports the
 * end here and leaves the stream open on the server, where it counts among those of the connection
 * (seen with 1.14.7).
 */
export function cancelStream(stream: { cancel(): void }): void {
  setImmediate(() => stream.cancel());
}
