import { chown, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { runCommand } from '../../dev/run-command.js';
import { Program } from './program.js';

/** Where Debian puts each version's programs; they are not on PATH there. */
const DEBIAN = '/usr/lib/postgresql';
export const DATABASE_USER = 'temporal';

/** A PostgreSQL of the distribution's, on loopback, with data and socket in a temporary folder. */
export class Postgres {
  readonly port: number;
  readonly #bin: string;
  readonly #folder: string;
  #program: Program | null = null;

  private constructor(bin: string, folder: string, port: number) {
    this.#bin = bin;
    this.#folder = folder;
    this.port = port;
  }

  static async start(port: number): Promise<Postgres> {
    const bin = await findPrograms();
    const folder = await mkdtemp(join(tmpdir(), 'longhaul-pg-'));
    const postgres = new Postgres(bin, folder, port);
    try {
      const user = await ownUser();
      if (user !== null) await chown(folder, user.uid, user.gid);
      await postgres.#initialise();
      await postgres.startServer();
    } catch (error) {
      await postgres.remove();
      throw error;
    }
    return postgres;
  }

  async startServer(): Promise<void> {
    const args = ['-D', this.#data, '-h', '127.0.0.1', '-p', String(this.port), '-k', this.#folder];
    const program = await Program.start(await asOwnUser(join(this.#bin, 'postgres'), args));
    this.#program = program;
    const ask = ['-q', '-h', '127.0.0.1', '-p', String(this.port)];
    await program.ready('PostgreSQL takes connections', async () => {
      const { code } = await runCommand(join(this.#bin, 'pg_isready'), ask, { env: process.env });
      return code === 0;
    });
  }

  /** As a crash: connections are cut off, nothing is written any more; the next start recovers from the log. */
  async crash(): Promise<void> {
    await this.#program?.signal('SIGQUIT');
  }

  async remove(): Promise<void> {
    if (this.#program !== null) await this.crash().catch(() => this.#program?.stop());
    await rm(this.#folder, { recursive: true, force: true });
  }

  get #data(): string {
    return join(this.#folder, 'data');
  }

  async #initialise(): Promise<void> {
    const settings = ['-U', DATABASE_USER, '--auth=trust', '--no-sync', '-E', 'UTF8', '--locale=C'];
    const { file, args, env } = await asOwnUser(join(this.#bin, 'initdb'), ['-D', this.#data, ...settings]);
    const made = await runCommand(file, args, { env, cwd: this.#folder });
    if (made.code !== 0) throw new Error(`initdb failed: ${made.stderr}`);
  }
}

/** Replaces itself by the program, where `su` and `runuser` stay as its parent and keep signals from it. */
const BECOME_POSTGRES = ['--reuid=postgres', '--regid=postgres', '--init-groups', '--'];

/** PostgreSQL refuses to run as root: then it is run as the user that its package has made. */
async function asOwnUser(file: string, args: readonly string[]) {
  const env = { PATH: process.env['PATH'], LC_ALL: 'C' };
  const user = await ownUser();
  return user === null
    ? { file, args, env }
    : { file: 'setpriv', args: [...BECOME_POSTGRES, file, ...args], env };
}

async function ownUser(): Promise<{ uid: number; gid: number } | null> {
  if (process.getuid?.() !== 0) return null;
  const ids = await Promise.all(
    ['-u', '-g'].map(async (option) => {
      const { code, stdout } = await runCommand('id', [option, 'postgres'], { env: process.env });
      if (code !== 0)
        throw new Error('there is no user `postgres`, whom PostgreSQL’s package makes; install it');
      return Number(stdout);
    }),
  );
  const [uid = -1, gid = -1] = ids;
  return { uid, gid };
}

/** The folder of `postgres` and `initdb`: on PATH, or the newest version of Debian's. */
async function findPrograms(): Promise<string> {
  const versions = await readdir(DEBIAN).catch(() => []);
  const newest = versions.map(Number).sort((a, b) => b - a);
  const folders = [
    ...(process.env['PATH'] ?? '').split(delimiter),
    ...newest.map((version) => join(DEBIAN, String(version), 'bin')),
  ];
  for (const folder of folders) {
    const files = ['postgres', 'initdb', 'pg_isready'].map((name) => stat(join(folder, name)));
    if ((await Promise.allSettled(files)).every(({ status }) => status === 'fulfilled')) return folder;
  }
  throw new Error('no PostgreSQL found on PATH or in /usr/lib/postgresql: `apt-get install postgresql`');
}
