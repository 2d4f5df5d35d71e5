import { spawn } from 'node:child_process';
import { open, readFile } from 'node:fs/promises';
import { entryPoint } from './entry-point.js';
import type { Home } from './home.js';
import { lastLines } from './run-command.js';
import type { SupervisorArguments } from './supervisor-arguments.js';
import { inheritedEnv } from './worker-settings.js';

export interface LaunchedSupervisor {
  /** Exit code, once it ended. 0: another one may serve the home, so also when it was killed from outside. */
  readonly exitCode: number | undefined;
  /** The end of its log. */
  lastWords(): Promise<string>;
}

/** Starts a supervisor in a session of its own: Ctrl-C in the terminal and the end of this process don't reach it. */
export async function launchSupervisor(
  home: Home,
  args: Omit<SupervisorArguments, 'home' | 'timing'> & { timing: Partial<SupervisorArguments['timing']> },
  env: NodeJS.ProcessEnv,
): Promise<LaunchedSupervisor> {
  const log = await open(home.supervisorLog, 'a', 0o600);
  let exitCode: number | undefined;
  try {
    const text = JSON.stringify({ ...args, home: home.folder });
    const child = spawn(process.execPath, [...entryPoint('../dev/supervisor-main.js'), text], {
      detached: true,
      // It outlives the folder that the command was called in, which may be removed or unmounted.
      cwd: home.folder,
      env: inheritedEnv(env),
      stdio: ['ignore', 'ignore', log.fd],
    });
    child.once('exit', (code) => {
      exitCode = code ?? 0;
    });
    child.once('error', () => {
      exitCode = -1;
    });
    child.unref();
  } finally {
    await log.close();
  }
  return {
    get exitCode() {
      return exitCode;
    },
    lastWords: async () => lastLines(await readFile(home.supervisorLog, 'utf8'), 5),
  };
}
