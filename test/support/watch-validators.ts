// What a watch promises, each promise a function: given what a watch has told and what has
// happened, they say what is wrong. They share nothing with the store but the vocabulary.

import type { Entry, Event, WatchMessage, WatchSpec } from "../../server/kv/types.js";
import { type ModelEvent, type State, selects } from "./model.js";

/** What happened, of all keys: events in order, and whole states by revision. */
export interface WatchHistory {
  readonly events: readonly ModelEvent[];
  readonly states: readonly State[];
  readonly compactRevision: number;
}

/** What one watch has told. */
export interface WatchLog {
  readonly spec: WatchSpec;
  readonly messages: readonly WatchMessage[];
}

/** Each answers what is wrong, or nothing. */
export type Validator = (log: WatchLog, history: WatchHistory) => readonly string[];

type Told = { readonly event: Event; readonly message: number };

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
const keyOf = (event: Event) => hex(event.type === "put" ? event.entry.key : event.key);

function told(log: WatchLog): Told[] {
  return log.messages.flatMap((message, index) =>
    message.kind === "events" ? message.events.map((event) => ({ event, message: index })) : [],
  );
}

/** The first revision that the watch has to tell. */
function firstRevision(log: WatchLog): number {
  const synced = log.messages.find(({ kind }) => kind === "synced");
  if (log.spec.includeCurrent) return (synced?.revision ?? Number.POSITIVE_INFINITY) + 1;
  if (log.spec.startRevision !== 0) return log.spec.startRevision;
  return (log.messages[0]?.revision ?? Number.POSITIVE_INFINITY) + 1;
}

/** Everything up to here has been told. */
function coveredRevision(log: WatchLog): number {
  let covered = 0;
  for (const message of log.messages) {
    if (message.kind === "progress") covered = Math.max(covered, message.revision);
    if (message.kind !== "events") continue;
    covered = Math.max(covered, message.fragment ? message.revision - 1 : message.revision);
  }
  return covered;
}

function wanted(log: WatchLog, event: ModelEvent): boolean {
  const { selector, excludePuts, excludeDeletes } = log.spec;
  if (event.entry === undefined ? excludeDeletes : excludePuts) return false;
  return selects(selector, Buffer.from(event.key, "hex"));
}

const createdFirst: Validator = ({ messages }) => {
  const at = messages.flatMap(({ kind }, index) => (kind === "created" ? [index] : []));
  return messages.length === 0 || (at.length === 1 && at[0] === 0) ? [] : [`created at ${at}`];
};

const ordered: Validator = (log) => {
  const list = told(log).map(({ event }) => event.revision);
  return list.flatMap((revision, index) =>
    revision < (list[index - 1] ?? 0) ? [`${revision} after ${list[index - 1]}`] : [],
  );
};

const unique: Validator = (log) => {
  const seen = new Set<string>();
  return told(log).flatMap(({ event }) => {
    const name = `${event.revision} of ${keyOf(event)}`;
    if (seen.has(name)) return [`${name} twice`];
    seen.add(name);
    return [];
  });
};

/** A revision is in one message, or all its messages but the last say that it goes on. */
const atomic: Validator = (log) => {
  const list = told(log);
  const problems = list.flatMap(({ event, message }, index) => {
    const before = list[index - 1];
    if (before === undefined || before.event.revision !== event.revision) return [];
    if (before.message === message) return [];
    const earlier = log.messages[before.message];
    const flagged = earlier?.kind === "events" && earlier.fragment;
    return flagged ? [] : [`${event.revision} is split without a mark`];
  });
  const fragments = log.messages.flatMap((message, index) => {
    if (message.kind !== "events" || !message.fragment) return [];
    const next = log.messages.slice(index + 1).find(({ kind }) => kind === "events");
    if (next?.kind !== "events" || next.events[0]?.revision === message.revision) return [];
    return [`${message.revision} is marked as going on, and does not`];
  });
  return [...problems, ...fragments];
};

/** From the first revision to the covered one nothing is missing, in the order of the changes. */
const reliable: Validator = (log, history) => {
  const covered = coveredRevision(log);
  const due = history.events
    .filter((event) => event.revision >= firstRevision(log) && event.revision <= covered)
    .filter((event) => wanted(log, event))
    .map((event) => `${event.revision} ${event.key}`);
  const got = told(log)
    .filter(({ event }) => event.revision <= covered)
    .map(({ event }) => `${event.revision} ${keyOf(event)}`);
  const missing = due.filter((name) => !got.includes(name)).map((name) => `${name} is missing`);
  if (missing.length > 0) return missing;
  return due.join() === got.join() ? [] : [`order ${got}, not ${due}`];
};

/** Progress is never ahead of its events, nor behind what was told. */
const bookmarkable: Validator = ({ messages }) => {
  let bookmark = 0;
  let last = 0;
  return messages.flatMap((message) => {
    if (message.kind === "progress") {
      const behind = message.revision < last ? [`progress ${message.revision} after ${last}`] : [];
      bookmark = Math.max(bookmark, message.revision);
      return behind;
    }
    if (message.kind !== "events") return [];
    last = Math.max(last, message.revision);
    return message.events
      .filter(({ revision }) => revision <= bookmark)
      .map(({ revision }) => `event of ${revision} after progress ${bookmark}`);
  });
};

const filtered: Validator = (log) =>
  told(log).flatMap(({ event }) => {
    const entry = event.type === "put" ? event.entry : undefined;
    const { revision } = event;
    const asModel = { revision, key: keyOf(event), entry, previous: undefined, reason: undefined };
    return wanted(log, asModel) ? [] : [`${revision} of ${keyOf(event)} is not selected`];
  });

const startsWhereAsked: Validator = (log) =>
  told(log)
    .filter(({ event }) => event.revision < firstRevision(log))
    .map(({ event }) => `event of ${event.revision} before ${firstRevision(log)}`);

const same = (left: Entry | undefined, right: Entry | undefined) => show(left) === show(right);

function show(entry: Entry | undefined): string {
  if (entry === undefined) return "none";
  const { createRevision, modRevision, version, leaseId } = entry;
  return [hex(entry.key), hex(entry.value), createRevision, modRevision, version, leaseId].join();
}

function modelled(history: WatchHistory, event: Event): ModelEvent | undefined {
  const key = keyOf(event);
  return history.events.find((each) => each.revision === event.revision && each.key === key);
}

/** The entries are those that were written; deletes tell their reason. */
const truthful: Validator = (log, history) =>
  told(log).flatMap(({ event }) => {
    const real = modelled(history, event);
    if (event.type === "put") {
      return same(real?.entry, event.entry) ? [] : [`${event.revision}: not what was written`];
    }
    if (real === undefined || real.entry !== undefined)
      return [`${event.revision}: no such delete`];
    return real.reason === event.reason ? [] : [`${event.revision}: reason ${event.reason}`];
  });

/** The previous entry is the one before, if asked for; only compaction may have taken it. */
const rightPrevious: Validator = (log, history) =>
  told(log).flatMap(({ event }) => {
    const real = modelled(history, event)?.previous;
    if (!log.spec.previous) return event.previous === undefined ? [] : ["previous not asked for"];
    if (same(real, event.previous)) return [];
    const compacted = event.previous === undefined && event.revision <= history.compactRevision;
    return compacted ? [] : [`${event.revision}: previous ${show(event.previous)}`];
  });

/** Version 1 and create revision mark the creations, and only them. */
const rightCreation: Validator = (log, history) =>
  told(log).flatMap(({ event }) => {
    if (event.type !== "put") return [];
    const created = modelled(history, event)?.previous === undefined;
    const { version, createRevision, modRevision } = event.entry;
    const marked = version === 1 && createRevision === modRevision;
    return marked === created ? [] : [`${event.revision}: version ${version}`];
  });

/** The present entries are those of their revision, in order, each once, before `synced`. */
const rightCurrent: Validator = (log, history) => {
  const pages = log.messages.filter((message) => message.kind === "current");
  const synced = log.messages.findIndex(({ kind }) => kind === "synced");
  if (!log.spec.includeCurrent) return pages.length === 0 && synced < 0 ? [] : ["not asked for"];
  if (synced < 0) return told(log).length === 0 ? [] : ["events before synced"];
  const revision = log.messages[synced]?.revision ?? 0;
  const early = log.messages.slice(0, synced).some(({ kind }) => kind === "events");
  const entries = pages.flatMap((page) => page.entries).map(show);
  const due = [...(history.states[revision]?.values() ?? [])]
    .filter(({ key }) => selects(log.spec.selector, key))
    .sort((left, right) => Buffer.compare(left.key, right.key))
    .map(show);
  const problems = early ? ["events before synced"] : [];
  if (pages.some((page) => page.revision !== revision)) problems.push("pages of two revisions");
  return entries.join(";") === due.join(";") ? problems : [...problems, "not the present entries"];
};

/** Commit times never go back. */
const timely: Validator = (log) => {
  const times = told(log).map(({ event }) => event.commitTimeMs);
  return times.flatMap((time, index) => (time < (times[index - 1] ?? 0) ? [`time ${time}`] : []));
};

export const VALIDATORS = {
  createdFirst,
  ordered,
  unique,
  atomic,
  reliable,
  bookmarkable,
  filtered,
  startsWhereAsked,
  truthful,
  rightPrevious,
  rightCreation,
  rightCurrent,
  timely,
} satisfies Record<string, Validator>;

export type ValidatorName = keyof typeof VALIDATORS;

/** The names of the promises that a watch has broken, with what is wrong. */
export function brokenPromises(log: WatchLog, history: WatchHistory): Map<ValidatorName, string> {
  const broken = new Map<ValidatorName, string>();
  for (const [name, validate] of Object.entries(VALIDATORS)) {
    const problems = validate(log, history);
    if (problems.length > 0) broken.set(name as ValidatorName, problems.slice(0, 3).join("; "));
  }
  return broken;
}
