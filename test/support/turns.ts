/**
 * One call at a time, in an order that the seed decides: workers ask for several things at once, and which of their requests arrives first is otherwise a matter of
 * sockets. Nobody's turn comes while a request of anybody is still on its way, so that all who could be next are there to be chosen from.
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { ClientRequest } from 'node:http';

interface Turn {
  readonly service: string;
  readonly action: string;
}

interface Circumstances {
  /** It came as a request, which is on its way as long as it is not answered. */
  readonly overHttp: boolean;
  /** Has this called when the caller dies, of which its call is answered no more. Answers the way to have it called no longer. */
  onDeath(tell: () => void): () => void;
}

/** A turn that somebody has. */
interface Taken {
  isOver: boolean;
  /** It waits for others' turns. */
  isAside: boolean;
}

export interface Turns {
  /** Does the work when it is its turn. */
  take<Answer>(turn: Turn, circumstances: Circumstances, work: () => Promise<Answer>): Promise<Answer>;
  /** Does what takes turns itself, e.g. another function's work: aside from the turn in which it is done, if there is one. */
  aside<Answer>(work: () => Promise<Answer>): Promise<Answer>;
  /** A request that no client of Node's makes is on its way until this resolves. */
  underWay<Answer>(request: Promise<Answer>): Promise<Answer>;
  close(): void;
}

/**
 * @param host where requests count, e.g. `127.0.0.1:4566`
 * @param choose answers a number from 0 up to 1; the seed's
 */
export function createTurns(host: string, choose: () => number): Turns {
  const waiting: { readonly name: string; readonly overHttp: boolean; begin(): void }[] = [];
  let taken: Taken | undefined;
  let takenOverHttp = false;
  /** Requests that were sent and not answered. */
  let onTheWay = 0;
  /** Of these: those that are never answered, and those whose answer waits for other turns. */
  let unanswered = 0;
  let looks = 0;

  /** Twice around the event loop: whoever was just answered asks for what is next by then. */
  function lookLater(): void {
    looks += 1;
    const mine = looks;
    setImmediate(() => setImmediate(() => mine === looks && look()));
  }

  function look(): void {
    if (taken !== undefined || waiting.length === 0) return;
    // One that is on its way makes us look again when it has come.
    if (onTheWay - unanswered > waiting.filter(({ overHttp }) => overHttp).length) return;
    waiting.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
    const [next] = waiting.splice(waiting.length === 1 ? 0 : Math.floor(choose() * waiting.length), 1);
    next?.begin();
  }

  function answered(): void {
    onTheWay -= 1;
    lookLater();
  }

  const sent = (message: unknown): void => {
    if (typeof message !== 'object' || message === null || !('request' in message)) return;
    const { request } = message;
    if (!(request instanceof ClientRequest) || request.getHeader('host') !== host) return;
    onTheWay += 1;
    request.once('close', answered);
  };
  subscribe('http.client.request.start', sent);

  function begin(turn: Taken, overHttp: boolean): void {
    taken = turn;
    takenOverHttp = overHttp;
  }
  function free(): void {
    taken = undefined;
    lookLater();
  }

  return {
    take<Answer>({ service, action }: Turn, { overHttp, onDeath }: Circumstances, work: () => Promise<Answer>) {
      const { promise, resolve, reject } = Promise.withResolvers<Answer>();
      waiting.push({
        name: `${service} ${action}`,
        overHttp,
        begin() {
          const turn = { isOver: false, isAside: false };
          begin(turn, overHttp);
          const end = (died: boolean): void => {
            if (turn.isOver) return;
            turn.isOver = true;
            forget();
            if (turn.isAside) return;
            if (died && overHttp) unanswered += 1;
            free();
          };
          const forget = onDeath(() => end(true));
          work().then(
            (answer) => {
              resolve(answer);
              end(false);
            },
            (error: unknown) => {
              reject(error);
              end(false);
            },
          );
        },
      });
      lookLater();
      return promise;
    },
    async aside(work) {
      const turn = taken;
      // What is done late is done while nobody works.
      if (turn === undefined) return work();
      const overHttp = takenOverHttp;
      turn.isAside = true;
      if (overHttp) unanswered += 1;
      free();
      try {
        return await work();
      } finally {
        // Whoever has died meanwhile has no turn to come back to, and its request stays unanswered.
        if (!turn.isOver)
          await new Promise<void>((resume) => {
            waiting.push({ name: '', overHttp: false, begin: resume });
            lookLater();
          });
        if (turn.isOver) lookLater();
        else {
          turn.isAside = false;
          if (overHttp) unanswered -= 1;
          begin(turn, overHttp);
        }
      }
    },
    async underWay(request) {
      onTheWay += 1;
      try {
        return await request;
      } finally {
        answered();
      }
    },
    close: () => void unsubscribe('http.client.request.start', sent),
  };
}
