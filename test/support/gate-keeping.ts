/** What the broker's gate would say at this moment, whoever asks. */

import { createSignedGate } from '../../functions/broker/gate.dynamodb-signed.ts';
import { admit } from '../../functions/broker/gate.ts';
import { CordonError } from '../../functions/shared/errors.ts';
import {
  credentialId as credentialIdField,
  tenantId as tenantIdField,
  userId as userIdField,
} from '../../functions/shared/identifier-fields.ts';
import type { TestCloud } from './cloud.ts';
import { asRoot } from './ground-truth.ts';
import type { Subject } from './revocation-courses.ts';

/** Somebody who has no item, as agents have none. */
const nobody = 'a'.repeat(26);

/** The versions of the subject's credentials that the gate lets to the provider now; none when it refuses them all. */
export async function letThrough({ cloud }: TestCloud, { tenantId, userId, credentials }: Subject): Promise<readonly string[]> {
  const gate = createSignedGate({
    // Asked as root: what is of interest is what stands there, and not who may read it.
    send: async (_, { headers, body }) => {
      const operation = headers['x-amz-target']?.split('.').at(-1) ?? '';
      return { status: 200, body: JSON.stringify(await asRoot(cloud, 'dynamodb', operation, JSON.parse(body))), headers: {} };
    },
    credentials: { accessKeyId: 'root', secretAccessKey: 'none', sessionToken: 'none' },
    table: cloud.outputs['RegistryTable'] ?? '',
    timeoutMs: 1000,
  });
  const through: string[] = [];
  for (const { credentialId, key } of credentials) {
    const reading = await gate.read({
      ...{ tenantId: tenantIdField.parse(tenantId), userId: userIdField.parse(userId ?? nobody) },
      ...{ credentialId: credentialIdField.parse(credentialId), agentId: undefined, sessionId: undefined },
    });
    const owner = userId === undefined ? undefined : userIdField.parse(userId);
    try {
      through.push(admit(reading, { source: key === undefined ? 'platform-issued' : 'customer-supplied', userId: owner }).secretVersionId);
    } catch (error) {
      if (!(error instanceof CordonError)) throw error;
    }
  }
  return through;
}
