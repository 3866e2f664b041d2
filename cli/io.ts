/** What a command touches of the machine it runs on; passed in, so that tests run commands without one. */
export interface Io {
  /** Results. Whole lines. */
  out(text: string): void;
  /** Progress, notes and reasons. Whole lines. */
  err(text: string): void;
  /** Whether a person sits in front of it who can be asked. */
  readonly interactive: boolean;
  /** Asks, and answers what was typed; an empty text when nobody answers. */
  ask(question: string): Promise<string>;
  pause(ms: number): Promise<void>;
  /** Milliseconds since the epoch, by this machine's clock. */
  clock(): number;
  /** Where files are named from, and `.cordon/local.json` lies. */
  readonly directory: string;
}
