import type { TenantId } from '../shared/identifiers.ts';
import type { Connection, NewConnection } from './connection.ts';

/** Connections of one tenant. Reads and writes are as `Registry` describes them: consistent, conditional, and with the same errors. */
export interface ConnectionStore {
  connection(tenantId: TenantId, customerAccountId: string): Promise<Connection | undefined>;
  /** All of the tenant, in the order of the account IDs. */
  connections(tenantId: TenantId): Promise<readonly Connection[]>;
  /** Throws CONFLICT when there is one for the account. */
  addConnection(item: NewConnection): Promise<Connection>;
  /** Lays `change` over the item; a member that is named but undefined is removed. Throws CONFLICT when the item is of another version by now. */
  changeConnection(item: Connection, change: Partial<NewConnection>): Promise<Connection>;
  /**
   * Moves an item's due time without reading or understanding it: for one that cannot be dealt with. False when it is due at another time by now, or not at all.
   *
   * @param dueAt when it was due, `until` when it is to be due, in milliseconds since the epoch
   */
  postpone(tenantId: TenantId, customerAccountId: string, change: { readonly dueAt: number; readonly until: number }): Promise<boolean>;
}
