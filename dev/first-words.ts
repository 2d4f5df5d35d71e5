/** Far more than a server says before it is ready, or a crash of it prints. */
const KEPT_CHARACTERS = 256 * 1024;

/** Why a server ended, for people, and as far as it matters for what is done next. */
export interface LastWords {
  readonly words: string;
  readonly portTaken: boolean;
}

/**
 * What a program said since it was started. A crash of a Go program says why in its first line, and then lists so many
 * frames that the end of its log has only those.
 */
export class FirstWords {
  #text = '';

  add(text: string): void {
    if (this.#text.length < KEPT_CHARACTERS) this.#text += text.slice(0, KEPT_CHARACTERS);
  }

  /** `tail`: the end of its log, which is what there is to say if it did not crash. */
  before(tail: string): LastWords {
    const crash = /^(?:panic|fatal error): .*$/m.exec(this.#text)?.[0];
    return { words: crash ?? tail, portTaken: this.#text.includes('address already in use') };
  }
}
