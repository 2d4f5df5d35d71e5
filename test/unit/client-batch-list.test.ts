import { describe, expect, it } from 'vitest';
import { listQuery } from '../../client/batch-list.js';
import type { ListOptions } from '../../client/types.js';

describe('the query of a list', () => {
  it('asks for batches, not for shards, by phase and outcome', () => {
    expect(listQuery({})).toBe("WorkflowType='runBatch'");
    expect(listQuery({ phase: 'waiting-for-auth', outcome: 'partial' })).toBe(
      "WorkflowType='runBatch' AND LonghaulPhase='waiting-for-auth' AND LonghaulOutcome='partial'",
    );
  });

  it.each([['phase'], ['outcome']] as const)('lets no other text through as %s', (name) => {
    const options: ListOptions = JSON.parse(JSON.stringify({ [name]: "x' OR '1'='1" }));
    expect(() => listQuery(options)).toThrow(expect.objectContaining({ type: 'InvalidInput' }));
  });
});
