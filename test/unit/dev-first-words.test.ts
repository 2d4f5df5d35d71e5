import { expect, it } from 'vitest';
import { FirstWords } from '../../dev/first-words.js';

const FRAMES = Array.from({ length: 500 }, (_, n) => `main.frame${n}()`).join('\n');

it('finds why a server crashed above the frames that end its log, however its output came', () => {
  const said = new FirstWords();
  for (const text of [
    'level=WARN\npanic: listen tcp 127.0.0.1:7233: bind: address al',
    'ready in use\n',
    FRAMES,
  ]) {
    said.add(text);
  }
  expect(said.before('main.frame499()')).toEqual({
    words: 'panic: listen tcp 127.0.0.1:7233: bind: address already in use',
    portTaken: true,
  });
});

it('leaves the end of the log as it is where nothing crashed', () => {
  const said = new FirstWords();
  said.add('starting\nno such option\n');
  expect(said.before('no such option')).toEqual({ words: 'no such option', portTaken: false });
});
