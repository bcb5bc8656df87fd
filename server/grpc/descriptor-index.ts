// The descriptors of everything that is served, looked up by file and by symbol.
//
// They come from the committed FileDescriptorSet, whose source info holds the comments of the
// protos, and are given out as encoded FileDescriptorProtos. Knows nothing of the reflection
// protocol.

import { createFileRegistry, type DescFile, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  type DescriptorProto,
  type EnumDescriptorProto,
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
} from "@bufbuild/protobuf/wkt";

export class DescriptorIndex {
  readonly #files = new Map<string, DescFile>();
  /** The file that declares a full name. */
  readonly #declaring = new Map<string, DescFile>();
  readonly #messages = new Set<string>();
  readonly #encoded = new Map<string, Uint8Array>();

  /** From an encoded google.protobuf.FileDescriptorSet that holds every import. */
  constructor(descriptorSet: Uint8Array) {
    const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, descriptorSet));
    for (const file of registry.files) {
      this.#files.set(file.proto.name, file);
      this.#addFile(file);
    }
  }

  hasMessage(name: string): boolean {
    return this.#messages.has(name);
  }

  /** The file of this path, and after it all that it imports; undefined: there is none. */
  fileByPath(path: string): readonly Uint8Array[] | undefined {
    const file = this.#files.get(path);
    return file && this.#withImports(file);
  }

  /** The file that declares this full name, and after it all that it imports. */
  fileBySymbol(name: string): readonly Uint8Array[] | undefined {
    const file = this.#declaring.get(name);
    return file && this.#withImports(file);
  }

  /** Each file comes before those that it imports. */
  #withImports(file: DescFile): readonly Uint8Array[] {
    const importedFirst = new Set<DescFile>();
    const visit = (each: DescFile) => {
      if (importedFirst.has(each)) return;
      each.dependencies.forEach(visit);
      importedFirst.add(each);
    };
    visit(file);
    return Array.from(importedFirst, (each) => this.#encode(each)).reverse();
  }

  #encode(file: DescFile): Uint8Array {
    const known = this.#encoded.get(file.proto.name);
    if (known !== undefined) return known;
    const bytes = toBinary(FileDescriptorProtoSchema, file.proto);
    this.#encoded.set(file.proto.name, bytes);
    return bytes;
  }

  #addFile(file: DescFile): void {
    const { proto } = file;
    const scope = proto.package === "" ? "" : `${proto.package}.`;
    for (const message of proto.messageType) this.#addMessage(file, scope, message);
    for (const enumeration of proto.enumType) this.#addEnum(file, scope, enumeration);
    for (const extension of proto.extension) this.#declaring.set(scope + extension.name, file);
    for (const service of proto.service) {
      this.#declaring.set(scope + service.name, file);
      for (const method of service.method) {
        this.#declaring.set(`${scope}${service.name}.${method.name}`, file);
      }
    }
  }

  #addMessage(file: DescFile, outer: string, message: DescriptorProto): void {
    const name = outer + message.name;
    const scope = `${name}.`;
    this.#messages.add(name);
    this.#declaring.set(name, file);
    for (const field of message.field) this.#declaring.set(scope + field.name, file);
    for (const oneof of message.oneofDecl) this.#declaring.set(scope + oneof.name, file);
    for (const extension of message.extension) this.#declaring.set(scope + extension.name, file);
    for (const enumeration of message.enumType) this.#addEnum(file, scope, enumeration);
    for (const nested of message.nestedType) this.#addMessage(file, scope, nested);
  }

  /** Values are siblings of their enum, as in protobuf itself. */
  #addEnum(file: DescFile, scope: string, enumeration: EnumDescriptorProto): void {
    this.#declaring.set(scope + enumeration.name, file);
    for (const value of enumeration.value) this.#declaring.set(scope + value.name, file);
  }
}
