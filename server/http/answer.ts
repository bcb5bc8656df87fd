// A whole answer of HTTP, and how it is sent.

import type { ServerResponse } from "node:http";

export interface Answer {
  readonly status: number;
  /** With its line ends. */
  readonly text: string;
  /** Plain text by default. */
  readonly type?: string;
  /** The methods that there are, of a 405. */
  readonly allow?: string;
  /** The connection ends with it: what else comes of the request is not wanted. */
  readonly isLast?: boolean;
}

export const JSON_TYPE = "application/json";
const TEXT_TYPE = "text/plain; charset=utf-8";

/** For every answer: what is read here changes, and is what it says it is. */
export const COMMON_HEADERS = {
  "cache-control": "no-store",
  "x-content-type-options": "nosniff",
} as const;

/** Does nothing when there is an answer already, or nobody to take it. */
export function sendAnswer(response: ServerResponse, answer: Answer): void {
  if (response.headersSent || response.destroyed) return;
  const body = Buffer.from(answer.text, "utf8");
  response.writeHead(answer.status, {
    ...COMMON_HEADERS,
    "content-type": answer.type ?? TEXT_TYPE,
    "content-length": body.length,
    ...(answer.allow !== undefined && { allow: answer.allow }),
    ...(answer.isLast === true && { connection: "close" }),
  });
  response.end(body);
}
