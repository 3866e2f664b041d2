const redacted = '[redacted]';
/** `util.inspect.custom` by its public name: importing `node:util` costs each new environment 4 ms. Source: Node.js, Util, `util.inspect.custom`. */
const inspected: unique symbol = Symbol.for('nodejs.util.inspect.custom');

/**
 * A secret that prints as `[redacted]` in every sink: string conversion, JSON, `util.inspect` and so each logger.
 * `reveal()` is the one way to the text; search for it to see every place that handles plaintext.
 */
export class SecretText {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  reveal(): string {
    return this.#text;
  }

  toString(): string {
    return redacted;
  }

  toJSON(): string {
    return redacted;
  }

  [inspected](): string {
    return redacted;
  }
}
