/** What passes between a worker and the world, call by call: written down, and troubled where a test wants it. */
import { answerLost } from '../../local/core/faults.ts';
import type { FaultPoint } from './fault-points.ts';

/**
 * What can happen to a call. `fails`: it is refused for now and nothing is done. `loses its answer`, `kills`: it is done, and the caller never knows, or dies of it.
 * `comes late`: the caller gives up waiting, and it is done afterwards. `is never made`: the caller dies before. The last two hold the call up while `meanwhile` happens,
 * before or after it is done.
 */
export const effects = ['fails', 'loses its answer', 'kills', 'is done twice', 'comes late'] as const;
export type Effect = (typeof effects)[number] | 'is never made' | 'is held up' | 'has its answer held up';

export interface Trouble {
  readonly point: FaultPoint;
  readonly effect: Effect;
  readonly meanwhile?: () => Promise<void>;
}

/** Whose calls these are; one that is dead makes none. */
export interface Caller {
  dead: boolean;
  die(): void;
}

export interface Sent<Answer> {
  readonly service: string;
  readonly action: string;
  send(): Promise<Answer>;
  /** What the caller is answered when nothing was done. */
  refused(): Answer | Promise<Answer>;
  /** What the caller gets to know of an answer that never came. */
  lost(): Error;
}

export interface TroubledLine {
  /** Calls since the last `restart`, in their order, numbered by service and action. */
  readonly calls: readonly FaultPoint[];
  /** Troubles that have not met their call. */
  readonly waiting: readonly Trouble[];
  /** Forgets calls and troubles, and awaits these from now on. */
  restart(troubles?: readonly Trouble[]): void;
  pass<Answer>(caller: Caller, call: Sent<Answer>): Promise<Answer>;
  /** Does what comes late. */
  release(): Promise<void>;
}

const never = new Promise<never>(() => undefined);

/** @param watch called after whatever was done, before the caller knows */
export function createTroubledLine(watch: (point: Pick<FaultPoint, 'service' | 'action'>) => Promise<void>): TroubledLine {
  let calls: FaultPoint[] = [];
  let waiting: Trouble[] = [];
  let late: (() => Promise<unknown>)[] = [];

  function strike({ service, action }: Pick<FaultPoint, 'service' | 'action'>): Trouble | undefined {
    const nth = calls.filter((one) => one.service === service && one.action === action).length + 1;
    calls.push({ service, action, nth });
    const found = waiting.find(({ point }) => point.service === service && point.action === action && point.nth === nth);
    waiting = waiting.filter((one) => one !== found);
    return found;
  }

  return {
    get calls() {
      return calls;
    },
    get waiting() {
      return waiting;
    },
    restart(troubles = []) {
      [calls, waiting, late] = [[], [...troubles], []];
    },
    async pass(caller, { service, action, refused, lost, ...call }) {
      if (caller.dead) return never;
      const send = async () => {
        const answer = await call.send();
        await watch({ service, action });
        return answer;
      };
      const trouble = strike({ service, action });
      switch (trouble?.effect) {
        case undefined:
          return send();
        case 'fails':
          return refused();
        case 'loses its answer':
          await send();
          throw lost();
        case 'kills':
          await send();
          caller.die();
          return never;
        case 'is never made':
          caller.die();
          return never;
        case 'is done twice':
          await send();
          return send();
        case 'comes late':
          late.push(() => send());
          throw lost();
        case 'is held up':
          await trouble?.meanwhile?.();
          return send();
        case 'has its answer held up': {
          const answer = await send();
          await trouble?.meanwhile?.();
          return answer;
        }
      }
    },
    async release() {
      // What is too late may be refused, and nobody is there to be told.
      for (const send of late.splice(0)) await send().catch(() => undefined);
    },
  };
}

/** An AWS call whose answer does not come: the connection is dropped. */
export const lostAnswer = answerLost;

/** A call that changes nothing: that it was done and nobody knows is nothing new, nor is its being done later or twice. */
const changesNothing = /^(AssumeRole$|Describe|Get|GET |List|Query$)/;

/** What is worth trying on a call. */
export function effectsOn({ action }: FaultPoint): readonly Effect[] {
  return changesNothing.test(action) ? ['fails', 'kills'] : effects;
}

/** How a call can be held up. Of one that changes nothing, only the answer counts, which is old by then. */
export function delaysOf({ action }: FaultPoint): readonly Effect[] {
  return changesNothing.test(action) ? ['has its answer held up'] : ['is held up', 'has its answer held up'];
}
