/** A customer who brings a key in through the door, over HTTP as anybody would. */
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { z } from 'zod';
import { sealSecret } from '../../functions/credentials/seal-secret.ts';
import { fromItem } from '../../functions/shared/attribute-values.ts';
import type { TokenRequest } from '../../local/world/oidc.ts';
import type { TestCloud } from './cloud.ts';
import { asRoot } from './ground-truth.ts';

const doorKey = z.object({
  keys: z.tuple([z.looseObject({ kty: z.literal('EC'), kid: z.string(), alg: z.string(), use: z.literal('enc') })]),
  nonce: z.object({ value: z.string(), expiresAt: z.iso.datetime() }),
});
export type DoorKeyGiven = z.infer<typeof doorKey>;

/** What the door said. `code` is the error's; undefined when there was none. */
export interface DoorAnswer {
  readonly status: number;
  readonly code: string | undefined;
  /** As it came. */
  readonly text: string;
}

/** A key of a provider, or the connection string of a database. */
type SecretToSupply = { readonly apiKey: string } | { readonly connectionString: string };

interface WhereToSupply {
  readonly tenantId: string;
  readonly credentialId: string;
  /** The token's subject, `admin@{tenantId}` when left out; and its role claim, `admin` when left out. */
  readonly userId?: string;
  readonly role?: string;
}
export type KeyToSupply = WhereToSupply & SecretToSupply;

/** A token of somebody whose role may supply the tenant's secrets. */
export function supplierToken(test: TestCloud, tenantId: string, who: Partial<TokenRequest> = {}): Promise<string> {
  return test.cloud.oidc.mint({ tenantId, userId: `admin@${tenantId}`, role: 'admin', ...who });
}

/** `GET /v1/credentials/public-key`. Rejects when it is refused. */
export async function askDoorKey(test: TestCloud, token: string): Promise<DoorKeyGiven> {
  const response = await fetch(`${test.cloud.brokerUrl}/v1/credentials/public-key`, { headers: { authorization: `Bearer ${token}` } });
  const text = await response.text();
  if (response.status !== 200) throw new Error(`The door gave no key: ${response.status} ${text}`);
  return doorKey.parse(JSON.parse(text));
}

/** Seals as a customer does. The secret counts as one of this run from here on: it may show up nowhere (`canaries.ts`). */
export function sealKey(test: TestCloud, given: DoorKeyGiven, key: KeyToSupply): Promise<string> {
  const { tenantId, credentialId } = key;
  const secret = 'apiKey' in key ? { apiKey: key.apiKey } : { connectionString: key.connectionString };
  for (const text of Object.values(secret)) test.tokens.add(text);
  return sealSecret({ publicKey: given.keys[0], tenantId, credentialId, nonce: given.nonce.value, secret });
}

/** `POST /v1/credentials/{credentialId}/secret` with this body; a text is sent as it is. */
export async function postSecret(test: TestCloud, token: string, credentialId: string, body: object | string): Promise<DoorAnswer> {
  const response = await fetch(`${test.cloud.brokerUrl}/v1/credentials/${encodeURIComponent(credentialId)}/secret`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  const text = await response.text();
  return { status: response.status, code: codeIn(text), text };
}

/** The whole way: asks for the public key and a nonce, seals, and hands over. Answers what the door says, a refusal too. */
export async function supplyKey(test: TestCloud, key: KeyToSupply): Promise<DoorAnswer> {
  const { tenantId, credentialId, userId = `admin@${tenantId}`, role = 'admin' } = key;
  const token = await supplierToken(test, tenantId, { userId, role });
  return postSecret(test, token, credentialId, { jwe: await sealKey(test, await askDoorKey(test, token), key) });
}

/** As `supplyKey`, with a key that the simulated provider has just made. Answers the key. Rejects when the door refuses it. */
export async function bringKeyIn(test: TestCloud, key: WhereToSupply & { readonly provider: string }): Promise<string> {
  const apiKey = test.cloud.world.issueKey(key.provider);
  const answer = await supplyKey(test, { ...key, apiKey });
  if (answer.status !== 200) throw new Error(`The door did not take the key of ${key.credentialId}: ${answer.status} ${answer.text}`);
  return apiKey;
}

const storedItem = z.object({ Item: z.record(z.string(), z.custom<AttributeValue>()).default({}) });

/** An item of the registry as it is stored; `{}` when there is none. */
export async function registryItem(test: TestCloud, tenantId: string, sk: string): Promise<Readonly<Record<string, unknown>>> {
  const Key = { pk: { S: `TENANT#${tenantId}#` }, sk: { S: sk } };
  const input = { TableName: test.cloud.outputs['RegistryTable'], Key, ConsistentRead: true };
  return fromItem(storedItem.parse(await asRoot(test.cloud, 'dynamodb', 'GetItem', input)).Item);
}

const refusal = z.object({ error: z.object({ code: z.string() }) });

function codeIn(text: string): string | undefined {
  try {
    return refusal.safeParse(JSON.parse(text)).data?.error.code;
  } catch {
    // No JSON: then it says nothing.
    return undefined;
  }
}
