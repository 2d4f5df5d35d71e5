import { expect, it } from 'vitest';
import { layout } from '../../batch/layout.js';
import { withInputName } from '../../cli/staged-name.js';
import { LonghaulError } from '../../client/failures.js';

const SHA256 = '1f0c'.repeat(16);

it.each([
  ['file:///srv/a%20b/.longhaul/store', 'rows.jsonl'],
  ['s3://bucket/prefix', 'in/rows.jsonl.gz'],
])('a copy in %s is called what the caller calls it', (store, name) => {
  const uri = `${store}/${layout.stagedInput('nightly-2026-11-22T12:00:00Z', SHA256, name)}`;
  const error = new LonghaulError(
    'InvalidInput',
    `${uri}: 1 row is not valid, of 3\n  line 3 is not valid JSON`,
  );
  const { remedy } = error;
  expect(withInputName(error, 'a $& name', store)).toBe(error);
  expect(error.message).toBe('a $& name: 1 row is not valid, of 3\n  line 3 is not valid JSON');
  expect(error).toMatchObject({ type: 'InvalidInput', remedy });
});

it('a copy that the worker may not read says that its store is another one', () => {
  const uri = `file:///mine/${layout.stagedInput('b', SHA256, 'rows.jsonl')}`;
  const words = `${uri} is not in a folder that workers may read inputs from (/in). Add its folder`;
  const error = withInputName(new LonghaulError('InputNotAllowed', words), 'rows.jsonl', 'file:///mine');
  expect(error).toMatchObject({
    type: 'StorageMismatch',
    message: expect.stringMatching(/^rows\.jsonl was copied .* file:\/\/\/mine, .*LONGHAUL_STORE/),
  });
});

it('other files keep their names, and other errors their words', () => {
  const words = 'file:///srv/input/source-material.jsonl is empty';
  expect(withInputName(new LonghaulError('InvalidInput', words), 'x', 'file:///s')).toMatchObject({
    message: words,
  });
  const bug = new TypeError(`no ${layout.stagedInput('b', SHA256, 'x')}`);
  expect(withInputName(bug, 'x', 'file:///s')).toBe(bug);
  expect(bug.message).toContain('source-');
});
