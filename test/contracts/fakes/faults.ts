import { CordonError } from '../../../functions/shared/errors.ts';

/** The process died here: nothing after it runs. */
export class Crash extends Error {
  override readonly name = 'Crash';
}

export type FaultMode = 'before' | 'after' | 'crash';

export interface Fault {
  /** `port.operation` */
  readonly call: string;
  /** 1 is the first such call from the moment the fault is set. */
  readonly nth: number;
  readonly mode: FaultMode;
}

/** Something that somebody else does while a call is under way: before it takes effect, or after. */
export interface Meanwhile {
  readonly call: string;
  readonly nth: number;
  readonly when: 'before' | 'after';
  readonly work: () => Promise<void>;
}

/** Injects one fault into calls of ports, and keeps a journal of these calls, from which a campaign takes its fault points. */
export interface Faults {
  readonly journal: string[];
  set(fault: Fault | undefined): void;
  /** Has something done in the middle of one call. */
  meanwhile(next: Meanwhile): void;
  /** True when the fault has struck. */
  readonly struck: boolean;
  /** After a crash: a new process on the same world. */
  restart(): void;
  through<Port extends object>(name: string, port: Port): Port;
}

export function createFaults(): Faults {
  const journal: string[] = [];
  let fault: Fault | undefined;
  let seen = 0;
  let struck = false;
  let dead = false;
  let meanwhile: Meanwhile | undefined;
  let met = 0;

  async function run(call: string, work: () => unknown): Promise<unknown> {
    if (dead) throw new Crash('a dead process makes no calls');
    journal.push(call);
    const hit = fault?.call === call && ++seen === fault.nth ? fault.mode : undefined;
    if (hit !== undefined) struck = true;
    const other = meanwhile?.call === call && ++met === meanwhile.nth ? meanwhile : undefined;
    if (other) [struck, meanwhile] = [true, undefined];
    if (other?.when === 'before') await other.work();
    if (hit === 'before') throw new CordonError('AWS_UNAVAILABLE', `${call} failed before it did anything`, { retryable: true });
    const value = await work();
    if (other?.when === 'after') await other.work();
    if (hit === 'after') throw new CordonError('AWS_UNAVAILABLE', `${call} did its work and its answer was lost`, { retryable: true });
    if (hit === 'crash') {
      dead = true;
      throw new Crash(`the process died after ${call}`);
    }
    return value;
  }

  return {
    journal,
    set(next) {
      [fault, seen, struck] = [next, 0, false];
    },
    meanwhile(next) {
      [meanwhile, met, struck] = [next, 0, false];
    },
    get struck() {
      return struck;
    },
    restart() {
      dead = false;
    },
    through: (name, port) =>
      new Proxy(port, {
        get(target, member) {
          const value: unknown = Reflect.get(target, member);
          if (typeof value !== 'function') return value;
          return (...args: unknown[]) => run(`${name}.${String(member)}`, () => Reflect.apply(value, target, args));
        },
      }),
  };
}
