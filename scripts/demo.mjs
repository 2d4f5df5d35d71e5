// `npm run demo`: the example input through `longhaul run` on this machine, with an emulator instead of the provider,
// and a worker that is killed on the way. No key, no network. Plain JavaScript: it runs on what `npm ci` has built.
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { accountOf } from './demo/account.mjs';
import { watchEmulator } from './demo/emulator-watch.mjs';
import { EndedBySignal, Endings } from './demo/endings.mjs';
import { killWorker } from './demo/kill-worker.mjs';
import { runLonghaul } from './demo/longhaul-process.mjs';
import { createNarrator } from './demo/narrator.mjs';
import { nextSteps, whatHappened } from './demo/report.mjs';
import { EMULATOR, EMULATOR_RULES, EXAMPLE_IDS, ROOT } from './demo/setting.mjs';

const narrator = createNarrator(process.stdout, process.env);
const endings = new Endings();
let keepHome = false;

async function main() {
  if (!existsSync(join(ROOT, 'dist/cli/main.js'))) {
    throw new Error('Longhaul is not built yet. Call `npm ci` first, or `npm run build`.');
  }
  const { startEmulator } = await import('../dist/emulator/index.js');
  const { connectIfRunning, stopEmbedded } = await import('../dist/dev/embedded.js');
  narrator.title(
    `Longhaul: ${EXAMPLE_IDS.length} support tickets, two shards, and a worker that is killed on the way`,
  );
  await findTemporal();
  const began = performance.now();

  const home = await makeHome();
  const emulator = await startEmulator(EMULATOR);
  endings.add(() => emulator.close());
  endings.add(() => stopEmbedded({ home }));
  const provider = watchEmulator(emulator.url);
  await provider.addRules(EMULATOR_RULES);
  narrator.say(
    `The provider is an emulator of Mistral's batch API, at ${emulator.url}.`,
    `Its first jobs take ${EMULATOR.jobSeconds} seconds, and one row in twenty fails at first. When it has answered a quarter`,
    'of the rows, the worker process gets a SIGKILL. Its successor is there at once, and gets the batch',
    'as soon as Temporal stops waiting for the dead one.',
  );

  const run = runLonghaul({
    home,
    baseUrl: emulator.url,
    narrator,
    env: process.env,
    stream: process.stdout,
  });
  endings.add(() => run.end());
  const signal = AbortSignal.any([endings.signal, run.ended]);
  const death = await killWorker({ home, provider, narrator, env: process.env, signal, connectIfRunning });
  await run.succeeded();

  await stopEmbedded({ home });
  const account = await accountOf({ home, provider });
  keepHome = true;
  narrator.title('What happened');
  narrator.say(...whatHappened({ account, death, seconds: (performance.now() - began) / 1000 }));
  narrator.title('See for yourself');
  narrator.say(...nextSteps({ home, account, env: process.env }));
}

/** Before anything is timed: on a machine that lacks it, this takes minutes. */
async function findTemporal() {
  const { findTemporalCli } = await import('../dist/dev/temporal-cli.js');
  await findTemporalCli({
    env: process.env,
    onProgress: (line) => narrator.say(line),
    signal: endings.signal,
  });
}

/** A fresh one each time; what a finished demo leaves there can be looked at. */
async function makeHome() {
  const home = await mkdtemp(join(tmpdir(), 'longhaul-demo-'));
  endings.add(async () => {
    if (!keepHome) await rm(home, { recursive: true, force: true });
  });
  return home;
}

try {
  await endings.unlessInterrupted(main());
} catch (error) {
  narrator.uncaption();
  if (error instanceof EndedBySignal) narrator.say('', `${error.message}: stopping everything.`);
  else narrator.say('', `The demo failed: ${error instanceof Error ? error.message : String(error)}`);
  // What failed is worth a look; what was interrupted is not.
  keepHome = !(error instanceof EndedBySignal);
  process.exitCode = error instanceof EndedBySignal ? error.exitCode : 1;
} finally {
  await endings.run();
}
// Work that was interrupted may still wait for something that never comes.
process.exit();
