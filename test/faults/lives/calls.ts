/** Calls of a living tenant's people and agents: through the broker and through the door. */
import { z } from 'zod';
import { authorizeCall } from '../../../functions/broker/authorize-call.ts';
import { sealSecret } from '../../../functions/credentials/seal-secret.ts';
import type { LivingTenant, Who } from './cast.ts';
import type { LifeWorld } from './world.ts';

const uses: Readonly<Record<string, { readonly path: string; readonly header: string; readonly body: object }>> = {
  openai: { path: 'chat/completions', header: 'authorization', body: { model: 'gpt-5', messages: [{ role: 'user', content: 'one two' }] } },
  'azure-openai': {
    ...{ path: 'openai/v1/chat/completions', header: 'api-key' },
    body: { model: 'gpt-5', messages: [{ role: 'user', content: 'one two' }] },
  },
  anthropic: {
    ...{ path: 'v1/messages', header: 'authorization' },
    body: { model: 'claude-sonnet-4-5', max_tokens: 16, messages: [{ role: 'user', content: 'one two' }] },
  },
  mistral: {
    ...{ path: 'v1/chat/completions', header: 'authorization' },
    body: { model: 'mistral-large-latest', messages: [{ role: 'user', content: 'one two' }] },
  },
  bedrock: {
    path: 'model/anthropic.claude-sonnet-4-20250514-v1:0/converse',
    ...{ header: 'authorization', body: { messages: [{ role: 'user', content: [{ text: 'one two' }] }] } },
  },
};
const ownResource: ReadonlySet<string> = new Set(['anthropic', 'azure-openai', 'gemini']);

export interface CallAnswer {
  /** 0: the connection broke. */
  readonly status: number;
  /** Of a refusal. */
  readonly code: string | undefined;
  /** Fingerprints of the keys that a provider was shown for it, and accounts whose AWS it was. */
  readonly shown: readonly string[];
}

const refusal = z.object({ error: z.object({ code: z.string() }) });

function codeIn(body: string): string | undefined {
  try {
    return refusal.safeParse(JSON.parse(body)).data?.error.code;
  } catch {
    // A provider's answer may be no JSON: then it names no code of ours.
    return undefined;
  }
}

/** The token of somebody of the tenant. It counts as one of this run from here on: it may show up nowhere. */
async function tokenOf({ test }: LifeWorld, { tenantId }: LivingTenant, who: Who & { readonly role?: string }): Promise<string> {
  const { subject: userId, ...rest } = who;
  return test.cloud.oidc.mint({ tenantId, userId, ...rest });
}

/** A call through the broker, authorized as API Gateway has it done. */
export async function call(
  world: LifeWorld,
  tenant: LivingTenant,
  provider: string,
  environment: string,
  who: Who = {},
): Promise<CallAnswer> {
  const use = uses[provider];
  if (use === undefined) throw new Error(`Nothing is known to ask of ${provider}.`);
  const { cloud } = world.test;
  const token = await tokenOf(world, tenant, who);
  const headers = {
    ...{ [use.header]: use.header === 'authorization' ? `Bearer ${token}` : token },
    ...{ 'content-type': 'application/json', 'x-cordon-environment': environment },
  };
  const resource = ownResource.has(provider) ? `/proxy/${provider}/{path+}` : '/proxy/{provider}/{path+}';
  const asked = { resourcePath: resource, provider: ownResource.has(provider) ? undefined : provider };
  const authorizer = await authorizeCall(world.verify, {
    ...asked,
    headers: new Map(Object.entries(headers).map(([name, value]) => [name, [value]])),
  });
  const requestId = world.chance.uuid();
  world.witness.begins({ tenantId: tenant.tenantId, requestId });
  const simulators = Object.values(cloud.world.simulators);
  const before = simulators.map((simulator) => simulator.requests().length);
  const event = {
    ...{
      resource,
      path: `/proxy/${provider}/${use.path}`,
      httpMethod: 'POST',
      headers,
      body: JSON.stringify(use.body),
      isBase64Encoded: false,
    },
    ...{ pathParameters: { provider, path: use.path }, requestContext: { requestId, authorizer: { ...authorizer } } },
  };
  const { status, body } = await world.staff.askBroker(event, tenant.tenantId);
  const shown = simulators.flatMap((simulator, index) =>
    simulator
      .requests()
      .slice(before[index])
      .flatMap(({ keyFingerprint, accountId }) => keyFingerprint ?? accountId ?? []),
  );
  return { status, code: codeIn(body), shown };
}

const doorKey = z.object({
  keys: z.tuple([z.looseObject({ kty: z.literal('EC'), kid: z.string(), alg: z.string(), use: z.literal('enc') })]),
  nonce: z.object({ value: z.string() }),
});

/** A key, sealed for the door. */
export interface Sealed {
  readonly credentialId: string;
  readonly jwe: string;
}

const asAdmin = async (world: LifeWorld, tenant: LivingTenant) => {
  world.witness.begins({ tenantId: tenant.tenantId });
  const token = await tokenOf(world, tenant, { subject: `admin@${tenant.tenantId}`, role: 'admin' });
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  return { headers, isBase64Encoded: false, requestContext: { requestId: world.chance.uuid() } };
};

/** The customer asks for the door's key and seals theirs; undefined when the door gives none. */
export async function seal(world: LifeWorld, tenant: LivingTenant, credentialId: string, apiKey: string): Promise<Sealed | undefined> {
  const { tenantId } = tenant;
  const asked = { resource: '/credentials/public-key', httpMethod: 'GET', pathParameters: null, body: null };
  const given = await world.staff.askDoor({ ...(await asAdmin(world, tenant)), ...asked });
  if (given.status !== 200) return undefined;
  const { keys, nonce } = doorKey.parse(JSON.parse(given.body));
  world.test.tokens.add(apiKey);
  return { credentialId, jwe: await sealSecret({ publicKey: keys[0], tenantId, credentialId, nonce: nonce.value, secret: { apiKey } }) };
}

/** The customer hands over what was sealed. */
export async function handOver(
  world: LifeWorld,
  tenant: LivingTenant,
  { credentialId, jwe }: Sealed,
): Promise<Pick<CallAnswer, 'status' | 'code'>> {
  const resource = '/credentials/{credentialId}/secret';
  const asked = { resource, httpMethod: 'POST', pathParameters: { credentialId }, body: JSON.stringify({ jwe }) };
  const { status, body } = await world.staff.askDoor({ ...(await asAdmin(world, tenant)), ...asked });
  return { status, code: codeIn(body) };
}
