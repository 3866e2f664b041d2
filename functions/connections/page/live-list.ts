/** Keeps the list of connections fresh while something is under way. */
import type { ConnectionsAnswer } from '../connections-answer.ts';
import { ApiError } from './api.ts';
import type { Asked } from './words.ts';

/** Seconds between looks: often at first, then about as often as something can change. */
const pauses = [1, 2, 3, 5, 8, 13, 20, 30, 60] as const;
/** Then whoever asked is told to come back later. */
const askedMs = 120_000;

interface Wish {
  readonly asked: Asked;
  /** Of the connection, when it was asked; undefined when there was none. */
  readonly before: string | undefined;
  readonly until: number;
}

export interface LiveList {
  /** Looks now, and then again for as long as something is under way. */
  look(): Promise<void>;
  /** Notes what was asked for, until the list shows it. */
  note(accountId: string, asked: Asked): void;
  /** No more looks. */
  stop(): void;
}

export interface LiveListDeps {
  readonly load: () => Promise<ConnectionsAnswer>;
  readonly show: (answer: ConnectionsAnswer, asked: ReadonlyMap<string, Asked>) => void;
  /** A look that failed; `again`: another one follows by itself. */
  readonly fail: (error: unknown, again: boolean) => void;
  readonly late: (accountId: string) => void;
}

export function createLiveList(deps: LiveListDeps): LiveList {
  const wishes = new Map<string, Wish>();
  let last: ConnectionsAnswer | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let looks = 0;
  let run = 0;

  async function look(first: boolean): Promise<void> {
    clearTimeout(timer);
    if (first) looks = 0;
    run += 1;
    const mine = run;
    try {
      const answer = await deps.load();
      // A look that was overtaken by a newer one, or by the end, says nothing any more.
      if (mine !== run) return;
      last = answer;
      settle(answer);
      deps.show(answer, askedNow());
      if (isUnderWay(answer)) next();
    } catch (error) {
      if (mine !== run) return;
      const again = isPassing(error) && (last === undefined || isUnderWay(last));
      if (again) next();
      deps.fail(error, again);
    }
  }

  function next(): void {
    const seconds = pauses[Math.min(looks, pauses.length - 1)] ?? 60;
    looks += 1;
    timer = setTimeout(() => void look(false), seconds * 1000);
  }

  function settle(answer: ConnectionsAnswer): void {
    for (const [accountId, { before, until }] of wishes) {
      if (stateOf(answer, accountId) !== before) wishes.delete(accountId);
      else if (Date.now() >= until) {
        wishes.delete(accountId);
        deps.late(accountId);
      }
    }
  }

  const askedNow = (): ReadonlyMap<string, Asked> => new Map([...wishes].map(([accountId, { asked }]) => [accountId, asked]));
  const isUnderWay = ({ connections }: ConnectionsAnswer): boolean =>
    wishes.size > 0 || connections.some(({ status }) => status === 'pending');

  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'visible' && timer !== undefined && last && isUnderWay(last)) void look(true);
  });

  return {
    look: () => look(true),
    note(accountId, asked) {
      wishes.set(accountId, { asked, before: last && stateOf(last, accountId), until: Date.now() + askedMs });
      if (last) deps.show(last, askedNow());
    },
    stop() {
      run += 1;
      clearTimeout(timer);
      timer = undefined;
    },
  };
}

function isPassing(error: unknown): boolean {
  return error instanceof ApiError && error.retryAfter !== undefined;
}

/** Whatever a taken-up request changes. */
function stateOf({ connections }: ConnectionsAnswer, accountId: string): string | undefined {
  const found = connections.find(({ customerAccountId }) => customerAccountId === accountId);
  return found && JSON.stringify([found.status, found.services, found.regions, found.environment, found.requestedUntil]);
}
