/**
 * What may be said of an error that nobody foresaw. Messages of parsers quote what they could not read, and Node's own
 * quote the argument that they refused: either may be a row.
 */
export function sayableMessage(error: Error): string {
  if (error instanceof SyntaxError) return 'what should be JSON is not';
  const code = 'code' in error ? error.code : undefined;
  if (typeof code === 'string' && code.startsWith('ERR_')) return `Node refused a call (${code})`;
  return error.message;
}

/** Name, message and place of such an error; neither its causes nor what is attached to it, which may hold a provider's words. */
export function sayableStack(error: Error): string {
  const frames = (error.stack ?? '').split('\n').filter((line) => /^ +at /.test(line));
  return [`${error.name}: ${sayableMessage(error)}`, ...frames].join('\n');
}
