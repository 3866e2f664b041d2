/** What was asked of the cloud and what IAM decided. Entries never hold a call's input: it may be a secret. */

export interface JournalEntry {
  /** Rises by one with each entry, from 1. */
  readonly seq: number;
  /** ISO 8601, the cloud's clock. */
  readonly at: string;
  /** The caller's ARN (or a service's host name). */
  readonly principal: string;
  /** The caller's principal tags. */
  readonly tags: Readonly<Record<string, string>>;
  /** The IAM action, e.g. `secretsmanager:GetSecretValue`. */
  readonly action: string;
  readonly resource: string;
  readonly decision: 'allow' | 'deny';
  /** The deciding statement as `Policy/Sid`, or one sentence when no statement decided. */
  readonly statement: string;
  readonly requestId: string;
  /** Signing name and operation of the call this belongs to: what a fault can be set on. */
  readonly service: string;
  readonly operation: string;
}

export interface Journal {
  record(entry: Omit<JournalEntry, 'seq'>): JournalEntry;
  /** Entries with `seq` greater than `since` (0 or left out: all that are kept), oldest first. */
  since(since?: number): readonly JournalEntry[];
  /** The last entry's number; 0 when there was none. */
  readonly lastSeq: number;
  clear(): void;
}

/** Keeps the last `limit` entries in memory. */
export function createJournal(limit = 200_000): Journal {
  let entries: JournalEntry[] = [];
  let seq = 0;
  return {
    record(entry) {
      seq += 1;
      const numbered = { seq, ...entry };
      entries.push(numbered);
      // Cut in blocks: one cut per entry would move the whole array each time.
      if (entries.length >= limit * 1.25) entries = entries.slice(-limit);
      return numbered;
    },
    since(since = 0) {
      const kept = entries.length > limit ? entries.slice(-limit) : entries;
      const first = kept[0];
      return first === undefined ? [] : kept.slice(Math.max(0, since - first.seq + 1));
    },
    get lastSeq() {
      return seq;
    },
    clear() {
      entries = [];
    },
  };
}
