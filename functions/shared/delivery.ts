/** One delivery of one event. */
export interface Delivery {
  readonly eventId: string;
  /** ISO 8601: when the event was sent. */
  readonly time: string;
  /** Milliseconds since the epoch: by then this run has ended, finished or not. Leases last until then. */
  readonly deadline: number;
}
