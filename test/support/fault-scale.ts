// How much the tests of faults do: a little with the other tests, a lot with KVD_FAULT=long.

export function scale({ quick, long }: { readonly quick: number; readonly long: number }): number {
  return process.env["KVD_FAULT"] === "long" ? long : quick;
}
