/**
 * A terminal's screen, as far as Longhaul writes to one: text, line ends, cursor moves, erasing, colours. Anything else
 * throws, so that no test passes on a sequence that nobody looked at. Like xterm it does not fold lines anew at a
 * change of its size.
 */
export class Screen {
  /** How often text ran over the right edge. */
  wraps = 0;
  cursorVisible = true;
  #columns: number;
  #rows: number;
  #lines: string[][] = [[]];
  /** Lines that have left the screen at its top. */
  #scrolled: string[] = [];
  #row = 0;
  #column = 0;
  #rest = '';

  constructor(columns: number, rows: number) {
    this.#columns = columns;
    this.#rows = rows;
  }

  /** What is to be read on the screen, without the blank lines at its end. */
  get lines(): string[] {
    const lines = this.#lines.map(textOf);
    while (lines.at(-1) === '') lines.pop();
    return lines;
  }

  /** The same with everything that has scrolled away. */
  get allLines(): string[] {
    return [...this.#scrolled, ...this.lines];
  }

  get cursor(): { readonly row: number; readonly column: number } {
    return { row: this.#row, column: this.#column };
  }

  resize(columns: number, rows: number): void {
    this.#columns = columns;
    this.#rows = rows;
    this.#lines = this.#lines.map((line) => line.slice(0, columns));
    this.#column = Math.min(this.#column, columns - 1);
    this.#scroll();
  }

  /** Text as a terminal device gives it: line ends are CR LF. A sequence may be cut between two calls. */
  write(text: string): void {
    this.#rest += text;
    while (this.#rest !== '') {
      const taken = this.#take(this.#rest);
      if (taken === 0) return;
      this.#rest = this.#rest.slice(taken);
    }
  }

  /** Length of the first character or sequence, which is carried out; 0 when its end has not come yet. */
  #take(text: string): number {
    const [first = ''] = text;
    if (first === '\r') this.#column = 0;
    else if (first === '\n') this.#lineFeed();
    else if (first === '\u001B') return this.#sequence(text);
    else if (first < ' ' || first === '\u007F') throw new Error(`control character ${JSON.stringify(first)}`);
    else this.#put(first);
    return first.length;
  }

  #put(character: string): void {
    if (this.#column >= this.#columns) {
      this.wraps += 1;
      this.#column = 0;
      this.#lineFeed();
    }
    const line = this.#line();
    while (line.length < this.#column) line.push(' ');
    line[this.#column] = character;
    this.#column += 1;
  }

  #lineFeed(): void {
    this.#row += 1;
    this.#line();
    this.#scroll();
  }

  #scroll(): void {
    while (this.#lines.length > this.#rows) {
      this.#scrolled.push(textOf(this.#lines.shift() ?? []));
      this.#row = Math.max(0, this.#row - 1);
    }
  }

  #line(): string[] {
    while (this.#lines.length <= this.#row) this.#lines.push([]);
    return this.#lines[this.#row] ?? [];
  }

  #sequence(text: string): number {
    // eslint-disable-next-line no-control-regex
    const match = /^\u001B\[(\??[\d;]*)([A-Za-z])/.exec(text);
    if (match === null) {
      // eslint-disable-next-line no-control-regex
      if (/^\u001B(?:\[\??[\d;]*)?$/.test(text)) return 0;
      throw new Error(`sequence ${JSON.stringify(text.slice(0, 12))}`);
    }
    const [whole, parameters = '', command = ''] = match;
    this.#carryOut(command, parameters);
    return whole.length;
  }

  #carryOut(command: string, parameters: string): void {
    const count = Math.max(1, Number(parameters));
    switch (command) {
      case 'A':
        this.#row = Math.max(0, this.#row - count);
        break;
      case 'B':
        this.#row = Math.min(this.#rows - 1, this.#row + count);
        break;
      case 'G':
        this.#column = count - 1;
        break;
      case 'K':
        this.#erase(parameters);
        break;
      case 'm':
        break;
      case 'h':
      case 'l':
        // 2026: what is written in between is to be shown at once.
        if (parameters === '?25') this.cursorVisible = command === 'h';
        else if (parameters !== '?2026') throw new Error(`mode ${parameters}`);
        break;
      default:
        throw new Error(`command ${parameters}${command}`);
    }
  }

  #erase(which: string): void {
    const line = this.#line();
    if (which === '2') line.length = 0;
    else if (which === '' || which === '0') line.length = Math.min(line.length, this.#column);
    else throw new Error(`erase ${which}`);
  }
}

function textOf(line: readonly string[]): string {
  return line.join('').trimEnd();
}
