// Things by the ranges of keys that they are for, found by a key that lies in them: a treap in the
// order of the ranges, in which each node knows how far the ranges below it reach.
//
// Adding and deleting cost the logarithm of the number of ranges, finding that and what is found.
// Priorities are drawn from the number of the node, so that the same calls make the same tree.

import type { TextBounds } from "./text-bounds.js";

interface Node<T> extends TextBounds {
  readonly items: Set<T>;
  readonly priority: number;
  /** The highest end of it and what is below; undefined: no end. */
  reach: string | undefined;
  left: Node<T> | undefined;
  right: Node<T> | undefined;
}

type Link<T> = Node<T> | undefined;

export class IntervalTree<T> {
  #root: Link<T>;
  #drawn = 0;

  get isEmpty(): boolean {
    return this.#root === undefined;
  }

  add(bounds: TextBounds, item: T): void {
    const found = this.#find(bounds);
    if (found !== undefined) {
      found.items.add(item);
      return;
    }
    const { start, end } = bounds;
    const items = new Set([item]);
    const node = { start, end, items, priority: this.#draw(), reach: end };
    this.#root = insert(this.#root, { ...node, left: undefined, right: undefined });
  }

  delete(bounds: TextBounds, item: T): void {
    const found = this.#find(bounds);
    if (found === undefined || !found.items.delete(item) || found.items.size > 0) return;
    this.#root = remove(this.#root, found);
  }

  /** Calls with all things of each range that the key lies in. */
  each(key: string, visit: (items: ReadonlySet<T>) => void): void {
    stab(this.#root, key, visit);
  }

  #find(bounds: TextBounds): Link<T> {
    let node = this.#root;
    while (node !== undefined) {
      const order = compareBounds(bounds, node);
      if (order === 0) return node;
      node = order < 0 ? node.left : node.right;
    }
    return undefined;
  }

  /** 32 bits that look random (an integer hash by multiplying and folding). */
  #draw(): number {
    this.#drawn += 1;
    let bits = Math.imul(this.#drawn, 0x9e3779b1);
    bits = Math.imul(bits ^ (bits >>> 15), 0x85ebca6b);
    return (bits ^ (bits >>> 13)) >>> 0;
  }
}

function stab<T>(node: Link<T>, key: string, visit: (items: ReadonlySet<T>) => void): void {
  if (node === undefined || !isBelowEnd(key, node.reach)) return;
  stab(node.left, key, visit);
  if (node.start > key) return;
  if (isBelowEnd(key, node.end)) visit(node.items);
  stab(node.right, key, visit);
}

function insert<T>(node: Link<T>, added: Node<T>): Node<T> {
  if (node === undefined) return added;
  if (compareBounds(added, node) < 0) {
    node.left = insert(node.left, added);
    if (node.left.priority > node.priority) return rotateRight(node, node.left);
  } else {
    node.right = insert(node.right, added);
    if (node.right.priority > node.priority) return rotateLeft(node, node.right);
  }
  measure(node);
  return node;
}

function remove<T>(node: Link<T>, removed: Node<T>): Link<T> {
  if (node === undefined) return undefined;
  if (node === removed) return join(node.left, node.right);
  if (compareBounds(removed, node) < 0) node.left = remove(node.left, removed);
  else node.right = remove(node.right, removed);
  measure(node);
  return node;
}

/** Two trees as one, all of the left one before all of the right one. */
function join<T>(left: Link<T>, right: Link<T>): Link<T> {
  if (left === undefined) return right;
  if (right === undefined) return left;
  if (left.priority > right.priority) {
    left.right = join(left.right, right);
    measure(left);
    return left;
  }
  right.left = join(left, right.left);
  measure(right);
  return right;
}

function rotateRight<T>(node: Node<T>, left: Node<T>): Node<T> {
  node.left = left.right;
  left.right = node;
  measure(node);
  measure(left);
  return left;
}

function rotateLeft<T>(node: Node<T>, right: Node<T>): Node<T> {
  node.right = right.left;
  right.left = node;
  measure(node);
  measure(right);
  return right;
}

function measure<T>(node: Node<T>): void {
  let reach = node.end;
  if (node.left !== undefined) reach = higherEnd(reach, node.left.reach);
  if (node.right !== undefined) reach = higherEnd(reach, node.right.reach);
  node.reach = reach;
}

function higherEnd(one: string | undefined, other: string | undefined): string | undefined {
  if (one === undefined || other === undefined) return undefined;
  return one > other ? one : other;
}

function isBelowEnd(key: string, end: string | undefined): boolean {
  return end === undefined || key < end;
}

/** By the start, then by the end; no end is the highest. */
function compareBounds(one: TextBounds, other: TextBounds): number {
  if (one.start !== other.start) return one.start < other.start ? -1 : 1;
  if (one.end === other.end) return 0;
  return isBelowEnd(one.end ?? "", other.end) && one.end !== undefined ? -1 : 1;
}
