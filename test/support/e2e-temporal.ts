import { Client, Connection } from '@temporalio/client';
import type { WorkflowHandle } from '@temporalio/client';
import { z } from 'zod';
import { TASK_QUEUES, WORKFLOW_TYPES } from '../../batch/wire-names.js';
import type { RunBatchInput } from '../../schemas/run-batch-input.js';
import { formatFileUri } from '../../storage/uri.js';
import { ENDPOINT, MODEL } from './e2e-home.js';

/** Temporal as any program of another vendor would use it: no client of Longhaul's is in between. */
export class E2eTemporal {
  readonly client: Client;

  private constructor(client: Client) {
    this.client = client;
  }

  static async connect(address: string, namespace: string): Promise<E2eTemporal> {
    const connection = await Connection.connect({ address });
    return new E2eTemporal(new Client({ connection, namespace }));
  }

  async close(): Promise<void> {
    await this.client.connection.close();
  }

  startBatch(batchId: string, input: string, settings: Partial<RunBatchInput> = {}): Promise<WorkflowHandle> {
    const args: [RunBatchInput] = [
      { input: { uri: formatFileUri(input) }, endpoint: ENDPOINT, model: MODEL, pollMin: '1s', ...settings },
    ];
    return this.client.workflow.start(WORKFLOW_TYPES.runBatch, {
      workflowId: batchId,
      taskQueue: TASK_QUEUES.workflows,
      args,
    });
  }

  /** Whether the batch says so, and the server's lists. */
  async isInPhase(batchId: string, phase: string): Promise<boolean> {
    const query = `WorkflowId = '${batchId}' AND LonghaulPhase = '${phase}'`;
    return (await this.client.workflow.count(query)).count === 1;
  }

  /** Whether the shard is in a later run than its first. */
  async hasContinuedAsNew(batchId: string): Promise<boolean> {
    const { raw, runId } = await this.client.workflow.getHandle(`${batchId}/shard-00000`).describe();
    const first = raw.workflowExecutionInfo?.firstRunId ?? '';
    return first !== '' && first !== runId;
  }

  /** Whether the newest event of a workflow is the start of a timer. */
  async isInTimer(workflowId: string): Promise<boolean> {
    const { events } = await this.client.workflow.getHandle(workflowId).fetchHistory();
    return (events?.at(-1)?.timerStartedEventAttributes ?? null) !== null;
  }
}

/** What a batch's workflow returns, and what its memo carries after a Temporal cancel request. */
export const summarySchema = z.object({
  outcome: z.string(),
  rows: z.record(z.string(), z.number()),
  manifest: z.object({ uri: z.string(), sha256: z.string() }).nullable(),
});
