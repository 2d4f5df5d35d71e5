import { expect, test } from 'vitest';
import { parseJson } from '../../batch/json-text.js';

test('tells the value null from text that is no JSON', () => {
  expect(parseJson('null')).toBeNull();
  for (const text of ['', '{', 'undefined', '{"a":1}x']) expect(parseJson(text)).toBeUndefined();
  expect(parseJson(' [1, "a"] ')).toEqual([1, 'a']);
});
