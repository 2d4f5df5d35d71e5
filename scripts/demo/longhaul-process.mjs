import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ROOT, RUN_COMMAND } from './setting.mjs';

/** Where the user's own Temporal, provider, home and store are is no business of the demo. */
const OTHER_SETTINGS = /^(?:MISTRAL_|LONGHAUL_|TEMPORAL_)/;
const TOOLS = new Set(['TEMPORAL_CLI_PATH', 'LONGHAUL_CACHE']);

function environment({ home, baseUrl, env }) {
  const kept = Object.entries(env).filter(([name]) => TOOLS.has(name) || !OTHER_SETTINGS.test(name));
  return {
    ...Object.fromEntries(kept),
    LONGHAUL_HOME: home,
    MISTRAL_BASE_URL: baseUrl,
    // What the worker logged last is shown when it dies; that it works is not worth a line then.
    LONGHAUL_LOG_LEVEL: 'warn',
    TEMPORAL_CONFIG_FILE: fileURLToPath(new URL('temporal.toml', import.meta.url)),
  };
}

/** Milliseconds that the command has to end when it is told to. */
const GRACE_MS = 5_000;

/**
 * The real command, as a user would start it, on the demo's own stdout. It runs under a guard, which ends it when the
 * demo is gone, killed for instance.
 */
export function runLonghaul({ home, baseUrl, narrator, env, stream }) {
  narrator.say('', `$ ${RUN_COMMAND.join(' \\\n    ')}`);
  const [, ...args] = RUN_COMMAND.join(' ').split(' ');
  const command = [process.execPath, join(ROOT, 'dist/cli/main.js'), ...args];
  const guard = spawn(process.execPath, [join(ROOT, 'dist/dev/guard.js'), String(GRACE_MS), ...command], {
    cwd: ROOT,
    env: environment({ home, baseUrl, env }),
    stdio: ['ignore', stream.fd, stream.fd, 'ipc'],
    // In a process group of its own Ctrl-C reaches the demo alone, which ends everything in the right order.
    detached: true,
  });
  /** @type {{ code: number | null, signal: string | null }} */
  let end = { code: null, signal: null };
  guard.on('message', (message) => {
    if (message.type === 'exited') end = message;
  });
  const ended = new AbortController();
  const exit = once(guard, 'close').then(() => {
    const how = end.code === null ? end.signal : `exit code ${end.code}`;
    ended.abort(new Error(`\`longhaul run\` ended with ${how}. Its logs are in ${home}.`));
  });
  return {
    /** Aborts when the command is over, with what to say if that was too early. */
    ended: ended.signal,
    /** Waits for its end. */
    succeeded: async () => {
      await exit;
      if (end.code !== 0) throw ended.signal.reason;
    },
    end: async () => {
      guard.kill('SIGTERM');
      await exit;
    },
  };
}
