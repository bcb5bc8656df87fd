// Calls that change nothing, and what etcd answers to them while it has neither users nor alarms
// nor other members: asked of a real one, and of kvd.

import { type Client, credentials, type ServiceError } from "@grpc/grpc-js";
import {
  AlarmRequest_AlarmAction as Action,
  AlarmType,
  AuthClient,
  ClusterClient,
  MaintenanceClient,
} from "../../../gen/grpc/etcd/rpc.js";
import type { Scope } from "../process.js";

type Service = "auth" | "cluster" | "maintenance";

export interface KnownAnswer {
  readonly service: Service;
  readonly method: string;
  readonly request: object;
  /** The status, or the fields of the message but its header, as JSON. */
  readonly answer: string;
  /** Other answers of etcd before the version that kvd says it is. */
  readonly isNewer?: true;
}

const NO_USER = "9 etcdserver: user name not found";
const NO_ROLE = "9 etcdserver: role name not found";
const NO_MEMBER = "5 etcdserver: member not found";
const NO_TRANSFER = "9 etcdserver: bad leader transferee";
const NOBODY = { name: "", password: "", hashedPassword: "", options: undefined };
const PERMISSION = { permType: 0, key: Buffer.from("a"), rangeEnd: Buffer.from("b") };
const OF_AUTH = { enabled: false, authRevision: "1" };

export const KNOWN_ANSWERS: readonly KnownAnswer[] = [
  auth("authEnable", {}, "9 etcdserver: root user does not exist"),
  auth("authDisable", {}, "{}"),
  { ...auth("authStatus", {}, JSON.stringify(OF_AUTH)), isNewer: true },
  auth("authenticate", { name: "a", password: "b" }, notEnabled()),
  auth("authenticate", { name: "", password: "" }, notEnabled()),
  auth("userList", {}, '{"users":[]}'),
  auth("roleList", {}, '{"roles":[]}'),
  auth("userAdd", NOBODY, "3 etcdserver: user name is empty"),
  auth("userAdd", { ...NOBODY, password: "x" }, "3 etcdserver: user name is empty"),
  auth("roleAdd", { name: "" }, "3 etcdserver: role name is empty"),
  ...["", "a", "root"].flatMap((name) => [
    auth("userGet", { name }, NO_USER),
    auth("userDelete", { name }, NO_USER),
    auth("userChangePassword", { name, password: "x", hashedPassword: "" }, NO_USER),
    auth("userChangePassword", { name, password: "", hashedPassword: "" }, NO_USER),
    auth("userGrantRole", { user: name, role: "r" }, NO_USER),
    auth("userRevokeRole", { name, role: "" }, NO_USER),
    auth("roleGet", { role: name }, NO_ROLE),
    auth("roleDelete", { role: name }, NO_ROLE),
    auth("roleGrantPermission", { name, perm: PERMISSION }, NO_ROLE),
    auth("roleGrantPermission", { name, perm: undefined }, NO_ROLE),
    auth("roleRevokePermission", { role: name, key: PERMISSION.key, rangeEnd: "" }, NO_ROLE),
  ]),
  ...[0n, 5n].flatMap((ID) => [
    cluster("memberRemove", { ID }, NO_MEMBER),
    cluster("memberPromote", { ID }, NO_MEMBER),
    cluster("memberUpdate", { ID, peerURLs: ["http://127.0.0.1:1"] }, NO_MEMBER),
    maintenance("moveLeader", { targetID: ID }, NO_TRANSFER),
  ]),
  ...[AlarmType.NONE, AlarmType.NOSPACE, AlarmType.CORRUPT].flatMap((alarm) => [
    maintenance("alarm", { action: Action.GET, memberID: 0n, alarm }, '{"alarms":[]}'),
    maintenance("alarm", { action: Action.DEACTIVATE, memberID: 5n, alarm }, '{"alarms":[]}'),
  ]),
  maintenance("defragment", {}, "{}"),
];

function auth(method: string, request: object, answer: string): KnownAnswer {
  return { service: "auth", method, request, answer };
}

function cluster(method: string, request: object, answer: string): KnownAnswer {
  return { service: "cluster", method, request, answer };
}

function maintenance(method: string, request: object, answer: string): KnownAnswer {
  return { service: "maintenance", method, request, answer };
}

function notEnabled(): string {
  return "9 etcdserver: authentication is not enabled";
}

/** What a server answers, in the same form. */
export function answersOf(scope: Scope, address: string) {
  const insecure = credentials.createInsecure();
  const clients: { readonly [service in Service]: Client } = {
    auth: new AuthClient(address, insecure),
    cluster: new ClusterClient(address, insecure),
    maintenance: new MaintenanceClient(address, insecure),
  };
  scope.teardown(() => {
    for (const client of Object.values(clients)) client.close();
  });
  return ({ service, method, request }: KnownAnswer): Promise<string> =>
    new Promise((resolve) => {
      const call: unknown = Reflect.get(clients[service], method);
      if (typeof call !== "function") throw new Error(`there is no method ${method}`);
      call.call(clients[service], request, (error: ServiceError | null, message: object) => {
        resolve(error === null ? fieldsOf(message) : `${error.code} ${error.details}`);
      });
    });
}

function fieldsOf(message: object): string {
  return JSON.stringify({ ...message, header: undefined }, (_name, value) =>
    typeof value === "bigint" ? `${value}` : value,
  );
}

/** For titles. */
export function shownCall({ service, method, request }: KnownAnswer): string {
  return `${service} ${method} ${fieldsOf(request)}`;
}
