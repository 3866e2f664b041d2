import type { TenantId } from '../shared/identifiers.ts';

/** An item of the index `due`: keys only. */
export interface DueItem {
  readonly tenantId: TenantId;
  /** The item's sort key; what is before its `#` says which worker it is for. */
  readonly sk: string;
  /** Milliseconds since the epoch. */
  readonly dueAt: number;
}

/** What is due, by shard. Throws CordonError AWS_UNAVAILABLE | ACCESS_REFUSED | AWS_REFUSED. */
export interface DueIndex {
  /** Pages of what of one shard is due at `now` (milliseconds since the epoch), the longest due first. A page is read when it is asked for. */
  pages(shard: string, now: number): AsyncIterable<readonly DueItem[]>;
}

/** A worker's queue. Throws as `DueIndex`. */
export interface DueQueue {
  /** Messages that wait or are in work: an estimate, as SQS gives one. */
  depth(): Promise<number>;
  /** Answers how many were taken. What was not is due still. */
  send(items: readonly DueItem[]): Promise<number>;
}
