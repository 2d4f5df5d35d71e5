import { styleText } from 'node:util';

const REPAINT_MS = 200;

/**
 * Tells what happens, on the same stream as the command that it starts. `title` and `say` are for times when that command
 * does not write. `caption` is for a time when its live block is up: on a terminal it stands on the line below the block,
 * where the cursor rests between two updates, and follows `textNow` until `uncaption`; elsewhere it is one line.
 */
export function createNarrator(stream, env) {
  const isLive = stream.isTTY === true && env.TERM !== 'dumb';
  const hasColour = isLive && !env.NO_COLOR;
  const style = (format, text) => (hasColour ? styleText(format, text, { validateStream: false }) : text);
  let repainting;

  const uncaption = () => {
    if (repainting === undefined) return;
    clearInterval(repainting);
    repainting = undefined;
    stream.write('\r\u001b[2K');
  };

  return {
    title: (text) => stream.write(`\n${style('bold', text)}\n`),
    say: (...lines) => stream.write(lines.map((line) => `${line}\n`).join('')),
    caption: (textNow) => {
      uncaption();
      if (!isLive) {
        stream.write(`${textNow()}\n`);
        return;
      }
      const paint = () => {
        // One column less: some terminals break a line that fills the last one.
        const text = textNow().slice(0, Math.max(1, (stream.columns ?? 80) - 1));
        stream.write(`\r\u001b[2K${style('yellow', text)}`);
      };
      paint();
      repainting = setInterval(paint, REPAINT_MS);
    },
    uncaption,
  };
}
