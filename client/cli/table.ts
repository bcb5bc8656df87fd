// Tables for people. All rows are held until the end, because the widths depend on them.

export async function tableText(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  options: { readonly right?: readonly number[] } = {},
): Promise<string> {
  const { default: Table } = await import("cli-table3");
  const table = new Table({
    head: [...head],
    style: { head: [], border: [], compact: true },
    colAligns: head.map((_, column) => (options.right?.includes(column) ? "right" : "left")),
  });
  for (const row of rows) table.push([...row]);
  return table.toString();
}
