import { chmod, mkdir, readdir, readFile, realpath, rename, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { EmbeddedServerError, codeOf, messageOf } from './errors.js';

/** Files of one home. `server.json` is a contract with the outside; the others are the supervisor's own. */
export interface Home {
  /** Absolute, without symbolic links: one home has one name. */
  readonly folder: string;
  readonly serverFile: string;
  readonly bindingFile: string;
  readonly supervisorFile: string;
  readonly processesFile: string;
  readonly database: string;
  readonly lockFolder: string;
  readonly supervisorLog: string;
  readonly temporalLog: string;
  readonly workerLog: string;
}

/** Content of `server.json`. */
export interface ServerFile {
  /** `host:port` of Temporal's frontend. */
  readonly address: string;
  readonly namespace: string;
  readonly uiUrl: string;
}

/** Creates the home, open to its owner only: it holds inputs, answers and the database. */
export async function openHome(path: string): Promise<Home> {
  try {
    await mkdir(resolve(path), { recursive: true, mode: 0o700 });
    const folder = await realpath(path);
    await chmod(folder, 0o700);
    return homeFiles(folder);
  } catch (error) {
    throw new EmbeddedServerError(
      `LONGHAUL_HOME ${path} can't be used as a folder: ${messageOf(error)}. Set it to one that this user may write to.`,
    );
  }
}

/** The home, if its folder is there; nothing is created. */
export async function findHome(path: string): Promise<Home | undefined> {
  try {
    return homeFiles(await realpath(path));
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function homeFiles(folder: string): Home {
  return {
    folder,
    serverFile: join(folder, 'server.json'),
    bindingFile: join(folder, 'home.json'),
    supervisorFile: join(folder, 'supervisor.json'),
    processesFile: join(folder, 'processes.json'),
    database: join(folder, 'temporal.db'),
    lockFolder: join(folder, 'supervisor.lock'),
    supervisorLog: join(folder, 'supervisor.log'),
    temporalLog: join(folder, 'temporal.log'),
    workerLog: join(folder, 'worker.log'),
  };
}

/** Removes what a killed holder of the lock left half written by `writeJson`. */
export async function removeUnfinished({ folder }: Home): Promise<void> {
  for (const name of await readdir(folder)) {
    if (/\.json\.\d+\.tmp$/.test(name)) await rm(join(folder, name), { force: true });
  }
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The parsed file, or undefined if it is missing or was cut off by a crash. */
export async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Replaces the file as a whole: a reader sees the old text or the new one. Only the lock's holder writes. */
export async function writeJson(path: string, value: unknown): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    await writeFile(temporary, `${JSON.stringify(value)}\n`, { mode: 0o600 });
    await rename(temporary, path);
  } finally {
    await rm(temporary, { force: true });
  }
}
