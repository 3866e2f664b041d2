import { toItem } from '../shared/attribute-values.ts';
import { aws, isAwsError } from '../shared/aws-errors.ts';
import type { SendSigned, SigningCredentials } from '../shared/aws-signed.ts';
import { callJson } from '../shared/aws-signed-json.ts';
import { itemOf } from './attribution-item.ts';
import type { AttributionStore } from './attribution-store.ts';

/**
 * The half of the store that the broker needs, without an SDK client: it can add and not read.
 *
 * @param credentials of a session of the tenant whose entries these are
 */
export function createSignedAttributionStore(deps: {
  readonly send: SendSigned;
  readonly credentials: SigningCredentials;
  readonly table: string;
  readonly timeoutMs: number;
}): Pick<AttributionStore, 'record'> {
  const { send, credentials, table, timeoutMs } = deps;
  return {
    record: (entry) =>
      aws('recording attribution', async () => {
        const item = toItem(itemOf(entry));
        // The names are ours, only values are parameters.
        const members = Object.keys(item).map((name) => `'${name}': ?`);
        const insert = { Statement: `INSERT INTO "${table}" VALUE {${members.join(', ')}}`, Parameters: Object.values(item) };
        try {
          await callJson(send, credentials, { service: 'dynamodb', operation: 'ExecuteStatement', timeoutMs }, insert);
        } catch (error) {
          // The ULID is made once per entry, so what is there is this very entry, recorded by an attempt whose answer was lost.
          if (!isAwsError(error, 'DuplicateItemException')) throw error;
        }
      }),
  };
}
