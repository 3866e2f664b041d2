import { announceConnection } from './announce-connection.ts';
import type { ByocDeps, ByocStores } from './byoc-deps.ts';
import type { Connection, NewConnection } from './connection.ts';
import { dueAfterNews, dueOf } from './decide-next.ts';
import { provideCredentials } from './provide-credentials.ts';

/**
 * Lays a worker's hold over a change: nobody else works on the connection before `until`, and if this run dies, it is due again then. Milliseconds since the epoch.
 */
export function held(item: Connection, until: number, change: Partial<NewConnection>): Partial<NewConnection> {
  return { ...change, attempt: item.attempt + 1, leaseUntil: until, ...dueOf(item, until) };
}

/**
 * Does what belongs to the status of a connection that this run holds: its credentials and rules, and telling. Then gives it back, due when its status says.
 *
 * @throws CordonError CONFLICT when an event changed the connection meanwhile: then there is nothing left to do; and as the stores and the announcer
 */
export async function settleConnection(deps: ByocDeps, stores: ByocStores, item: Connection): Promise<Connection> {
  if (item.status === 'pending' || item.status === 'active') await provideCredentials(deps, stores, item);
  await announceConnection(deps, item);
  return stores.connections.changeConnection(item, { announced: true, leaseUntil: 0, setbacks: 0, ...dueAfterNews(item, deps.clock()) });
}
