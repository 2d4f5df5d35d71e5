import type { Manifest } from '../batch/manifest.js';
import type { BatchHandle, Trouble } from '../client/types.js';

/** The manifest's shape; of an open batch also what keeps it from advancing, if something does. */
export type BatchAccount = Manifest & { readonly trouble?: Trouble };

export async function accountOf(handle: BatchHandle): Promise<BatchAccount> {
  const manifest = await handle.status();
  const trouble = manifest.outcome === null ? await handle.trouble() : null;
  return trouble === null ? manifest : { ...manifest, trouble };
}
