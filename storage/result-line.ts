import type { RowErrorType } from '../batch/rows.js';

/** What a line of `results.jsonl` says beside the answer's own bytes. */
export interface ResultFacts {
  /** Null when Longhaul gave the row its id. */
  readonly customId: string | null;
  readonly response: { readonly statusCode: number; readonly body: Uint8Array | null } | null;
  readonly error: ResultError | null;
  /** 0: never sent. */
  readonly round: number;
}

export interface ResultError {
  readonly type: RowErrorType;
  readonly message: string;
  readonly statusCode?: number | undefined;
}

/** The line without its line end. The response's body is copied byte for byte: parsing would change numbers. */
export function resultLine({ customId, response, error, round }: ResultFacts): Buffer {
  const id = JSON.stringify(customId);
  const end = `,"error":${errorText(error)},"round":${round}}`;
  if (response === null) return Buffer.from(`{"custom_id":${id},"response":null${end}`);
  const start = `{"custom_id":${id},"response":{"status_code":${response.statusCode},"body":`;
  if (response.body === null) return Buffer.from(`${start}null}${end}`);
  return Buffer.concat([Buffer.from(start), response.body, Buffer.from(`}${end}`)]);
}

/** A line of `errors.jsonl`: the result and the row's line in the input. */
export function errorLine(result: Buffer, line: number): Buffer {
  return Buffer.concat([result.subarray(0, -1), Buffer.from(`,"line":${line}}`)]);
}

function errorText(error: ResultError | null): string {
  if (error === null) return 'null';
  const { type, message, statusCode } = error;
  return JSON.stringify(
    statusCode === undefined ? { type, message } : { type, message, status_code: statusCode },
  );
}
