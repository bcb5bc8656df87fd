// The reference of the client: every name that the package exports, from the compiled declarations,
// in the order of client/index.ts.

import { type Declaration, declarationsOf, type Member, reExportsOf } from "./declarations.js";
import { type Section, textFromPage } from "./page.js";

/** The compiled declarations of a source, by its path without an ending. */
export type Declarations = (path: string) => string;

const INTRO = `Every name that the package exports. Made by \`npm run docs\` from the comments in the
sources; the README has a tour, and [guarantees.md](../guarantees.md) the reasons of errors.`;

export function clientReference(read: Declarations): string {
  const file = (path: string) => declarationsOf(read(`${path}.d.ts`));
  const client = reExportsOf(read("client/index.d.ts")).flatMap(({ path, names }) => {
    const all = file(`client/${path}`);
    return all.filter(({ name }) => names === undefined || names.includes(name));
  });
  const sections = [
    chapter("kvd-grpc", "The client.", client),
    chapter("kvd-grpc/server", "The server, inside a Node program.", file("server/server")),
  ];
  return textFromPage({ title: "The client", intro: INTRO, sections: sections.flat() });
}

function chapter(
  heading: string,
  body: string,
  declarations: readonly Declaration[],
): readonly Section[] {
  const sections = declarations.map(
    (declaration): Section => ({
      level: 3,
      heading: declaration.name,
      body: bodyOf(declaration),
    }),
  );
  return [{ level: 2, heading, body }, ...sections];
}

function bodyOf({ doc, code, members }: Declaration): string {
  const shown = members === undefined ? code : code.split("\n", 1)[0]?.replace(/ \{.*$/, "");
  const items = (members ?? []).map(itemOf).join("\n").trimEnd();
  const parts = [`\`\`\`ts\n${shown?.replace(/ +$/gm, "")}\n\`\`\``, doc, items];
  return parts.filter((part) => part !== "").join("\n\n");
}

/** `readonly` goes without saying. */
function itemOf({ doc, code }: Member): string {
  const line = code
    .replace(/^readonly /, "")
    .replace(/;$/, "")
    .replace(/\s*\n\s*/g, " ");
  const text = doc.replace(/^(?=.)/gm, "  ");
  return doc === "" ? `- \`${line}\`` : `- \`${line}\`\n\n${text}\n`;
}
