// The reference of the contract: every service, message and enum of kvd.v1, from the descriptors,
// which hold the comments of the protos under the paths of what they stand before.

import { fromBinary, isFieldSet } from "@bufbuild/protobuf";
import {
  type DescriptorProto,
  type EnumDescriptorProto,
  type FieldDescriptorProto,
  FieldDescriptorProto_Label,
  FieldDescriptorProto_Type,
  FieldDescriptorProtoSchema,
  type FileDescriptorProto,
  FileDescriptorSetSchema,
  type ServiceDescriptorProto,
} from "@bufbuild/protobuf/wkt";
import { type Section, textFromPage } from "./page.js";

const PACKAGE = "kvd.v1";
/** From what everybody needs to what few do. */
const FILES = ["kv", "watch", "lease", "maintenance", "error"];

const INTRO = `Every service, message and enum of \`${PACKAGE}\`. Made by \`npm run docs\` from the
comments in [proto/kvd/v1](../../proto/kvd/v1), which are the specification.`;

/** Field numbers of descriptor.proto, of which the paths of comments are made. */
const SYNTAX = 12;
const OF_FILE = { message: 4, enum: 5, service: 6 };
const MEMBER = 2;
const ONEOF = 8;

/** The comment before what is at a path; empty when there is none. */
type Comments = (...path: readonly number[]) => string;

export function protoReference(descriptors: Uint8Array): string {
  const { file } = fromBinary(FileDescriptorSetSchema, descriptors);
  const files = file.filter((each) => each.package === PACKAGE);
  const place = ({ name }: FileDescriptorProto) =>
    FILES.findIndex((each) => name.endsWith(`/${each}.proto`));
  const sections = files.sort((one, other) => place(one) - place(other)).flatMap(sectionsOf);
  return textFromPage({ title: "The contract", intro: INTRO, sections });
}

function sectionsOf(file: FileDescriptorProto): readonly Section[] {
  const all = commentsOf(file);
  const under =
    (kind: keyof typeof OF_FILE, index: number): Comments =>
    (...path) =>
      all(OF_FILE[kind], index, ...path);
  const section = ({ name }: { name: string }, body: string): Section => ({
    level: 3,
    heading: name,
    body: body.trim(),
  });
  return [
    { level: 2, heading: file.name, body: all(SYNTAX) },
    ...file.service.map((each, index) => section(each, serviceBody(each, under("service", index)))),
    ...file.messageType.map((each, index) =>
      section(each, messageBody(each, under("message", index))),
    ),
    ...file.enumType.map((each, index) => section(each, enumBody(each, under("enum", index)))),
  ];
}

function commentsOf({ sourceCodeInfo }: FileDescriptorProto): Comments {
  const byPath = new Map(
    sourceCodeInfo?.location.map(({ path, leadingComments }) => [path.join(), leadingComments]),
  );
  return (...path) => (byPath.get(path.join()) ?? "").replace(/^ /gm, "").trim();
}

function serviceBody({ method }: ServiceDescriptorProto, comment: Comments): string {
  const methods = method.map((each, index) => {
    const from = `${each.clientStreaming ? "stream of " : ""}${typeText(each.inputType)}`;
    const to = `${each.serverStreaming ? "stream of " : ""}${typeText(each.outputType)}`;
    const text = comment(MEMBER, index).replaceAll("\n", "\n  ");
    return `- **${each.name}**: ${from} → ${to}\n\n  ${text}\n`;
  });
  return `${comment()}\n\n${methods.join("\n")}`;
}

function messageBody(message: DescriptorProto, comment: Comments): string {
  let above: number | undefined;
  const rows = message.field.flatMap((field, index) => {
    const oneof = oneofOf(field);
    const isFirst = oneof !== above;
    above = oneof;
    const text = row([
      `${oneof === undefined ? "" : "· "}\`${field.name}\``,
      fieldType(message, field),
      `${field.number}`,
      comment(MEMBER, index),
    ]);
    if (oneof === undefined || !isFirst) return [text];
    const head = `one of *${message.oneofDecl[oneof]?.name}*`;
    return [row([head, "", "", comment(ONEOF, oneof)]), text];
  });
  return [comment(), ...table(["field", "type", "number", "meaning"], rows)].join("\n");
}

function enumBody({ value }: EnumDescriptorProto, comment: Comments): string {
  const rows = value.map(({ name, number }, index) =>
    row([`\`${name}\``, `${number}`, comment(MEMBER, index)]),
  );
  return [comment(), ...table(["value", "number", "meaning"], rows)].join("\n");
}

function table(heads: readonly string[], rows: readonly string[]): readonly string[] {
  return rows.length === 0 ? [] : ["", row(heads), `|${"---|".repeat(heads.length)}`, ...rows];
}

function row(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll("\n", " ").replaceAll("|", "\\|")).join(" | ")} |`;
}

/** The place of its oneof; an optional field is in one that nobody wrote. */
function oneofOf(field: FieldDescriptorProto): number | undefined {
  const isIn = isFieldSet(field, FieldDescriptorProtoSchema.field.oneofIndex);
  return isIn && !field.proto3Optional ? field.oneofIndex : undefined;
}

function fieldType(message: DescriptorProto, field: FieldDescriptorProto): string {
  const entry = message.nestedType.find(({ name }) => field.typeName.endsWith(`.${name}`));
  if (entry?.options?.mapEntry === true) return `map of ${entry.field.map(plainType).join(" to ")}`;
  if (field.label === FieldDescriptorProto_Label.REPEATED) return `repeated ${plainType(field)}`;
  return `${field.proto3Optional ? "optional " : ""}${plainType(field)}`;
}

function plainType({ type, typeName }: FieldDescriptorProto): string {
  return typeName === "" ? FieldDescriptorProto_Type[type].toLowerCase() : typeText(typeName);
}

/** A type of ours is a link. */
function typeText(typeName: string): string {
  const ours = `.${PACKAGE}.`;
  if (!typeName.startsWith(ours)) return typeName.slice(1);
  const name = typeName.slice(ours.length);
  return `[${name}](#${name.toLowerCase()})`;
}
