// The public names of the client: `import { connect } from "kvd-grpc"`.

export { connect } from "./client.js";
export {
  type ErrorDetails,
  KvdClientError,
  type KvdClientErrorOptions,
  type Reason,
  type StatusName,
} from "./errors.js";
export { json } from "./json.js";
export { absent, compare, del, exists, get, put, range, txn } from "./txn.js";
export type * from "./types.js";
