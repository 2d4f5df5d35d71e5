import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { BatchFiles } from '../../client/batch-files.js';
import { BatchHandleOverTemporal } from '../../client/batch-handle.js';
import { lazyTemporal } from '../support/lazy-temporal.js';
import type { LazyTemporal } from '../support/lazy-temporal.js';
import { memoryStore } from '../support/memory-store.js';

let server: LazyTemporal;
let handle: BatchHandleOverTemporal;
beforeEach(() => {
  server = lazyTemporal();
  const files = new BatchFiles(memoryStore(), 'tickets');
  handle = new BatchHandleOverTemporal({
    temporal: server.temporal,
    files,
    attached: true,
    finished: null,
  });
});
afterEach(() => server.close());

/** Has the server answer an update as it does when the workflow's validator throws. */
function refuseUpdates(type: string | null): void {
  const failure = { message: 'not like this', applicationFailureInfo: { type, nonRetryable: true } };
  const updateRef = { updateId: 'u', workflowExecution: { workflowId: 'tickets', runId: 'r' } };
  const response = { stage: 3, updateRef, outcome: { failure } };
  const { workflowService } = server.connection;
  vi.spyOn(workflowService, 'updateWorkflowExecution').mockResolvedValue(response as never);
}

describe('a cancel that no batch understands', () => {
  it.each([
    [{ mode: 'foo' }, 'mode is "keep" or "discard"'],
    [{ mode: 'foo', acknowledge: true }, 'mode is "keep" or "discard"'],
    [{ reason: 'x'.repeat(1001) }, 'at most 1000 characters'],
    [{ reason: 5, acknowledge: true }, 'at most 1000 characters'],
  ])('is refused before anything is sent, case %#', async (options, words) => {
    const { workflowService } = server.connection;
    const signal = vi.spyOn(workflowService, 'signalWorkflowExecution');
    const update = vi.spyOn(workflowService, 'updateWorkflowExecution');
    const asked: unknown = Reflect.apply(handle.cancel, handle, [options]);
    await expect(asked).rejects.toMatchObject({
      type: 'InvalidInput',
      message: expect.stringContaining(words),
    });
    expect([signal, update].flatMap(({ mock }) => mock.calls)).toEqual([]);
  });
});

describe('an acknowledged request that the workflow refuses', () => {
  it.each(['cancel', 'pause', 'resume', 'pollNow'] as const)('is no success: %s', async (method) => {
    refuseUpdates('InvalidInput');
    await expect(handle[method]({ acknowledge: true })).rejects.toMatchObject({
      type: 'InvalidInput',
      message: 'not like this',
    });
  });

  it('is InvalidInput also where the workflow, of another version, names no type', async () => {
    refuseUpdates(null);
    await expect(handle.pause({ acknowledge: true })).rejects.toMatchObject({
      type: 'InvalidInput',
      message: 'the batch refused the request: not like this',
    });
  });
});
