import { CordonError, type CordonErrorCode } from '../shared/errors.ts';
import type { Violation } from './tenant-session.ts';

/** IAM refused what a tenant's own session asked for, or the credential turned out to be another's: the caller is refused, the refusal attributed, an event raised. */
export class IsolationViolation extends CordonError {
  readonly violation: Violation;

  constructor(violation: Omit<Violation, 'code'>, cause?: CordonError, code: Violation['code'] = 'ACCESS_REFUSED') {
    super('ACCESS_REFUSED', `${code === 'ACCESS_REFUSED' ? 'IAM' : 'the broker'} refused ${violation.operation} on ${violation.resource}`, {
      cause,
    });
    this.violation = { ...violation, code };
  }
}

/**
 * Refusals that do not pass by themselves, and with which nobody's isolation is at stake: a customer's account refused, not this one; or the session was cut off, and
 * there is no other one for this caller any more.
 */
const lasting: ReadonlySet<CordonErrorCode> = new Set(['CUSTOMER_KEY_REFUSED', 'TOKEN_REFUSED', 'TENANT_MISMATCH']);

/**
 * Runs what a call depends on. Whatever goes wrong there, the call is refused with `code` and may be tried again; the reason stays in `cause`.
 *
 * @param asked what IAM decides on
 * @throws CordonError `code` (retryable); CUSTOMER_KEY_REFUSED, TOKEN_REFUSED and TENANT_MISMATCH as they are; IsolationViolation when IAM refused
 */
export async function unavailable<Value>(
  code: CordonErrorCode,
  message: string,
  asked: Omit<Violation, 'code'>,
  work: () => Promise<Value>,
): Promise<Value> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof CordonError && error.code === 'ACCESS_REFUSED') throw new IsolationViolation(asked, error);
    if (error instanceof CordonError && lasting.has(error.code)) throw error;
    throw new CordonError(code, message, { retryable: true, cause: error });
  }
}
