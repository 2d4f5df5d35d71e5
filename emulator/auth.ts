import { createHash } from 'node:crypto';

import type { FastifyRequest } from 'fastify';

export interface Identity {
  /** What one workspace made, no other sees. Keys that differ only after a `#` are of one workspace. */
  readonly workspace: string;
  /** Tells keys apart in the journal without revealing them. */
  readonly key: string;
}

/** Who the bearer token says is calling, or null without one. Any token is good. */
export function identify(request: FastifyRequest): Identity | null {
  const token = /^Bearer\s+(\S+)$/iu.exec(request.headers.authorization ?? '')?.[1];
  if (token === undefined) return null;
  return { workspace: sha256(token.replace(/#.*$/u, '')), key: sha256(token).slice(0, 8) };
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
