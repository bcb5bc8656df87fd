// The paths of etcd's JSON gateway, and the method behind each.

import type { DescMethod } from "@bufbuild/protobuf";
import { Election } from "../../gen/es/etcd/election_pb.js";
import { Lock } from "../../gen/es/etcd/lock_pb.js";
import { Auth, Cluster, KV, Lease, Maintenance, Watch } from "../../gen/es/etcd/rpc_pb.js";

/** Below /v3, which older clients call /v3beta or /v3alpha. */
export const ETCD_ROUTES: ReadonlyMap<string, DescMethod> = new Map<string, DescMethod>([
  ["kv/range", KV.method.range],
  ["kv/put", KV.method.put],
  ["kv/deleterange", KV.method.deleteRange],
  ["kv/txn", KV.method.txn],
  ["kv/compaction", KV.method.compact],

  ["watch", Watch.method.watch],

  ["lease/grant", Lease.method.leaseGrant],
  ["lease/revoke", Lease.method.leaseRevoke],
  ["lease/keepalive", Lease.method.leaseKeepAlive],
  ["lease/timetolive", Lease.method.leaseTimeToLive],
  ["lease/leases", Lease.method.leaseLeases],
  ["kv/lease/revoke", Lease.method.leaseRevoke],
  ["kv/lease/timetolive", Lease.method.leaseTimeToLive],
  ["kv/lease/leases", Lease.method.leaseLeases],

  ["cluster/member/add", Cluster.method.memberAdd],
  ["cluster/member/remove", Cluster.method.memberRemove],
  ["cluster/member/update", Cluster.method.memberUpdate],
  ["cluster/member/list", Cluster.method.memberList],
  ["cluster/member/promote", Cluster.method.memberPromote],

  ["maintenance/alarm", Maintenance.method.alarm],
  ["maintenance/status", Maintenance.method.status],
  ["maintenance/defragment", Maintenance.method.defragment],
  ["maintenance/hash", Maintenance.method.hash],
  ["maintenance/hashkv", Maintenance.method.hashKV],
  ["maintenance/snapshot", Maintenance.method.snapshot],
  ["maintenance/transfer-leadership", Maintenance.method.moveLeader],
  ["maintenance/downgrade", Maintenance.method.downgrade],

  ["auth/enable", Auth.method.authEnable],
  ["auth/disable", Auth.method.authDisable],
  ["auth/status", Auth.method.authStatus],
  ["auth/authenticate", Auth.method.authenticate],
  ["auth/user/add", Auth.method.userAdd],
  ["auth/user/get", Auth.method.userGet],
  ["auth/user/list", Auth.method.userList],
  ["auth/user/delete", Auth.method.userDelete],
  ["auth/user/changepw", Auth.method.userChangePassword],
  ["auth/user/grant", Auth.method.userGrantRole],
  ["auth/user/revoke", Auth.method.userRevokeRole],
  ["auth/role/add", Auth.method.roleAdd],
  ["auth/role/get", Auth.method.roleGet],
  ["auth/role/list", Auth.method.roleList],
  ["auth/role/delete", Auth.method.roleDelete],
  ["auth/role/grant", Auth.method.roleGrantPermission],
  ["auth/role/revoke", Auth.method.roleRevokePermission],

  ["election/campaign", Election.method.campaign],
  ["election/proclaim", Election.method.proclaim],
  ["election/leader", Election.method.leader],
  ["election/observe", Election.method.observe],
  ["election/resign", Election.method.resign],

  ["lock/lock", Lock.method.lock],
  ["lock/unlock", Lock.method.unlock],
]);
