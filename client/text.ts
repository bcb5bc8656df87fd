// Text and bytes: UTF-8 without repairs in either direction. Only shownText() puts U+FFFD where
// there is no text, for what people read.

const encoder = new TextEncoder();
const fatalDecoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const lenientDecoder = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * The text itself, once it is sure to have a UTF-8 form.
 *
 * @throws TypeError when it has a lone surrogate, which would arrive as U+FFFD, as another text.
 */
export function wellFormed(text: string, what: string): string {
  // Node has it since 20.0; the library of ES2023 does not declare it.
  if ((text as string & { isWellFormed(): boolean }).isWellFormed()) return text;
  throw new TypeError(`${what} has a lone surrogate, so it has no UTF-8 form; pass bytes instead`);
}

/** @throws TypeError when the text has a lone surrogate. */
export function utf8FromText(text: string, what: string): Uint8Array {
  return encoder.encode(wellFormed(text, what));
}

/** @throws TypeError when the bytes are not UTF-8. */
export function textFromUtf8(bytes: Uint8Array): string {
  return fatalDecoder.decode(bytes);
}

/** Bytes that are not UTF-8 show as U+FFFD. */
export function shownText(bytes: Uint8Array): string {
  return lenientDecoder.decode(bytes);
}

/** What a wrong argument is, for an error text. */
export function kindOf(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "an array" : typeof value;
}
