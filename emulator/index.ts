import type { AddressInfo } from 'node:net';

import { resolveOptions } from './options.js';
import type { EmulatorOptions } from './options.js';
import { createServer } from './server.js';
import { createState, disposeState, stopWaiting } from './state.js';

export type { EmulatorOptions } from './options.js';

export interface Emulator {
  /** Base URL without a trailing slash, as a client's server URL. */
  readonly url: string;
  readonly port: number;
  /** Breaks off all connections, stops all work and removes all files. */
  close(): Promise<void>;
}

function urlOf(address: AddressInfo): string {
  return address.family === 'IPv6'
    ? `http://[${address.address}]:${address.port}`
    : `http://${address.address}:${address.port}`;
}

/**
 * Starts the Mistral Batch and Files API on this machine, for development, demos and tests.
 *
 * Throws a RangeError for an option out of range, and the system's error if the address can't be listened on.
 */
export async function startEmulator(options: EmulatorOptions = {}): Promise<Emulator> {
  const settings = resolveOptions(options);
  const state = await createState(settings);
  const app = await createServer(state);
  try {
    await app.listen({ host: settings.host, port: settings.port });
  } catch (error) {
    await disposeState(state);
    throw error;
  }
  const address = app.server.address();
  if (address === null || typeof address === 'string') throw new Error('The emulator has no TCP address.');
  return {
    url: urlOf(address),
    port: address.port,
    close: async () => {
      stopWaiting(state);
      await app.close();
      await disposeState(state);
    },
  };
}
