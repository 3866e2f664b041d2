/** Why a message was put aside. Shown to operators; holds no secret. */
export interface Reason {
  readonly code: string;
  readonly message: string;
}

/** The queue that events come from, and the place for those that cannot be handled. Throws CordonError AWS_UNAVAILABLE | ACCESS_REFUSED | AWS_REFUSED. */
export interface Inbox {
  /** Hides a message that is being handled for this many seconds before it is delivered again. */
  delay(receiptHandle: string, seconds: number): Promise<void>;
  /** Puts a copy of the message, as it was, into the dead-letter queue with the reason beside it. */
  putAside(body: string, reason: Reason): Promise<void>;
}
