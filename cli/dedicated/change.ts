/** One thing that is not as this version makes it, and what sets it right. */
export interface Change {
  /** For people: `TenantAgent-acme: trust`. */
  readonly what: string;
  /** @throws CordonError as `aws` */
  apply(): Promise<void>;
}
