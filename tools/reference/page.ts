// A page of Markdown: a title, the contents with links, and sections. Links are what GitHub makes
// of headings.

export interface Section {
  /** 2 for a chapter, 3 for what is in it. */
  readonly level: 2 | 3;
  readonly heading: string;
  readonly body: string;
}

export interface Page {
  readonly title: string;
  readonly intro: string;
  readonly sections: readonly Section[];
}

export function textFromPage({ title, intro, sections }: Page): string {
  const slugs = slugsOf([title, ...sections.map(({ heading }) => heading)]).slice(1);
  const links = sections.map(({ level, heading }, index) => {
    const link = `[${heading}](#${slugs[index]})`;
    return level === 2 ? `\n- ${link}:` : `  ${link}`;
  });
  const contents = links.join("\n").trim();
  const bodies = sections.map(({ level, heading, body }) =>
    [`${"#".repeat(level)} ${heading}`, body].filter((part) => part !== "").join("\n\n"),
  );
  return `${[`# ${title}`, intro, contents, ...bodies].join("\n\n")}\n`;
}

/** A heading that comes again has a number after it. */
export function slugsOf(headings: readonly string[]): readonly string[] {
  const seen = new Map<string, number>();
  return headings.map((heading) => {
    const slug = heading
      .toLowerCase()
      .replace(/[^\w\- ]/g, "")
      .replaceAll(" ", "-");
    const count = seen.get(slug) ?? 0;
    seen.set(slug, count + 1);
    return count === 0 ? slug : `${slug}-${count}`;
  });
}
