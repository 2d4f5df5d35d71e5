import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { EmbeddedSession } from '../../dev/embedded.js';
import { API_KEY } from './e2e-home.js';
import type { E2eHome } from './e2e-home.js';

/** The build is what users run: detached processes, their entry points and all. */
const DIST = process.env['LONGHAUL_DIST'] ?? fileURLToPath(new URL('../../dist', import.meta.url));
const EMBEDDED = join(DIST, 'dev/embedded.js');

/** Holds server and worker of a home for as long as the session is open; the worker may be another script. */
export async function holdHome(home: E2eHome, workerEntry?: string): Promise<EmbeddedSession> {
  const { connectEmbedded } = (await import(EMBEDDED)) as typeof import('../../dev/embedded.js');
  const {
    MISTRAL_BASE_URL: baseUrl,
    LONGHAUL_CREATE_SETTLE: createSettle,
    LONGHAUL_CANCEL_WAIT: cancelWait,
  } = home.env;
  return connectEmbedded({
    home: home.path,
    need: 'full',
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
