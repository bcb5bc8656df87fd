// Locks and elections in each of the output formats: what was got, and who is in a queue.

import type { Entry } from "../../index.js";
import { roughText } from "../duration.js";
import { bytesForm, type JsonObject } from "../json-forms.js";
import type { Output } from "../output.js";
import { tableText } from "../table.js";
import { lineText } from "../terminal-text.js";
import { holderFrom, nameOfHolder } from "./holder.js";
import type { Place } from "./place.js";

/** What a queue is about decides how its members are called, and what their values are. */
export type QueueKind = "lock" | "election";

const ROLES = {
  lock: { first: "holds", other: "waits" },
  election: { first: "leads", other: "stands" },
} as const;

/** It is held: the key and the revision that guards writes. */
export async function writeHeld(output: Output, name: Uint8Array, place: Place): Promise<void> {
  const { keyBytes, createRevision, leaseId } = place;
  if (output.format === "raw") await output.write(keyBytes);
  else if (isJson(output)) {
    const form = { ...bytesForm("name", name), ...bytesForm("key", keyBytes) };
    await output.json({ ...form, revision: createRevision, lease: leaseId.toString() });
  } else await output.line(`${lineText(keyBytes)}\t${createRevision}`);
}

/** All in a queue, the first one first. */
export async function writeMembers(
  output: Output,
  { kind, name, members }: { kind: QueueKind; name: Uint8Array; members: readonly Entry[] },
): Promise<void> {
  if (output.format === "json") {
    const [first, ...others] = members.map((member) => memberForm(kind, member));
    const { holder, waiting } = MEMBER_NAMES[kind];
    const form = { ...bytesForm("name", name), [holder]: first ?? null, [waiting]: others };
    await output.json(form);
    return;
  }
  const rows: string[][] = [];
  for (const [index, member] of members.entries()) {
    const role = index === 0 ? ROLES[kind].first : ROLES[kind].other;
    if (output.format === "jsonl") await output.json({ role, ...memberForm(kind, member) });
    else rows.push([role, ...cells(kind, member)]);
  }
  if (output.format === "jsonl") return;
  if (output.format !== "table") for (const row of rows) await output.line(row.join("\t"));
  else if (rows.length > 0) {
    const what = kind === "lock" ? ["who", "for"] : ["value"];
    const head = ["", ...what, "revision", "key"];
    await output.line(await tableText(head, rows, { right: [head.length - 2] }));
  }
}

const MEMBER_NAMES = {
  lock: { holder: "holder", waiting: "waiting" },
  election: { holder: "leader", waiting: "candidates" },
} as const;

function memberForm(kind: QueueKind, member: Entry): JsonObject {
  return {
    ...(kind === "lock" ? holderFrom(member.bytes) : bytesForm("value", member.bytes)),
    ...bytesForm("key", member.keyBytes),
    revision: member.createRevision,
    lease: member.leaseId.toString(),
  };
}

function cells(kind: QueueKind, member: Entry): string[] {
  const { createRevision, keyBytes } = member;
  const rest = [String(createRevision), lineText(keyBytes)];
  if (kind === "election") return [lineText(member.bytes), ...rest];
  const holder = holderFrom(member.bytes);
  return [nameOfHolder(holder, member), ageText(holder.held ?? holder.since), ...rest];
}

/** "3m 4s" by our clock; "-" for what is no time. */
function ageText(since: string | undefined): string {
  const ms = Date.now() - Date.parse(since ?? "");
  return Number.isNaN(ms) ? "-" : roughText(Math.max(0, ms));
}

function isJson(output: Output): boolean {
  return output.format === "json" || output.format === "jsonl";
}
