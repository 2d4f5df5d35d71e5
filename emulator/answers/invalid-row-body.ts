/** A request body that its endpoint refuses; becomes the row's 422. */
export class InvalidRowBody extends Error {
  readonly loc: readonly (string | number)[];
  readonly type: string;

  constructor(loc: readonly (string | number)[], message: string, type: string) {
    super(message);
    this.loc = loc;
    this.type = type;
  }
}

export function missingField(name: string): InvalidRowBody {
  return new InvalidRowBody(['body', name], 'Field required', 'missing');
}
