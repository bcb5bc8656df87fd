// The paths of the methods that cases call.

export const KVD = {
  get: "/kvd.v1.KvService/Get",
  put: "/kvd.v1.KvService/Put",
  delete: "/kvd.v1.KvService/Delete",
  range: "/kvd.v1.KvService/Range",
  batch: "/kvd.v1.KvService/Batch",
  pipeline: "/kvd.v1.KvService/Pipeline",
  multiWatch: "/kvd.v1.KvService/MultiWatch",
  compact: "/kvd.v1.MaintenanceService/Compact",
  snapshot: "/kvd.v1.MaintenanceService/Snapshot",
} as const;

export const ETCD = {
  range: "/etcdserverpb.KV/Range",
  put: "/etcdserverpb.KV/Put",
  txn: "/etcdserverpb.KV/Txn",
  watch: "/etcdserverpb.Watch/Watch",
} as const;
