import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { vi } from 'vitest';
import type { Command } from '../support/e2e-command.js';
import type { E2eHome } from '../support/e2e-home.js';
import { expectNoProcess } from '../support/e2e-processes.js';
import { questions, writeRows } from '../support/e2e-rows.js';
import { createLoneHome } from './chaos-home.js';
import type { ChaosHome } from './chaos-home.js';
import type { Story } from './matrix.js';

/** Of a batch that has a home of its own. */
export const LONE_BATCH = 'chaos';
/** Cut into two shards. Of each, some rows fail once, one always does, and one is refused for good. */
const ROWS = questions(40);
const SHARD_ROWS = 20;
const ONCE = ['question-3', 'question-14', 'question-27'];
const ALWAYS = ['question-11', 'question-33'];
const REFUSED = ['question-7', 'question-29'];

const HOUR_S = 3_600;
/** Far more than any batch of these takes, and less than a test may take. */
const PATIENCE_MS = 120_000;

/** How each story ends: exit codes of `run`. */
const EXIT: { readonly [S in Story]: number } = { answered: 3, cancelled: 5, refused: 3, again: 3, late: 3 };

interface ChaosBatchOptions {
  readonly id: string;
  readonly story: Story;
  /** Key of the first shard's first job, which some stories are about. */
  readonly firstKey?: string | undefined;
}

/** One batch, and the commands of the person who waits for it. */
export class ChaosBatch {
  readonly home: E2eHome;
  readonly id: string;
  readonly story: Story;
  readonly #around: ChaosHome;
  readonly #input: string;
  #commands: { readonly command: Command; readonly code: number }[] = [];

  private constructor(around: ChaosHome, { id, story }: ChaosBatchOptions, input: string) {
    this.home = around.home;
    this.id = id;
    this.story = story;
    this.#around = around;
    this.#input = input;
  }

  /** The home's emulator has to be a fresh one. */
  static async create(around: ChaosHome, options: ChaosBatchOptions): Promise<ChaosBatch> {
    const { folder, emulator } = around.home;
    const input = await writeRows(join(folder, 'questions.jsonl'), ROWS);
    await emulator.setFaults(...faultsOf(options.story, options.firstKey ?? ''));
    return new ChaosBatch(around, options, input);
  }

  /** In a home of its own. */
  static async alone(story: Story, firstKey?: string): Promise<ChaosBatch> {
    return ChaosBatch.create(await createLoneHome(), { id: LONE_BATCH, story, firstKey });
  }

  get folder(): string {
    return join(this.home.path, 'store', this.id);
  }

  get commands(): readonly Command[] {
    return this.#commands.map(({ command }) => command);
  }

  run(...more: readonly string[]): Command {
    const rounds = this.story === 'again' ? '1' : '2';
    const limits = ['--shard-rows', String(SHARD_ROWS), '--max-rounds', rounds, '--poll-min', '200ms'];
    return this.#add(this.home.run(this.#input, this.id, ...limits, ...more), EXIT[this.story]);
  }

  /** What the story is about: the run, or the second one when the first has ended. */
  async begin(): Promise<void> {
    if (this.story === 'again') this.#retry();
    else this.run();
    if (this.story === 'cancelled') await this.#cancel();
  }

  /** What has been before the story begins. */
  async prologue(): Promise<void> {
    if (this.story !== 'again') return;
    this.run();
    await this.ended();
  }

  #retry(): void {
    this.#commands = [];
    this.run('--retry', '--cleanup', 'all');
  }

  /** Asks for the cancel, once both jobs are being watched. */
  async #cancel(): Promise<void> {
    await vi.waitFor(
      async () => {
        const polled = (await this.home.emulator.journal('getJob')).map(({ path }) => path);
        if (new Set(polled).size < 2) throw new Error('not both jobs are watched yet');
      },
      { timeout: 90_000, interval: 100 },
    );
    this.#add(this.home.longhaul('cancel', this.id), 0);
  }

  /** What the person does whose commands were killed: the same again, or look at what becomes of it. */
  again(): void {
    this.#commands = [];
    // With --retry the rows that fail once more would be sent a third time, if the batch has ended meanwhile.
    const looks = this.story === 'cancelled' || this.story === 'again';
    if (looks) this.#add(this.home.longhaul('wait', this.id), EXIT[this.story]);
    else this.run();
  }

  /** All commands that were not killed end as they should, and everything else after them. */
  async ended(): Promise<void> {
    const patience = new AbortController();
    const tooLong = sleep(PATIENCE_MS, undefined, { signal: patience.signal }).then(
      () => Promise.reject(new Error('the batch does not end')),
      () => undefined,
    );
    const ends = Promise.all(this.#commands.map(({ command, code }) => command.exits(code)));
    await Promise.race([ends, tooLong]);
    patience.abort();
    await this.#around.atRest();
  }

  expectTidyHome(): void {
    this.#around.expectTidy();
  }

  /** For whoever has to find out what went wrong. */
  async situation(): Promise<string> {
    const asked = (await this.home.emulator.journal()).slice(-12);
    const requests = asked.map(({ n, method, path, status, aborted }) =>
      [n, method, path, status, aborted === true ? 'aborted' : ''].join(' '),
    );
    const logs = await Promise.allSettled(
      ['supervisor.log', 'worker.log'].map((name) => readFile(join(this.home.path, name), 'utf8')),
    );
    const ends = logs.map((log) => (log.status === 'fulfilled' ? log.value.slice(-3_000) : ''));
    return [...this.commands.map(({ stderr }) => stderr), ...requests, ...ends].join('\n');
  }

  /** The commands were killed, and there is nobody else for whom anything would stay. */
  async left(): Promise<void> {
    await Promise.all(this.#commands.map(({ command }) => command.exits('SIGKILL')));
    await expectNoProcess(this.home.path);
  }

  /** Paths of all files in the batch's folder. */
  async files(): Promise<string[]> {
    const entries = await readdir(this.folder, { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(this.folder.length + 1))
      .toSorted();
  }

  read(path: string): Promise<string> {
    return readFile(join(this.folder, path), 'utf8');
  }

  /** Its home as well. */
  remove(): Promise<void> {
    return this.#around.remove();
  }

  #add(command: Command, code: number): Command {
    this.#commands.push({ command, code });
    return command;
  }
}

function faultsOf(story: Story, firstKey: string): object[] {
  const create = (fault: object, which: object = {}) => ({ route: 'createJob', ...which, fault });
  const rows = [
    create({ type: 'rowErrors', customIds: ONCE, attempts: 1, status: 503 }),
    create({ type: 'rowErrors', customIds: ALWAYS, status: 503 }),
    create({ type: 'rowErrors', customIds: REFUSED, status: 422 }),
  ];
  const ofFirst = { nth: 1, match: { metadata: { longhaul_key: firstKey } } };
  switch (story) {
    case 'answered':
    case 'again':
      return rows;
    case 'refused':
      return [create({ type: 'status', status: 429, retryAfter: 1 }, ofFirst), ...rows];
    case 'cancelled':
      return [create({ type: 'jobSeconds', seconds: HOUR_S })];
    case 'late':
      // Neither may end before the other is there and found. Created in one second, either may be the one that is kept.
      return [
        create({ type: 'jobSeconds', seconds: 20 }, ofFirst),
        create({ type: 'jobSeconds', seconds: 5 }),
        ...rows,
      ];
  }
}
