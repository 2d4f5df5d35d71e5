import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { EmbeddedSession, WorkerNeed } from '../../dev/embedded.js';
import { API_KEY } from './e2e-home.js';
import type { E2eHome } from './e2e-home.js';

/** The build is what users run: detached processes, their entry points and all. */
const DIST = process.env['LONGHAUL_DIST'] ?? fileURLToPath(new URL('../../dist', import.meta.url));
const EMBEDDED = join(DIST, 'dev/embedded.js');

interface HoldOptions {
  readonly need?: WorkerNeed;
  /** A script that is to be the worker instead of Longhaul's own. */
  readonly workerEntry?: string;
}

/** Holds server and worker of a home for as long as the session is open. */
export async function holdHome(
  home: E2eHome,
  { need = 'full', workerEntry }: HoldOptions = {},
): Promise<EmbeddedSession> {
  const { connectEmbedded } = (await import(EMBEDDED)) as typeof import('../../dev/embedded.js');
  const {
    MISTRAL_BASE_URL: baseUrl,
    LONGHAUL_CREATE_SETTLE: createSettle,
    LONGHAUL_CANCEL_WAIT: cancelWait,
  } = home.env;
  return connectEmbedded({
    home: home.path,
    need,
    settings: {
      apiKey: API_KEY,
      ...(baseUrl !== undefined && { baseUrl }),
      ...(createSettle !== undefined && { createSettle }),
      ...(cancelWait !== undefined && { cancelWait }),
    },
    env: home.env,
    onProgress: () => undefined,
    ...(workerEntry !== undefined && { workerEntry }),
  });
}
