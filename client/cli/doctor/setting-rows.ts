// Each setting of kvctl, with where it comes from, and variables that look like one and are none.

import { roughText } from "../duration.js";
import { GLOBAL_FLAGS, type Origin, type Settings } from "../settings.js";
import type { Environment } from "../user-folders.js";
import { type Finding, warning } from "./finding.js";

export interface SettingRow {
  readonly name: string;
  readonly value: string;
  readonly origin: Origin;
  /** Which one: "--server", "KVCTL_SERVER", "prod"; of a default, what it depends on. */
  readonly by: string | undefined;
}

export function settingRows(settings: Settings, environment: Environment): SettingRow[] {
  const { origins, context } = settings;
  const { KVCTL_PORT: port } = environment;
  const onOff = (value: boolean) => (value ? "on" : "off");
  const values: Readonly<Record<keyof Settings["origins"], string>> = {
    server: settings.server,
    output: settings.format,
    timeout: settings.timeoutMs === 0 ? "none" : roughText(settings.timeoutMs),
    color: settings.color,
    autostart: onOff(settings.autostart),
    quiet: onOff(settings.quiet),
    debug: onOff(settings.debug),
  };
  return (Object.keys(values) as (keyof typeof values)[]).map((name) => ({
    name,
    value: values[name],
    origin: origins[name],
    by: {
      flag: name === "autostart" ? "--no-autostart" : `--${name}`,
      variable: `KVCTL_${name.toUpperCase()}`,
      context,
      default: name === "server" && port !== undefined && port !== "" ? "KVCTL_PORT" : undefined,
    }[origins[name]],
  }));
}

const NO_FLAGS = ["KVCTL_PORT"];

/** A name with a mistake in it does nothing, and says nothing. */
export function variableFindings(environment: Environment): Finding[] {
  const known = [...GLOBAL_FLAGS.map((flag) => flag.environment), ...NO_FLAGS];
  return Object.keys(environment).flatMap((name) => {
    if (!name.startsWith("KVCTL_") || known.includes(name)) return [];
    const meant = known.find((each) => isAlmost(name, each));
    if (meant === undefined) return [];
    const text = `the variable ${name} means nothing to kvctl`;
    return [warning("variables", text, `did you mean ${meant}?`)];
  });
}

/** One letter more, less or other, or two that are swapped. */
export function isAlmost(one: string, other: string): boolean {
  let start = 0;
  while (start < one.length && one[start] === other[start]) start += 1;
  const [left, right] = [one.slice(start), other.slice(start)];
  const swapped = `${left[1] ?? ""}${left[0] ?? ""}${left.slice(2)}`;
  return [
    [left.slice(1), right],
    [left, right.slice(1)],
    [left.slice(1), right.slice(1)],
    [swapped, right],
  ].some(([mine, theirs]) => mine === theirs);
}
