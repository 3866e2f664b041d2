import { CordonError } from '../shared/errors.ts';

/** @throws CordonError ITEM_NOT_UNDERSTOOD: nothing is concluded from an item of a form that is not known, least of all that something may be used */
export function notUnderstood(): never {
  throw new CordonError('ITEM_NOT_UNDERSTOOD', 'a registry item is not understood', { retryable: true });
}
