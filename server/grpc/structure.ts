// Whether bytes have the structure of a message, all the way down, before they are decoded. The
// generated decoders take a tag of 0, or the end of a group that never began, for the end of a
// message, and a length that reaches beyond the message around it for what it says; what follows is
// then read as something else.
//
// It knows from the descriptors which fields are messages, and keeps a stack of its own. Unknown
// fields are passed over.

import type { DescField, DescMessage } from "@bufbuild/protobuf";
import { LENGTH_DELIMITED, wireFieldAt } from "./wire-field.js";

/** The messages among the fields of a message, by number. */
type Shape = ReadonlyMap<number, () => Shape>;

const shapes = new Map<DescMessage, Shape>();

function shapeOf(message: DescMessage): Shape {
  const known = shapes.get(message);
  if (known !== undefined) return known;
  const shape = new Map<number, () => Shape>();
  for (const field of message.fields) {
    const type = messageOf(field);
    if (type !== undefined) shape.set(field.number, () => shapeOf(type));
  }
  shapes.set(message, shape);
  return shape;
}

function messageOf(field: DescField): DescMessage | undefined {
  if (field.fieldKind === "message") return field.message;
  return field.fieldKind === "list" && field.listKind === "message" ? field.message : undefined;
}

/** A message that surrounds the place that is looked at. */
interface Span {
  readonly end: number;
  readonly shape: Shape;
}

/** Far above what any message that is served nests; decoders recurse. */
const LEVELS_MAX = 1000;

/** Whether bytes[start, end) are such a message as far as tags, lengths and their nesting tell. */
export function hasStructure(
  bytes: Uint8Array,
  message: DescMessage,
  { start, end } = { start: 0, end: bytes.length },
): boolean {
  const spans: Span[] = [{ end, shape: shapeOf(message) }];
  let at = start;
  for (let span = spans.at(-1); span !== undefined; span = spans.at(-1)) {
    if (at === span.end) {
      spans.pop();
      continue;
    }
    const field = wireFieldAt(bytes, at, span.end);
    if (field === undefined) return false;
    const isLength = field.wireType === LENGTH_DELIMITED;
    const inner = isLength ? span.shape.get(field.number) : undefined;
    at = inner === undefined ? field.end : field.start;
    if (inner === undefined) continue;
    if (spans.length === LEVELS_MAX) return false;
    spans.push({ end: field.end, shape: inner() });
  }
  return true;
}
