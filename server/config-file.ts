// The file of --config: TOML whose keys are the names of the flags, without the dashes.
//
//   listen = ["127.0.0.1:7856", "unix:/run/kvd.sock"]
//   data-dir = "/var/lib/kvd"
//   store-max-bytes = "2GiB"
//   insecure = false

import { type Command, InvalidArgumentError, type Option } from "commander";
import { parse, TomlError } from "smol-toml";
import { LISTS, settingsOf, similarFlag, valueFromText } from "./config-flags.js";
import { ValueError } from "./config-values.js";

/** What has no meaning in a file. */
const FLAGS_ONLY = new Set(["version", "help", "config", "print-config"]);

/**
 * Gives the options that neither a flag nor a variable has set the value of the file.
 *
 * @throws ValueError that names the file and the setting.
 */
export function applyFile(command: Command, path: string, text: string): void {
  for (const [name, value] of Object.entries(parsed(path, text))) {
    const option = settingsOf(command).find(({ long }) => long === `--${name}`);
    if (option === undefined || FLAGS_ONLY.has(name)) throw unknown(path, name);
    const attribute = option.attributeName();
    if (command.getOptionValueSource(attribute) !== undefined) continue;
    command.setOptionValueWithSource(
      attribute,
      valueOfSetting(path, name, option, value),
      "config",
    );
  }
}

function parsed(path: string, text: string): Readonly<Record<string, unknown>> {
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const place = `line ${error.line}, column ${error.column}`;
    throw new ValueError(`${path}, ${place}: ${error.message.split("\n")[0]}`);
  }
}

function unknown(path: string, name: string): ValueError {
  const similar = FLAGS_ONLY.has(name) ? undefined : similarFlag(name)?.long?.slice(2);
  const hint = similar === undefined ? "" : ` (did you mean ${similar}?)`;
  return new ValueError(`${path}: the setting ${JSON.stringify(name)} is unknown${hint}`);
}

function valueOfSetting(path: string, name: string, option: Option, value: unknown): unknown {
  try {
    const check = LISTS[option.attributeName()];
    if (check !== undefined) return [value].flat().map((one) => check(textOf(one)));
    return valueFromText(option, textOf(value));
  } catch (error) {
    if (!(error instanceof InvalidArgumentError || error instanceof ValueError)) throw error;
    throw new ValueError(`${path}: ${name} is invalid. ${error.message}`);
  }
}

function textOf(value: unknown): string {
  if (["string", "number", "boolean", "bigint"].includes(typeof value)) return String(value);
  throw new ValueError("expected text, a number, or true or false");
}
