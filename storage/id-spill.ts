import { mkdir, mkdtemp, realpath, open, rm, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { AppendFile } from './append-file.js';
import { toStorageError } from './file-errors.js';
import { readFileChunks } from './file-read.js';
import { IdTable } from './id-table.js';

const PARTITIONS = 256;
const RECORD_BYTES = 20;
const BUFFER_BYTES = RECORD_BYTES * 1024;

interface Partition {
  readonly path: string;
  readonly handle: FileHandle;
  readonly file: AppendFile;
}

/**
 * Hashes of ids on disk, 20 bytes a row, in 256 files by the hash's first byte: equal ids meet in one file, and
 * only one file's distinct ids are in memory at a time.
 */
export class IdSpill {
  readonly #dir: string;
  readonly #partitions: readonly Partition[];

  private constructor(dir: string, partitions: readonly Partition[]) {
    this.#dir = dir;
    this.#partitions = partitions;
  }

  static async create(scratchDir: string): Promise<IdSpill> {
    const partitions: Partition[] = [];
    try {
      await mkdir(scratchDir, { recursive: true });
      const dir = await realpath(await mkdtemp(join(scratchDir, 'ids-')));
      const toError = (error: unknown) => scratchError(error, dir);
      for (let number = 0; number < PARTITIONS; number += 1) {
        const path = join(dir, String(number));
        const handle = await open(path, 'wx', 0o600);
        partitions.push({
          path,
          handle,
          file: new AppendFile(handle, { bufferBytes: BUFFER_BYTES, toError }),
        });
      }
      return new IdSpill(dir, partitions);
    } catch (error) {
      for (const { handle } of partitions) await handle.close();
      throw scratchError(error, scratchDir);
    }
  }

  /** The hash is the four words at `at`. */
  async add(words: Uint32Array, at: number, line: number): Promise<void> {
    const record = Buffer.allocUnsafe(RECORD_BYTES);
    for (let word = 0; word < 4; word += 1) record.writeUInt32LE(words[at + word] ?? 0, word * 4);
    record.writeUInt32LE(line, 16);
    await this.#partitions[record[0] ?? 0]?.file.write(record);
  }

  /** Calls back for each line whose hash came before, partition by partition. */
  async find(onDuplicate: (line: number, firstLine: number) => void): Promise<void> {
    try {
      for (const { file, path } of this.#partitions) {
        await file.flush();
        await findInFile(path, file.bytes / RECORD_BYTES, onDuplicate);
      }
    } catch (error) {
      throw scratchError(error, this.#dir);
    }
  }

  async dispose(): Promise<void> {
    for (const { file, handle } of this.#partitions) {
      await file.settled();
      await handle.close();
    }
    await rm(this.#dir, { recursive: true, force: true });
  }
}

async function findInFile(
  path: string,
  rows: number,
  onDuplicate: (line: number, firstLine: number) => void,
): Promise<void> {
  // Rows with the same id need one entry: the table grows if most are different.
  const table = new IdTable(Math.ceil(rows / 2));
  const words = new Uint32Array(4);
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of readFileChunks(path)) {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let at = 0;
    for (; at + RECORD_BYTES <= bytes.length; at += RECORD_BYTES) {
      for (let word = 0; word < 4; word += 1) words[word] = bytes.readUInt32LE(at + word * 4);
      const line = bytes.readUInt32LE(at + 16);
      const firstLine = table.insert(words, 0, line);
      if (firstLine !== -1) onDuplicate(line, firstLine);
    }
    rest = bytes.subarray(at);
  }
}

function scratchError(error: unknown, dir: string): Error {
  return toStorageError(error, { action: 'keep the hashes of ids', path: dir, place: 'the scratch folder' });
}
