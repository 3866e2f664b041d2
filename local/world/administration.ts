/** The administration side of a simulated provider: its routes, who may use them, and how often. */
import type { Clock } from '../core/clock.ts';
import type { Answer } from './deliver.ts';
import type { Misbehaviour } from './misbehaviour.ts';
import type { SimulatedKeys } from './simulated-keys.ts';
import type { SimulatedRequest } from './simulated-request.ts';

/** Takes what stands for `{id}` in the path, decoded. */
type Route = (ids: readonly string[], request: SimulatedRequest) => Answer | Promise<Answer>;

/**
 * By method and path below the provider's own place in the world (`/mistral`, `/gemini`), with `{id}` for what varies, e.g. `DELETE
 * /api/admin/api-keys/{id}`. This is also the action a fault names. `open` routes need no credentials: token endpoints.
 */
export interface Administration {
  readonly routes: Readonly<Record<string, Route>>;
  readonly open?: Readonly<Record<string, Route>>;
  /** What a client takes for the administration's base URL, below the provider's place, e.g. `/api/admin`. */
  readonly basePath: string;
  /** The credentials presented, in the administration's own header. */
  presented(request: SimulatedRequest): string | undefined;
  /** Undefined when they are the administrator's. */
  refusal(secret: string | undefined): Answer | undefined;
  /** The provider's own form of an error; a 429 says when to come again. */
  error(status: number, retryAfterSeconds?: number): Answer;
  /** Lets what has been pending come to be, before keys are counted. */
  settle?(): void;
  /** What the platform's people make beforehand, e.g. an Azure OpenAI resource; nothing when it is there. */
  makeAccount?(name: string): void;
  /** What the stack's admin secret has to hold: text, or JSON. */
  adminSecret(): string;
  /** Every secret of the administration itself; not the keys. */
  plantedSecrets(): readonly string[];
}

export interface AdministrationDeps {
  readonly clock: Clock;
  readonly keys: SimulatedKeys;
  /** How the provider behaves at the moment. */
  readonly how: () => Misbehaviour;
  /** The provider's place in the world, e.g. `http://127.0.0.1:41234/gemini`; known once the world listens. */
  readonly place: () => string;
}

export interface AdminRoute {
  /** For faults: the route with `{id}` where IDs stand. */
  readonly action: string;
  readonly isOpen: boolean;
  answer(request: SimulatedRequest): Answer | Promise<Answer>;
}

/** `path` is below the provider's place. Undefined for what the administration does not serve. */
export function adminRouteOf(administration: Administration, method: string, path: string): AdminRoute | undefined {
  for (const [routes, isOpen] of [
    [administration.open ?? {}, true],
    [administration.routes, false],
  ] as const) {
    for (const [action, route] of Object.entries(routes)) {
      const ids = idsIn(action, `${method} ${path}`);
      if (ids !== undefined) return { action, isOpen, answer: (request) => route(ids, request) };
    }
  }
  return undefined;
}

function idsIn(action: string, asked: string): readonly string[] | undefined {
  const wanted = action.split('/');
  const given = asked.split('/');
  if (wanted.length !== given.length) return undefined;
  const ids: string[] = [];
  for (const [index, part] of wanted.entries()) {
    const found = given[index] ?? '';
    const [before = '', after] = part.split('{id}');
    if (after === undefined ? found !== part : !isAround(found, before, after)) return undefined;
    if (after !== undefined) ids.push(decoded(found.slice(before.length, found.length - after.length)));
  }
  return ids;
}

/** `{id}:undelete` has a verb after the ID; a plain `{id}` has none. */
function isAround(text: string, before: string, after: string): boolean {
  const isLonger = text.length > before.length + after.length;
  return isLonger && text.startsWith(before) && text.endsWith(after) && (after !== '' || !text.includes(':'));
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // Not percent-encoded UTF-8: it names nothing.
    return '';
  }
}

/** Counts requests by the injected clock. Answers the seconds to wait when one is too many. */
export function createRateLimit(clock: Clock, perMinute: () => number | undefined): () => number | undefined {
  let times: readonly number[] = [];
  return () => {
    const now = clock.now();
    const limit = perMinute();
    times = times.filter((at) => at > now - 60_000);
    const [oldest] = times;
    if (limit !== undefined && times.length >= limit) return Math.max(1, Math.ceil(((oldest ?? now) + 60_000 - now) / 1000));
    times = [...times, now];
    return undefined;
  };
}

/** The members of an `application/x-www-form-urlencoded` body, as token endpoints take it (RFC 6749, section 4.4.2). */
export function formOf(request: SimulatedRequest): URLSearchParams {
  return new URLSearchParams(request.bytes.toString('utf8'));
}
