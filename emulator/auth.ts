import { createHash } from 'node:crypto';

import type { FastifyRequest } from 'fastify';

export interface Identity {
  /** A workspace is a key: what one key made, no other sees. */
  readonly workspace: string;
  /** Tells keys apart in the journal without revealing them. */
  readonly key: string;
}

/** Who the bearer token says is calling, or null without one. Any token is good. */
export function identify(request: FastifyRequest): Identity | null {
  const token = /^Bearer\s+(\S+)$/iu.exec(request.headers.authorization ?? '')?.[1];
  if (token === undefined) return null;
  const workspace = createHash('sha256').update(token).digest('hex');
  return { workspace, key: workspace.slice(0, 8) };
}
