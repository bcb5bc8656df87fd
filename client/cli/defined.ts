// Options objects without the members that are undefined.

type Defined<T> = { [name in keyof T]?: Exclude<T[name], undefined> };

/** `defined({ limit: undefined, reverse: true })` is `{ reverse: true }`. */
export function defined<T extends object>(members: T): Defined<T> {
  const entries = Object.entries(members).filter(([, member]) => member !== undefined);
  return Object.fromEntries(entries) as Defined<T>;
}
