// Charts as SVG, by hand: bars that lie, and lines over a few steps.
//
// Colours are of a middle brightness and the ground is transparent, so a chart can be read on white
// and on black. Everything is drawn from numbers alone: the same figures give the same bytes.

import { showNumber } from "./table.js";

export interface Bar {
  readonly label: string;
  readonly value: number;
  /** Lowest and highest of the rounds, drawn as a whisker. */
  readonly min: number;
  readonly max: number;
  /** Bars of one group have one colour. */
  readonly group: string;
}

export interface BarChart {
  readonly title: string;
  readonly unit: string;
  readonly bars: readonly Bar[];
}

export interface LineChart {
  readonly title: string;
  readonly unit: string;
  readonly steps: readonly string[];
  /** One value for each step; NaN leaves a gap. */
  readonly lines: readonly { readonly name: string; readonly values: readonly number[] }[];
}

const WIDTH = 720;
const TEXT = "#808080";
const RULE = "#80808055";
const COLOURS = ["#3b8eea", "#e0803a", "#4caf6d", "#b06bd1", "#c94f5d", "#8a8f98"];
const FONT = "font-family='system-ui, sans-serif' font-size='13'";
const TITLE_Y = 22;
const TOP = 44;

const BAR = { height: 20, step: 28, left: 250, right: 90 };

export function barChart({ title, unit, bars }: BarChart): string {
  const highest = bars.reduce((most, { max }) => Math.max(most, max), 0);
  const scale = (WIDTH - BAR.left - BAR.right) / (highest || 1);
  const groups = [...new Set(bars.map(({ group }) => group))];
  const drawn = bars.map(({ label, value, min, max, group }, at) => {
    const y = TOP + at * BAR.step;
    const middle = y + BAR.height / 2;
    const [from, to] = [BAR.left + min * scale, BAR.left + max * scale];
    return [
      text(label, { x: BAR.left - 10, y: middle + 5, anchor: "end" }),
      `<rect x='${BAR.left}' y='${y}' width='${round(value * scale)}' height='${BAR.height}' ` +
        `fill='${colourOf(groups.indexOf(group))}'/>`,
      `<path d='M${round(from)} ${middle}H${round(to)}' stroke='${TEXT}' stroke-width='2'/>`,
      text(showNumber(value), { x: to + 8, y: middle + 5, anchor: "start" }),
    ].join("\n");
  });
  const height = TOP + bars.length * BAR.step + 8;
  return svg(height, [heading(title, unit), ...drawn]);
}

const LINE = { height: 300, left: 80, right: 170, bottom: 40 };

export function lineChart({ title, unit, steps, lines }: LineChart): string {
  const all = lines.flatMap(({ values }) => values).filter((value) => !Number.isNaN(value));
  const top = niceTop(Math.max(...all, 0));
  const bottom = TOP + LINE.height;
  const right = WIDTH - LINE.right;
  const x = (step: number) =>
    LINE.left + (step * (right - LINE.left)) / Math.max(1, steps.length - 1);
  const y = (value: number) => bottom - (value / top) * LINE.height;
  const rules = [0, 0.25, 0.5, 0.75, 1].map((share) => {
    const at = round(y(share * top));
    const label = text(showNumber(share * top), { x: LINE.left - 10, y: at + 5, anchor: "end" });
    return `<path d='M${LINE.left} ${at}H${right}' stroke='${RULE}'/>\n${label}`;
  });
  const labels = steps.map((step, at) =>
    text(step, { x: x(at), y: bottom + 24, anchor: "middle" }),
  );
  const ends = spread(lines.map(({ values }) => y(lastKnown(values))));
  const drawn = lines.map(({ name, values }, at) => {
    const points = values.flatMap((value, step) =>
      Number.isNaN(value) ? [] : [`${round(x(step))},${round(y(value))}`],
    );
    const colour = colourOf(at);
    return [
      `<polyline points='${points.join(" ")}' fill='none' stroke='${colour}' stroke-width='2.5'/>`,
      text(name, { x: right + 10, y: (ends[at] ?? 0) + 5, anchor: "start", colour }),
    ].join("\n");
  });
  return svg(bottom + LINE.bottom, [heading(title, unit), ...rules, ...labels, ...drawn]);
}

/** The end of an axis: 1, 2 or 5 times a power of ten. */
export function niceTop(highest: number): number {
  if (!(highest > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(highest));
  return power * ([1, 2, 5, 10].find((step) => step * power >= highest) ?? 10);
}

const LABEL_STEP = 17;

/** Heights of labels, moved apart where they would lie upon each other. */
function spread(heights: readonly number[]): number[] {
  const order = heights.map((height, at) => ({ height, at })).sort((a, b) => a.height - b.height);
  const moved = [...heights];
  let last = Number.NEGATIVE_INFINITY;
  for (const { height, at } of order) {
    last = Math.max(height, last + LABEL_STEP);
    moved[at] = last;
  }
  return moved;
}

function lastKnown(values: readonly number[]): number {
  return values.filter((value) => !Number.isNaN(value)).at(-1) ?? 0;
}

function svg(height: number, parts: readonly string[]): string {
  const box = `viewBox='0 0 ${WIDTH} ${height}' width='${WIDTH}' height='${height}'`;
  return `<svg xmlns='http://www.w3.org/2000/svg' ${box} ${FONT}>\n${parts.join("\n")}\n</svg>\n`;
}

function heading(title: string, unit: string): string {
  const alternative = `<title>${escaped(title)}, ${escaped(unit)}</title>`;
  const bold = `<text x='0' y='${TITLE_Y}' fill='${TEXT}' font-weight='600'>${escaped(title)}`;
  return `${alternative}\n${bold}<tspan font-weight='400'>, ${escaped(unit)}</tspan></text>`;
}

interface TextPlace {
  readonly x: number;
  readonly y: number;
  readonly anchor: "start" | "middle" | "end";
  readonly colour?: string;
}

function text(content: string, { x, y, anchor, colour = TEXT }: TextPlace): string {
  const place = `x='${round(x)}' y='${round(y)}' text-anchor='${anchor}'`;
  return `<text ${place} fill='${colour}'>${escaped(content)}</text>`;
}

function colourOf(at: number): string {
  return COLOURS[at % COLOURS.length] ?? TEXT;
}

function escaped(content: string): string {
  return content.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
