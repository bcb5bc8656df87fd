// All that is asked of a history at once, for the tests that make histories with real servers.

import { type Bank, bankProblems } from "./bank.js";
import type { History, Journal } from "./history.js";
import { listProblems } from "./list-append.js";
import { type Losses, lossesOf } from "./losses.js";
import { registerVerdicts } from "./registers.js";
import { replayProblems } from "./replay.js";

export interface Judgement extends Losses {
  /** By name of the checker, the first few of what it found. */
  readonly problems: readonly string[];
  /** Keys on which the Wing & Gong checker gave up. */
  readonly undecided: readonly string[];
  readonly calls: number;
  readonly unknown: number;
}

export interface Families {
  readonly bank: Bank;
  /** Of the keys that hold lists. */
  readonly lists: string;
}

const SHOWN = 3;
const SHOWN_LENGTH = 600;

export function judge(history: History, journal: Journal, families: Families): Judgement {
  const verdicts = [...registerVerdicts(history)];
  const keysOf = (wanted: string) =>
    verdicts.filter(([, verdict]) => verdict === wanted).map(([key]) => key);
  const found = {
    replay: replayProblems(history, journal),
    "Wing & Gong": keysOf("not linearizable"),
    bank: bankProblems(history, families.bank),
    lists: listProblems(history, families.lists),
  };
  return {
    ...lossesOf(history, journal),
    problems: Object.entries(found).flatMap(([name, problems]) =>
      problems.slice(0, SHOWN).map((problem) => `${name}: ${problem}`),
    ),
    undecided: keysOf("undecided"),
    calls: history.calls.length,
    unknown: history.calls.filter(({ outcome }) => outcome.kind === "unknown").length,
  };
}

/** As tests print it, after the promise that it is about. */
export function showJudgement(judgement: Judgement): string {
  return showSum([judgement]);
}

export function showSum(judgements: readonly Judgement[]): string {
  const sum = (of: (judgement: Judgement) => number) =>
    judgements.reduce((total, judgement) => total + of(judgement), 0);
  const lost = sum(({ acknowledgedLost }) => acknowledgedLost.length);
  const seenLost = sum(({ seenLost }) => seenLost.length);
  return [
    `acknowledged lost: ${lost} of ${sum(({ acknowledged }) => acknowledged)}`,
    `seen then lost: ${seenLost} of ${sum(({ seen }) => seen)}`,
    `calls: ${sum(({ calls }) => calls)}`,
    `unknown: ${sum(({ unknown }) => unknown)}`,
    `undecided: ${sum(({ undecided }) => undecided.length)}`,
  ].join(", ");
}

/** Everything that is wrong, the first few of each kind. */
export function wrongs(judgement: Judgement): readonly string[] {
  const { problems, undecided, acknowledgedLost, seenLost } = judgement;
  return [
    ...acknowledgedLost.slice(0, SHOWN).map((text) => `acknowledged, lost: ${text}`),
    ...seenLost.slice(0, SHOWN).map((text) => `seen, lost: ${text}`),
    ...undecided.slice(0, SHOWN).map((key) => `undecided: ${key}`),
    ...problems,
  ].map((text) => text.slice(0, SHOWN_LENGTH));
}
