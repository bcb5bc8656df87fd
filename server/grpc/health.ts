// The standard health service: whether calls are taken, asked once (Check, List) or followed
// (Watch).
//
// The whole server, named "", and each of its services have one state at a time; all change
// together. A change reaches every open Watch. A service that nobody knows is NOT_FOUND for Check
// and SERVICE_UNKNOWN for Watch, whose stream stays. Watches end with UNAVAILABLE when the server
// stops.

import { status } from "@grpc/grpc-js";
import {
  type HealthCheckRequest,
  type HealthCheckResponse,
  type HealthListRequest,
  type HealthListResponse,
  HealthCheckResponse_ServingStatus as ServingStatus,
} from "../../gen/grpc/grpc/health/v1/health.js";
import { showText } from "../kv/errors.js";
import { type AnsweringCall, releaseRequest, type UnaryHandler } from "./service.js";

export type HealthState = "serving" | "not serving";

type HealthWatch = AnsweringCall<HealthCheckRequest, HealthCheckResponse>;

export class Health {
  readonly #names: ReadonlySet<string>;
  /** Only those of known services: the others never change. */
  readonly #followers = new Set<HealthWatch>();
  readonly #watches = new Set<HealthWatch>();
  #state: HealthState = "serving";
  #closed = false;

  /** The full names of the services; "" is added. */
  constructor(services: readonly string[]) {
    this.#names = new Set(["", ...services]);
  }

  get state(): HealthState {
    return this.#state;
  }

  /** Changes the state of all, and tells those who follow it. */
  set(state: HealthState): void {
    if (state === this.#state) return;
    this.#state = state;
    for (const call of this.#followers) call.write(this.#answer());
  }

  /** Ends every Watch, those to come too. Twice does no harm. */
  close(): void {
    this.#closed = true;
    for (const call of this.#watches) endStopping(call);
  }

  readonly handlers = {
    check: ((call, callback) => {
      const { service } = call.request;
      if (this.#names.has(service)) callback(null, this.#answer());
      else callback({ code: status.NOT_FOUND, details: `no service ${showText(service)}` });
    }) satisfies UnaryHandler<HealthCheckRequest, HealthCheckResponse>,

    list: ((_call, callback) => {
      const answers = Array.from(this.#names, (name) => [name, this.#answer()] as const);
      callback(null, { statuses: Object.fromEntries(answers) });
    }) satisfies UnaryHandler<HealthListRequest, HealthListResponse>,

    watch: (call: HealthWatch) => {
      const known = this.#names.has(call.request.service);
      releaseRequest(call);
      this.#watches.add(call);
      if (known) this.#followers.add(call);
      call.once("cancelled", () => {
        this.#watches.delete(call);
        this.#followers.delete(call);
      });
      call.write(known ? this.#answer() : { status: ServingStatus.SERVICE_UNKNOWN });
      if (this.#closed) endStopping(call);
    },
  };

  #answer(): HealthCheckResponse {
    const serving = this.#state === "serving";
    return { status: serving ? ServingStatus.SERVING : ServingStatus.NOT_SERVING };
  }
}

function endStopping(call: HealthWatch): void {
  call.fail({ code: status.UNAVAILABLE, details: "the server is shutting down" });
}
