/** A world with a clock and faults in the test's hand, and plain requests to a provider's administration. */
import { createHash } from 'node:crypto';
import { type Clock, createClock } from '../../../local/core/clock.ts';
import { createFaultTable, type FaultTable } from '../../../local/core/faults.ts';
import type { Simulator } from '../../../local/world/simulator.ts';
import { startWorld, type World } from '../../../local/world/world.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** Undefined for an empty body. */
  readonly json: unknown;
}

export interface Asked {
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON, or as a form. */
  readonly body?: object | URLSearchParams;
}

export interface AdministeredWorld {
  readonly world: World;
  readonly clock: Clock;
  readonly faults: FaultTable;
  simulator(name: string): Simulator;
  /** `path` is below the provider's administration. */
  admin(name: string, method: string, path: string, asked?: Asked): Promise<Answer>;
  /** `path` is below the provider's base URL. */
  use(name: string, method: string, path: string, asked?: Asked): Promise<Answer>;
}

export async function startAdministeredWorld(): Promise<AdministeredWorld> {
  const clock = createClock();
  const faults = createFaultTable();
  const world = await startWorld({ clock, takeFault: (service, action) => faults.match(service, action) });
  const simulator = (name: string): Simulator => {
    const found = world.simulators[name];
    if (found === undefined) throw new Error(`there is no ${name}`);
    return found;
  };
  return {
    world,
    clock,
    faults,
    simulator,
    admin: (name, method, path, asked) => send(`${world.adminBaseUrls[name]}${path}`, method, asked),
    use: (name, method, path, asked) => send(`${world.providers[name]?.baseUrl}${path}`, method, asked),
  };
}

export async function send(url: string, method: string, { headers = {}, body }: Asked = {}): Promise<Answer> {
  const isForm = body instanceof URLSearchParams;
  const response = await fetch(url, {
    method,
    headers: { ...headers, ...(body === undefined || isForm ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: isForm ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, json: text === '' ? undefined : JSON.parse(text) };
}

export const bearer = (token: string | undefined): Record<string, string> => ({ authorization: `Bearer ${token}` });
export const fingerprint = (secret: string): string => createHash('sha256').update(secret).digest('hex');

/** A member somewhere inside, e.g. `data.0.id`; as text. Throws when there is none. */
export function textAt(value: unknown, path: string): string {
  let found: unknown = value;
  for (const name of path.split('.'))
    found = typeof found === 'object' && found !== null ? new Map(Object.entries(found)).get(name) : undefined;
  if (typeof found !== 'string') throw new Error(`there is no text at ${path} in ${JSON.stringify(value)}`);
  return found;
}
