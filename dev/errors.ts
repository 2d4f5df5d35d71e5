/** No usable binary; the message lists every way to provide one. */
export class MissingBinaryError extends Error {
  override readonly name = 'MissingBinaryError';
}

/** The home is bound to another provider origin or another store. A wrong use: nothing was changed. */
export class HomeConflictError extends Error {
  override readonly name = 'HomeConflictError';
}

/** The supervisor that owns the home speaks another protocol version. */
export class SupervisorVersionError extends Error {
  override readonly name = 'SupervisorVersionError';
}

/** The embedded server, its worker or its supervisor could not be started or reached. */
export class EmbeddedServerError extends Error {
  override readonly name = 'EmbeddedServerError';
}

/** The message of anything thrown, for a line of text. `fetch` says what happened only in the cause. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message} (${error.cause.message})` : error.message;
}

/** Node's error code (`ENOENT`, `ECONNREFUSED`, …) of anything thrown. */
export function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
