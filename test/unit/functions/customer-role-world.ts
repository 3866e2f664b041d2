/** A connected account as the broker knows it, and a broker's world with one. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { CredentialFacts } from '../../../functions/broker/catalogue.ts';
import type { CustomerRole, Epochs } from '../../../functions/broker/gate.ts';
import type { ProxyCall } from '../../../functions/broker/proxy-event.ts';
import type { AwsScope } from '../../../functions/providers/egress-adapter.ts';
import { credentialId } from '../../../functions/shared/identifier-fields.ts';
import { ann, createBrokerWorld, facts, ruleTo, startProvider, type TestProvider } from './broker-world.ts';

export const account = '444455556666';
export const role: CustomerRole = {
  connectionId: account,
  epoch: 3,
  roleArn: `arn:aws:iam::${account}:role/cordon.acme.abcd2345`,
  roleId: 'AROACUSTOMER',
  externalId: 'cordon-external',
};
export const credential = facts({
  credentialId: credentialId.parse(`aws-${account}`),
  provider: 'aws',
  source: 'customer-role',
  connectionId: account,
  settings: { regions: ['us-east-1', 'eu-central-1'], services: ['dynamodb', 's3'] },
});
export const under = (over: Partial<Epochs> = {}): Epochs => ({
  tenant: 1,
  user: -1,
  credential: 2,
  itemVersion: 4,
  secretVersionId: role.roleId,
  connection: role,
  ...over,
});
export const scope: AwsScope = { service: 'dynamodb', region: 'us-east-1' };

const open: TestProvider[] = [];

export async function closeConnected(): Promise<void> {
  for (const provider of open.splice(0)) await provider.close();
}

export const converse = { provider: 'bedrock', path: 'model/amazon.nova-micro-v1:0/converse' };
export const getItem = {
  provider: 'aws',
  path: 'dynamodb/us-east-1/',
  headers: { 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': 'DynamoDB_20120810.GetItem' },
};
export const recorded = { status: 'recorded', epoch: 0, version: 1, secretVersionId: undefined };

export function roleFor(id: string, provider: string, over: Partial<CredentialFacts> = {}): CredentialFacts {
  return facts({ credentialId: credentialId.parse(id), provider, source: 'customer-role', connectionId: account, ...over });
}

/** A tenant with a connected account beside keys of the platform's, of a customer's and of a user's for the very same provider. */
export async function startConnected(
  answer: (request: IncomingMessage, response: ServerResponse) => void = (_request, response) => void response.end('{}'),
  watchEveryMs?: number,
) {
  const provider = await startProvider(answer);
  open.push(provider);
  const world = createBrokerWorld({ providerUrl: provider.url, ...(watchEveryMs !== undefined && { watchEveryMs }) });
  const bedrock = `aws-${account}-bedrock-us-east-1`;
  const { state } = world;
  state.credentials = [
    roleFor(bedrock, 'bedrock', { settings: { region: 'us-east-1' } }),
    roleFor(`aws-${account}`, 'aws', { settings: { regions: ['us-east-1', 'eu-central-1'], services: ['dynamodb', 's3'] } }),
    facts(),
    facts({ credentialId: credentialId.parse('issued'), provider: 'bedrock', environment: 'staging', settings: { region: 'us-east-1' } }),
    facts({ credentialId: credentialId.parse('supplied'), provider: 'bedrock', source: 'customer-supplied', useCase: 'other' }),
    facts({ credentialId: credentialId.parse('own'), provider: 'bedrock', environment: 'staging', userId: ann }),
  ];
  state.rules = [
    ruleTo(bedrock, { provider: 'bedrock' }),
    ruleTo(`aws-${account}`, { provider: 'aws' }),
    ruleTo('main'),
    ruleTo('issued', { provider: 'bedrock', environment: 'staging' }),
    ruleTo('supplied', { provider: 'bedrock', useCase: 'other' }),
  ];
  for (const { credentialId: id, source } of state.credentials) {
    state.standing.set(id, source === 'customer-role' ? recorded : { ...recorded, status: 'active', secretVersionId: 'v1' });
    if (source !== 'customer-role') world.keys.set(`${id}/v1`, `sk-canary-${id}`);
  }
  const { connectionId: _, ...known } = role;
  const active = { status: 'active', reason: undefined, ...known, epoch: 0 };
  state.connections.set(account, active);
  const inProduction = (call: Partial<ProxyCall>): Partial<ProxyCall> => ({
    ...call,
    headers: { 'content-type': 'application/json', ...call.headers, 'x-cordon-environment': 'production' },
  });
  return { provider, world, bedrock, active, inProduction };
}
