import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { E2eTemporal } from './e2e-temporal.js';

/** A piece of text that a run left somewhere, and where that is. */
export interface Trace {
  readonly where: string;
  readonly text: string;
}

/** One run of a workflow as Temporal keeps it, no payload decoded. */
export interface KeptRun {
  readonly workflowId: string;
  readonly events: readonly { readonly eventId?: unknown }[];
  /** State, memo, search attributes, pending activities. */
  readonly description: object;
}

/** Every run that Temporal knows, asked for without the SDK's decoding. */
export async function keptRuns({ client }: E2eTemporal): Promise<KeptRun[]> {
  const { workflowService } = client;
  const { namespace } = client.options;
  const runs: KeptRun[] = [];
  const { executions } = await workflowService.listWorkflowExecutions({ namespace, pageSize: 1000 });
  for (const { execution } of executions) {
    const workflowId = execution?.workflowId ?? '';
    const { events } = await client.workflow.getHandle(workflowId, execution?.runId ?? '').fetchHistory();
    const description = await workflowService.describeWorkflowExecution({
      namespace,
      ...(execution === null || execution === undefined ? {} : { execution }),
    });
    runs.push({ workflowId, events: events ?? [], description });
  }
  return runs;
}

/** Every text in every history, memo, search attribute, pending activity and failure, payloads as they stand there. */
export async function temporalTraces(temporal: E2eTemporal): Promise<Trace[]> {
  const traces: Trace[] = [];
  for (const { workflowId, events, description } of await keptRuns(temporal)) {
    for (const event of events) {
      traces.push({
        where: `event ${String(event.eventId)} of ${workflowId}`,
        text: textsOf(event).join('\n'),
      });
    }
    traces.push({ where: `description of ${workflowId}`, text: textsOf(description).join('\n') });
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
