// An encoded request as the JSON of protocol buffers, for tools that know nothing of this client.

import { type DescService, fromBinary, type JsonValue, toJson } from "@bufbuild/protobuf";
import { KvService } from "../gen/es/kvd/v1/kv_pb.js";
import { LeaseService } from "../gen/es/kvd/v1/lease_pb.js";
import { MaintenanceService } from "../gen/es/kvd/v1/maintenance_pb.js";
import type { RawRequest } from "./dry-run.js";

const SERVICES: readonly DescService[] = [KvService, LeaseService, MaintenanceService];

/** On one line. A watch on the stream that watches share is the request of a Watch. */
export function jsonOfRequest({ path, bytes }: RawRequest): string {
  const [service, name] = path.slice(1).split("/");
  const methods = SERVICES.find(({ typeName }) => typeName === service)?.methods;
  const method = methods?.find((known) => known.name === name);
  if (method === undefined) throw new Error(`no method ${path} in the contract`);
  const json = toJson(method.input, fromBinary(method.input, bytes));
  return JSON.stringify(name === "MultiWatch" ? watchOf(json) : json);
}

function watchOf(json: JsonValue): JsonValue {
  const { create } = json as { readonly create?: { readonly watch?: JsonValue } };
  return create?.watch ?? {};
}
