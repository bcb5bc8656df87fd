// The public names of the client: `import { connect } from "kvd-grpc"`. A name that is not here may
// change at any time; one that is here changes only with the major version.

export { connect, connectDry } from "./client.js";
export type * from "./connection.js";
export type { DryRequest } from "./dry-run.js";
export {
  type ErrorDetails,
  KvdClientError,
  type KvdClientErrorOptions,
  type Reason,
  type StatusName,
} from "./errors.js";
export { json } from "./json.js";
export type * from "./lease-types.js";
export type * from "./maintenance-types.js";
export { absent, compare, del, exists, get, put, range, txn } from "./txn.js";
export type * from "./txn-types.js";
export type * from "./types.js";
export type * from "./watch-types.js";
