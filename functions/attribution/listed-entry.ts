import type { Outcome, Proof } from './attribution-entry.ts';

/** One thing that was done, as the API shows it. */
export interface ListedEntry {
  readonly id: string;
  /** ISO 8601, when it was begun. */
  readonly at: string;
  readonly operation: string;
  readonly provider?: string | undefined;
  readonly credentialId?: string | undefined;
  readonly credentialVersion?: string | undefined;
  readonly userId?: string | undefined;
  readonly agentId?: string | undefined;
  readonly sessionId?: string | undefined;
  readonly requestedBy?: string | undefined;
  /** What the caller said of itself and nobody verified. */
  readonly asserted: Readonly<Record<string, string>>;
  readonly context: Readonly<Record<string, string>>;
  /** `pending`: may still be under way. `unknown`: it no longer can be, and nobody recorded its end. */
  readonly outcome: Outcome['result'] | 'pending' | 'unknown';
  readonly outcomeCode?: string | undefined;
  readonly statusCode?: number | undefined;
  readonly usage?: Outcome['usage'];
  readonly bytes?: number | undefined;
  readonly durationMs?: number | undefined;
  /** Of what was verified: the signed document that says so. */
  readonly proof?: Proof | undefined;
}
