// JSON as a value. The store knows only bytes; this is what put() and Entry.json() agree on: the
// text of JSON.stringify, in UTF-8.

/**
 * The JSON text of a value, for put(): `kv.put("country:KE", json({ capital: "Nairobi" }))`. Read
 * it back with `entry.json()`.
 *
 * @throws TypeError for what JSON has no form for: undefined, a function, a bigint, a cycle.
 */
export function json(value: unknown): string {
  const text: string | undefined = JSON.stringify(value);
  if (text === undefined) throw new TypeError(`a ${typeof value} has no JSON form`);
  return text;
}
