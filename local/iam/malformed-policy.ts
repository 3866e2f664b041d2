/** Thrown for a policy document that is not valid, or uses what the evaluator does not know; the message names the element, operator, key or action. */
export class MalformedPolicy extends Error {
  override readonly name = 'MalformedPolicy';
  readonly code = 'MalformedPolicy';
  /** The policy the document was given for, e.g. `TenantIsolation`; empty until known. */
  readonly policy: string;

  constructor(message: string, policy = '', options?: ErrorOptions) {
    super(policy === '' ? message : `policy ${policy}: ${message}`, options);
    this.policy = policy;
  }
}
