/** A tenant with a credential and one that may stand in for it. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { CredentialFacts, Rule } from '../../../functions/broker/catalogue.ts';
import type { ConnectionStanding } from '../../../functions/broker/gate.ts';
import { credentialId } from '../../../functions/shared/identifier-fields.ts';
import { createBrokerWorld, facts, ruleTo, startProvider, type TestProvider } from './broker-world.ts';
import { account, role } from './customer-role-world.ts';

const open: TestProvider[] = [];

export async function closeBackedUp(): Promise<void> {
  for (const provider of open.splice(0)) await provider.close();
}

export const spare = credentialId.parse('spare');
export const [mainKey, spareKey] = ['Bearer sk-canary-main-0001', 'Bearer sk-canary-spare-0001'];
export const active = { status: 'active', epoch: 0, version: 1, secretVersionId: 'v1' };
export const revoked = { ...active, status: 'revoked', epoch: 1, version: 2 };
export const diverted = { ...active, version: 2, diverted: true };
export const recorded = { ...active, status: 'recorded', secretVersionId: undefined };
export const backedUp: Rule = { ...ruleTo('main'), backup: spare };

export type Answer = (request: IncomingMessage, response: ServerResponse) => void;

export async function startBackedUp(
  options: { main?: Partial<CredentialFacts>; spare?: Partial<CredentialFacts>; rules?: Rule[]; answer?: Answer } = {},
) {
  const provider = await startProvider(options.answer ?? ((_request, response) => void response.end('{}')));
  open.push(provider);
  const world = createBrokerWorld({ providerUrl: provider.url, watchEveryMs: 20 });
  world.state.rules = options.rules ?? [backedUp];
  world.state.credentials = [facts(options.main), facts({ credentialId: spare, ...options.spare })];
  world.state.standing.set(spare, options.spare?.source === 'customer-role' ? recorded : active);
  world.keys.set('spare/v1', 'sk-canary-spare-0001');
  const { connectionId: _, ...known } = role;
  const connected: ConnectionStanding = { status: 'active', reason: undefined, ...known };
  world.state.connections.set(account, connected);
  const usedKeys = (): unknown[] => provider.requests.map(({ headers }) => headers['authorization']);
  return { world, provider, usedKeys, connected };
}
export type World = Awaited<ReturnType<typeof startBackedUp>>['world'];

/** Which entries there are since, in short: credential, what it stood in for, how it ended. */
export const since = (world: World, before: number): string[] =>
  world.entries.slice(before).map((entry) => {
    const { credentialId: id, context } = entry;
    const of = context['backupFor'] === undefined ? `${id}` : `${id} for ${context['backupFor']}`;
    return entry.kind === 'INTENT'
      ? of
      : `${of}: ${entry.outcome.result}${entry.outcome.code === undefined ? '' : ` ${entry.outcome.code}`}`;
  });
