import { readFileSync } from 'node:fs';
import { isRecord } from './home.js';

/** Longhaul's version. */
export const RELEASE = readVersion();

function readVersion(): string {
  // Beside this folder in the sources, one level higher in the build.
  for (const path of ['../package.json', '../../package.json']) {
    try {
      const value: unknown = JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8'));
      if (isRecord(value) && typeof value['version'] === 'string') return value['version'];
    } catch {
      // Not there; the next one.
    }
  }
  return 'unknown';
}
