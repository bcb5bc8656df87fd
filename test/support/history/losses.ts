// What a crash must not take: what was acknowledged, and what anybody has seen, by a read, by a
// watch or by its progress. Told beforehand, looked for in the journal afterwards.

import { ABSENT, type Call, type Change, type History, type Journal, showCall } from "./history.js";

export interface Losses {
  /** Writes that were acknowledged, and those that are gone. */
  readonly acknowledged: number;
  readonly acknowledgedLost: readonly string[];
  /** Things that were seen, and those that are gone. */
  readonly seen: number;
  readonly seenLost: readonly string[];
}

interface Claim {
  readonly revision: number;
  readonly change: Change | undefined;
  readonly by: string;
}

export function lossesOf(history: History, journal: Journal): Losses {
  const commits = new Map(journal.commits.map(({ revision, changes }) => [revision, changes]));
  const isLost = ({ revision, change }: Claim) => {
    if (change === undefined) return revision > journal.revision;
    const changes = commits.get(revision) ?? [];
    return !changes.some(({ key, value }) => key === change.key && value === change.value);
  };
  const show = ({ by, revision, change }: Claim) =>
    `${by}: ${change === undefined ? "" : `${change.key} ${change.value} `}at ${revision}`;
  const acknowledged = history.calls.flatMap(writesOf);
  const seen = [...history.calls.flatMap(sightsOf), ...sightsOfWatches(history)];
  return {
    acknowledged: acknowledged.length,
    acknowledgedLost: acknowledged.filter(isLost).map(show),
    seen: seen.length,
    seenLost: seen.filter(isLost).map(show),
  };
}

function writesOf(call: Call): Claim[] {
  const { command, outcome } = call;
  if (outcome.kind !== "answered" || outcome.revision === undefined) return [];
  const { revision, answers } = outcome;
  const by = showCall(call);
  const branch = outcome.succeeded ? command.success : command.failure;
  return branch.flatMap((operation, index): Claim[] => {
    if (operation.kind === "put") {
      return [{ revision, change: { key: operation.key, value: operation.value }, by }];
    }
    const answer = answers[index];
    if (operation.kind === "read" || !("key" in operation.keys)) return [];
    if (answer?.kind !== "delete" || answer.deleted === 0) return [];
    return [{ revision, change: { key: operation.keys.key, value: ABSENT }, by }];
  });
}

/** Every answer tells that its revision is there; a read, what was written when. */
function sightsOf(call: Call): Claim[] {
  const { outcome } = call;
  if (outcome.kind !== "answered") return [];
  const by = showCall(call);
  const { revision, answers } = outcome;
  const head = revision === undefined ? [] : [{ revision, change: undefined, by }];
  const entries = answers.flatMap((answer) => (answer.kind === "read" ? answer.entries : []));
  return [
    ...head,
    ...entries.map((entry) => {
      const { key, value } = entry;
      return { revision: entry.revision, change: { key, value }, by };
    }),
  ];
}

function sightsOfWatches({ sightings }: History): Claim[] {
  return sightings.flatMap(({ watch: by, revision, changes }) => [
    { revision, change: undefined, by },
    ...changes.map((change) => ({ revision, change, by })),
  ]);
}
