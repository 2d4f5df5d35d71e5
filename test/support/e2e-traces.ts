import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { E2eTemporal } from './e2e-temporal.js';

/** A piece of text that a run left somewhere, and where that is. */
export interface Trace {
  readonly where: string;
  readonly text: string;
}

/** Every text in every history, memo, search attribute, pending activity and failure, payloads decoded. */
export async function temporalTraces({ client }: E2eTemporal): Promise<Trace[]> {
  const traces: Trace[] = [];
  for await (const { workflowId, runId } of client.workflow.list()) {
    const handle = client.workflow.getHandle(workflowId, runId);
    const { events } = await handle.fetchHistory();
    for (const event of events ?? []) {
      traces.push({
        where: `event ${String(event.eventId)} of ${workflowId}`,
        text: textsOf(event).join('\n'),
      });
    }
    const { raw } = await handle.describe();
    traces.push({ where: `description of ${workflowId}`, text: textsOf(raw).join('\n') });
  }
  return traces;
}

/**
 * Everything in a home but its store and its scratch folder: logs, state, and Temporal's own database, in which
 * payloads stand as they are.
 */
export async function homeTraces(home: string): Promise<Trace[]> {
  const traces: Trace[] = [];
  for (const entry of await readdir(home, { withFileTypes: true, recursive: true })) {
    const path = join(entry.parentPath, entry.name);
    const relative = path.slice(home.length + 1);
    if (!entry.isFile() || /^(?:store|scratch)\//.test(relative)) continue;
    traces.push({ where: relative, text: await readFile(path, 'latin1') });
  }
  return traces;
}

/** Strings and bytes anywhere in a value; bytes as the text that they hold. */
function textsOf(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (value instanceof Uint8Array) return [Buffer.from(value).toString('utf8')];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, member]) => [key, ...textsOf(member)]);
}
