import { rm } from 'node:fs/promises';

import { FaultEngine } from './faults/engine.js';
import { Holds } from './faults/holds.js';
import { FileStore } from './files/file-store.js';
import { SignedLinks } from './files/signed-links.js';
import { JobStore } from './jobs/job-store.js';
import { Journal } from './journal.js';
import type { Settings } from './options.js';
import { makeScratchFolder } from './scratch-folder.js';

/** Everything one emulator knows. Nothing of it outlives the process. */
export interface EmulatorState {
  readonly settings: Settings;
  /** Scratch folder of this emulator alone. */
  readonly directory: string;
  readonly files: FileStore;
  readonly jobs: JobStore;
  readonly links: SignedLinks;
  readonly journal: Journal;
  readonly faults: FaultEngine;
  readonly holds: Holds;
  /** Aborted once the emulator closes. */
  readonly closing: AbortController;
}

export async function createState(settings: Settings): Promise<EmulatorState> {
  const directory = await makeScratchFolder(settings.dataDir);
  const files = new FileStore(settings.now);
  return {
    settings,
    directory,
    files,
    jobs: new JobStore(settings, files, directory),
    links: new SignedLinks(),
    journal: new Journal(),
    faults: new FaultEngine(settings.seed),
    holds: new Holds(),
    closing: new AbortController(),
  };
}

/** Back to the state of a fresh start. Held requests end as if their clients had gone. */
export async function resetState(state: EmulatorState): Promise<void> {
  state.holds.drop();
  state.faults.clear();
  await state.jobs.clear();
  await state.files.clear();
  state.journal.clear();
}

/** Ends everything that waits, so that the server can close. */
export function stopWaiting(state: EmulatorState): void {
  state.closing.abort();
  state.holds.drop();
  state.journal.clear();
}

export async function disposeState(state: EmulatorState): Promise<void> {
  await state.jobs.clear();
  await rm(state.directory, { recursive: true, force: true });
}
