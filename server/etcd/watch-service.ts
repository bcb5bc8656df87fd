// etcd's Watch service: one stream with any number of watches; see watch-stream.ts.

import { Watch } from "../../gen/es/etcd/rpc_pb.js";
import { WatchRequest, WatchResponse, WatchService } from "../../gen/grpc/etcd/rpc.js";
import { methodOptions, servedMethod } from "../grpc/codec.js";
import type { Handlers } from "../grpc/service.js";
import type { Limits } from "../kv/limits.js";
import type { EtcdContext } from "./context.js";
import { type WatchCall, WatchStream } from "./watch-stream.js";

export function watchDefinition(limits: Limits) {
  const with_ = methodOptions(limits.etcdRequestMaxBytes);
  const input = Watch.method.watch.input;
  return { watch: servedMethod(WatchService.watch, with_(input, WatchRequest, WatchResponse)) };
}

export function watchHandlers(context: EtcdContext): Handlers {
  return {
    watch: (call: WatchCall) => context.streams.add(call, new WatchStream(call, context)),
  };
}
