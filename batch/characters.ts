/** Length in characters, that is code points: an emoji is one, though it has two UTF-16 units. */
export function characterCount(text: string): number {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}
