// Whether goals are met: the ratio of two series, by its median.

import type { Case, Goal, Series } from "../case.js";
import { ratiosOf, type Summary, summaryOf } from "../statistics.js";

export interface Verdict {
  readonly case: string;
  readonly goal: Goal;
  /** NaN: one of the two was not measured. */
  readonly ratio: Summary;
  readonly met: boolean | undefined;
}

export function verdictsOf(cases: readonly Case[], series: readonly Series[]): Verdict[] {
  return cases.flatMap((one) => {
    const values = (name: string) =>
      series.find((each) => each.case === one.name && each.name === name)?.values ?? [];
    return one.goals.map((goal) => verdict(one.name, goal, values));
  });
}

function verdict(name: string, goal: Goal, values: (name: string) => readonly number[]): Verdict {
  const ratio = summaryOf(ratiosOf(values(goal.over), values(goal.under)));
  const { median } = ratio;
  const { bound } = goal;
  const met = "atLeast" in bound ? median >= bound.atLeast : median <= bound.atMost;
  return { case: name, goal, ratio, met: Number.isNaN(median) ? undefined : met };
}

export function showBound({ bound }: Goal): string {
  return "atLeast" in bound ? `≥ ${bound.atLeast}` : `≤ ${bound.atMost}`;
}
