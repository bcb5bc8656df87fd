// A txn as JSON, nested ones too, in the forms of json-forms.ts:
//
//   {"compare": [{"key": "a", "modRevision": 0}, {"key": "b", "relation": "!=", "value": "x"}],
//    "success": [{"put": {"key": "a", "value": "1", "ttl": "30s"}}, {"delete": {"prefix":
// "old/"}}],
//    "failure": [{"get": {"key": "a"}}, {"txn": {…}}]}
//
// Members are those of the client's options; one that is not known is a mistake, not left out.

import type { Compare, Operation, Relation, SelectorLike, TxnSpec } from "../index.js";
import { defined } from "./defined.js";
import {
  bytesMember,
  FormError,
  isObject,
  type JsonObject,
  requiredBytes,
  ttlMember,
} from "./json-forms.js";

/** The server takes 8; this only keeps what is absurd from overflowing the stack. */
const MAX_LEVELS = 64;

/** @throws FormError whose text starts with the path of what is wrong. */
export function txnFromForm(form: unknown): TxnSpec {
  return txn(form, "", 1);
}

function txn(form: unknown, path: string, level: number): TxnSpec {
  if (level > MAX_LEVELS) throw new FormError(`${where(path)}txns are nested too deep`);
  const members = object(form, path, ["compare", "success", "failure"]);
  const operations = (name: "success" | "failure") =>
    list(members, name, path).map((item, index) =>
      operation(item, `${path}${name}[${index}].`, level),
    );
  return {
    compare: list(members, "compare", path).map((item, index) =>
      compare(item, `${path}compare[${index}].`),
    ),
    success: operations("success"),
    failure: operations("failure"),
  };
}

const SELECTOR_MEMBERS = [
  ...["key", "key64", "prefix", "prefix64", "start", "start64", "end", "end64"],
  "all",
];
const TARGETS = ["version", "createRevision", "modRevision", "value", "lease", "exists"] as const;
const RELATIONS: readonly Relation[] = ["=", "!=", "<", ">"];

function compare(form: unknown, path: string): Compare {
  const allowed = [...SELECTOR_MEMBERS, ...TARGETS, "value64", "relation"];
  const members = object(form, path, allowed);
  const given = TARGETS.filter((name) => name in members || `${name}64` in members);
  const [target] = given;
  if (target === undefined || given.length > 1) {
    throw new FormError(`${where(path)}give one of ${TARGETS.join(", ")}`);
  }
  const { relation: wanted = "=" } = members;
  const relation = RELATIONS.find((known) => known === wanted);
  if (relation === undefined) {
    throw new FormError(`${path}relation is one of ${RELATIONS.join(" ")}`);
  }
  return { selector: selector(members, path), relation, target: targetOf(members, target, path) };
}

function targetOf(
  members: JsonObject,
  target: (typeof TARGETS)[number],
  path: string,
): Compare["target"] {
  switch (target) {
    case "value":
      return { kind: "value", value: at(path, () => requiredBytes(members, "value")) };
    case "lease":
      return { kind: "leaseId", value: leaseId(members, path) ?? 0n };
    case "exists":
      return { kind: "exists", value: boolean(members, "exists", path) ?? true };
    default:
      return { kind: target, value: number(members, target, path) ?? 0 };
  }
}

function operation(form: unknown, path: string, level: number): Operation {
  const names = ["get", "range", "put", "delete", "txn"] as const;
  const members = object(form, path, names);
  const given = names.filter((name) => name in members);
  const [name] = given;
  if (name === undefined || given.length > 1) {
    throw new FormError(`${where(path)}give one of ${names.join(", ")}`);
  }
  const inner = `${path}${name}.`;
  const member = members[name];
  switch (name) {
    case "get":
      return get(member, inner);
    case "range":
      return range(member, inner);
    case "put":
      return put(member, inner);
    case "delete":
      return remove(member, inner);
    case "txn":
      return { kind: "txn", txn: txn(member, inner, level + 1) };
  }
}

function get(form: unknown, path: string): Operation {
  const members = object(form, path, ["key", "key64", "revision"]);
  const key = at(path, () => requiredBytes(members, "key"));
  return { kind: "get", key, options: defined({ revision: number(members, "revision", path) }) };
}

function range(form: unknown, path: string): Operation {
  const names = ["revision", "limit", "order", "keysOnly", "delimiter"];
  const members = object(form, path, [...SELECTOR_MEMBERS, ...names]);
  const options = defined({
    revision: number(members, "revision", path),
    limit: number(members, "limit", path),
    order: order(members, path),
    keysOnly: boolean(members, "keysOnly", path),
    delimiter: text(members, "delimiter", path),
  });
  return { kind: "range", selector: selector(members, path), options };
}

function put(form: unknown, path: string): Operation {
  const bytes = ["key", "key64", "value", "value64"];
  const names = ["ttl", "lease", "keepLease", "expectedModRevision", "returnPrevious"];
  const members = object(form, path, [...bytes, ...names]);
  const options = defined({
    ttl: at(path, () => ttlMember(members)),
    leaseId: leaseId(members, path),
    keepLease: boolean(members, "keepLease", path),
    expectedModRevision: number(members, "expectedModRevision", path),
    returnPrevious: boolean(members, "returnPrevious", path),
  });
  const key = at(path, () => requiredBytes(members, "key"));
  const value = at(path, () => requiredBytes(members, "value"));
  return { kind: "put", key, value, options };
}

function remove(form: unknown, path: string): Operation {
  const names = ["limit", "expectedModRevision", "returnPrevious"];
  const members = object(form, path, [...SELECTOR_MEMBERS, ...names]);
  const options = defined({
    limit: number(members, "limit", path),
    expectedModRevision: number(members, "expectedModRevision", path),
    returnPrevious: boolean(members, "returnPrevious", path),
  });
  return { kind: "delete", selector: selector(members, path), options };
}

function selector(members: JsonObject, path: string): SelectorLike {
  const bytes = (name: string) => at(path, () => bytesMember(members, name));
  const key = bytes("key");
  const prefix = bytes("prefix");
  const start = bytes("start");
  const end = bytes("end");
  const all = boolean(members, "all", path) === true;
  const interval = start !== undefined || end !== undefined;
  if ([key !== undefined, prefix !== undefined, interval, all].filter(Boolean).length !== 1) {
    throw new FormError(`${where(path)}give one of key, prefix, start and end, all`);
  }
  if (key !== undefined) return { key };
  if (prefix !== undefined) return { prefix };
  return all ? { all: true } : defined({ start, end });
}

function object(form: unknown, path: string, allowed: readonly string[]): JsonObject {
  if (!isObject(form)) throw new FormError(`${where(path)}not a JSON object`);
  const unknown = Object.keys(form).find((name) => !allowed.includes(name));
  if (unknown === undefined) return form;
  throw new FormError(`${path}${unknown} is not known; there are ${allowed.join(", ")}`);
}

function list(members: JsonObject, name: string, path: string): readonly unknown[] {
  const value = members[name] ?? [];
  if (Array.isArray(value)) return value;
  throw new FormError(`${path}${name} must be a list`);
}

function number(members: JsonObject, name: string, path: string): number | undefined {
  const value = members[name];
  if (value === undefined) return undefined;
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
  throw new FormError(`${path}${name} must be a whole number from 0 on`);
}

function boolean(members: JsonObject, name: string, path: string): boolean | undefined {
  const value = members[name];
  if (value === undefined || typeof value === "boolean") return value;
  throw new FormError(`${path}${name} must be true or false`);
}

function text(members: JsonObject, name: string, path: string): string | undefined {
  const value = members[name];
  if (value === undefined || typeof value === "string") return value;
  throw new FormError(`${path}${name} must be text`);
}

function order(members: JsonObject, path: string): "ascending" | "descending" | undefined {
  const { order: value } = members;
  if (value === undefined || value === "ascending" || value === "descending") return value;
  throw new FormError(`${path}order is ascending or descending`);
}

/** As text, because JSON's numbers lose it. */
function leaseId(members: JsonObject, path: string): bigint | undefined {
  const { lease: value } = members;
  if (value === undefined) return undefined;
  if (typeof value === "string" && /^-?\d{1,19}$/.test(value)) {
    const id = BigInt(value);
    if (BigInt.asIntN(64, id) === id) return id;
  }
  throw new FormError(`${path}lease must be a lease id as text, such as "7"`);
}

/** Puts the path in front of a mistake in a form. */
function at<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof FormError)) throw error;
    throw new FormError(`${where(path)}${error.message}`, { cause: error });
  }
}

/** "success[0].put." as it stands before a sentence. */
function where(path: string): string {
  return path === "" ? "" : `${path.slice(0, -1)}: `;
}
