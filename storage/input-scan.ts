import { isUtf8 } from 'node:buffer';
import { checkRow } from '../batch/input-row.js';
import type { RowContext } from '../batch/input-row.js';
import type { DuplicateList } from './duplicate-list.js';
import { DuplicateFinder, hashId } from './id-index.js';
import { readLines } from './jsonl.js';
import type { Line } from './jsonl.js';
import { RowIndexWriter } from './row-index.js';
import type { Store, StoreWriter } from './store.js';

export interface ScanOptions extends RowContext {
  /** Longer rows are invalid: they would fit into no shard. */
  readonly maxRowBytes: number;
  /** A store of its own for what the second pass needs: `rows.idx` and `invalid.jsonl`. */
  readonly scratch: Store;
  readonly scratchDir: string;
  readonly onProgress?: (rows: number) => void;
  readonly maxRowsInMemory?: number;
}

export interface InputIssue {
  /** 1-based line of the input. */
  readonly line: number;
  readonly reason: string;
}

/** An invalid row as it is carried into the results. */
export interface InvalidRow extends InputIssue {
  readonly position: number;
  readonly customId: string | null;
}

export interface ScanResult {
  readonly rows: number;
  readonly invalid: number;
  /** Invalid for an id that was used before, and nothing else. */
  readonly repeated: number;
  /** The first issues, by line. */
  readonly issues: readonly InputIssue[];
  /** Lines whose id was used before, ascending. */
  readonly duplicates: DuplicateList;
  /** `longhaul-` and more dashes until no id of the input looks like it. */
  readonly idPrefix: string;
}

export const SCAN_FILES = { rows: 'rows.idx', invalid: 'invalid.jsonl' } as const;
const MAX_ISSUES = 20;
const RETURN = 0x0d;

/** Room for `"custom_id":"longhaul-…"` in a row that has none. */
const GENERATED_ID_BYTES = 300;

type Checked =
  | { readonly ok: true; readonly customId: string | null }
  | { readonly ok: false; readonly reason: string; readonly customId: string | null };

/**
 * First pass over an input: judges every line, remembers where the good ones are, finds repeated ids. Nothing of
 * it enters the batch's folder, so that an input that is refused leaves no trace.
 */
export async function scanInput(
  source: AsyncIterable<Uint8Array>,
  options: ScanOptions,
): Promise<ScanResult> {
  const scan = new InputScan(options);
  try {
    return await scan.run(source);
  } finally {
    await scan.dispose();
  }
}

class InputScan {
  readonly #options: ScanOptions;
  readonly #ids: DuplicateFinder;
  readonly #issues: InputIssue[] = [];
  /** How many dashes follow `longhaul` in ids of the form that we would give. */
  readonly #takenDashes = new Set<number>();
  #rows = 0;
  #invalid = 0;

  constructor(options: ScanOptions) {
    const { scratchDir, maxRowsInMemory } = options;
    this.#options = options;
    this.#ids = new DuplicateFinder(
      maxRowsInMemory === undefined ? { scratchDir } : { scratchDir, maxRowsInMemory },
    );
  }

  async run(source: AsyncIterable<Uint8Array>): Promise<ScanResult> {
    const { scratch, maxRowBytes, onProgress } = this.#options;
    const index = new RowIndexWriter(await scratch.openWriter(SCAN_FILES.rows));
    const invalid = await scratch.openWriter(SCAN_FILES.invalid);
    try {
      for await (const lines of readLines(source, { maxLineBytes: maxRowBytes })) {
        for (const line of lines) await this.#take(line, index, invalid);
        onProgress?.(this.#rows);
      }
      await index.commit();
      await invalid.commit();
    } catch (error) {
      await index.abort();
      await invalid.abort();
      throw error;
    }
    return this.#result();
  }

  dispose(): Promise<void> {
    return this.#ids.dispose();
  }

  async #take(found: Line, index: RowIndexWriter, invalid: StoreWriter): Promise<void> {
    const line = { ...found, bytes: withoutReturns(found.bytes) };
    const position = this.#rows;
    this.#rows += 1;
    const checked = this.#check(line);
    if (!checked.ok) {
      this.#invalid += 1;
      const { reason, customId } = checked;
      if (this.#issues.length < MAX_ISSUES) this.#issues.push({ line: line.line, reason });
      const row: InvalidRow = { position, line: line.line, reason, customId };
      await invalid.write(`${JSON.stringify(row)}\n`);
      return;
    }
    if (checked.customId !== null) {
      this.#noteForm(checked.customId);
      await this.#ids.add(hashId(checked.customId), line.line);
    }
    await index.add({
      position,
      line: line.line,
      offset: line.offset,
      length: line.bytes.length,
      generatedId: checked.customId === null,
    });
  }

  #check(line: Line): Checked {
    const { maxRowBytes } = this.#options;
    if (line.tooLong !== null) {
      return invalidRow(`is ${line.tooLong} bytes long, more than a shard may have (${maxRowBytes})`);
    }
    if (!isUtf8(line.bytes)) return invalidRow('is not valid UTF-8');
    let value: unknown;
    try {
      value = JSON.parse(line.bytes.toString('utf8'));
    } catch (error) {
      return invalidRow(`is not valid JSON${placeOf(error)}`);
    }
    const checked = checkRow(value, this.#options);
    if (!checked.ok) return { ...checked, customId: stringId(value) };
    if (checked.customId === null && line.bytes.length + GENERATED_ID_BYTES > maxRowBytes) {
      return invalidRow(`has no room for a custom_id within what a shard may have (${maxRowBytes} bytes)`);
    }
    return checked;
  }

  #noteForm(customId: string): void {
    const dashes = /^longhaul(-+)\d+$/.exec(customId)?.[1];
    if (dashes !== undefined) this.#takenDashes.add(dashes.length);
  }

  async #result(): Promise<ScanResult> {
    const duplicates = await this.#ids.finish();
    let dashes = 1;
    while (this.#takenDashes.has(dashes)) dashes += 1;
    const repeats: InputIssue[] = [];
    for (const { line, firstLine } of duplicates) {
      if (repeats.length === MAX_ISSUES) break;
      repeats.push({ line, reason: repeatedId(firstLine) });
    }
    return {
      rows: this.#rows,
      invalid: this.#invalid + duplicates.size,
      repeated: duplicates.size,
      issues: [...this.#issues, ...repeats].toSorted((a, b) => a.line - b.line).slice(0, MAX_ISSUES),
      duplicates,
      idPrefix: `longhaul${'-'.repeat(dashes)}`,
    };
  }
}

/**
 * The row of a line. Returns at a line's end are never part of it: a shard's reader takes one away with the line end,
 * and what was written must be what is read.
 */
export function withoutReturns(bytes: Buffer): Buffer {
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === RETURN) end -= 1;
  return end === bytes.length ? bytes : bytes.subarray(0, end);
}

export function repeatedId(firstLine: number): string {
  return `has the custom_id of line ${firstLine}: each row needs its own`;
}

function invalidRow(reason: string): Checked {
  return { ok: false, reason, customId: null };
}

/** The engine's message quotes the row, which must not travel; its position may. */
function placeOf(error: unknown): string {
  const place = error instanceof Error ? /at position (\d+)/.exec(error.message)?.[1] : undefined;
  return place === undefined ? '' : ` (character ${Number(place) + 1})`;
}

function stringId(value: unknown): string | null {
  if (typeof value !== 'object' || value === null || !('custom_id' in value)) return null;
  return typeof value.custom_id === 'string' && value.custom_id.length <= 256 ? value.custom_id : null;
}
