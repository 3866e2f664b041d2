import OpenAI from 'openai';
import { beforeAll, describe, expect, it } from 'vitest';
import { type TestCloud, testCloud } from '../support/cloud.ts';

let test: TestCloud;
let tenantId: string;
let jwt: string;

const credential = { credentialId: 'openai-main', provider: 'openai', source: 'platform-issued', environment: 'production' };
const rule = { match: { provider: 'openai', environment: 'production' }, use: 'openai-main' };

beforeAll(async () => {
  test = await testCloud();
  ({ tenantId } = await test.onboard({ credentials: [credential], routing: [rule] }));
  jwt = await test.cloud.oidc.mint({ tenantId, userId: 'ana', agentId: 'agent-1', sessionId: 'session-1' });
});

const client = (token = jwt): OpenAI => new OpenAI({ baseURL: `${test.cloud.brokerUrl}/v1/proxy/openai`, apiKey: token, maxRetries: 0 });
const ask = { model: 'gpt-5', messages: [{ role: 'user' as const, content: 'hello' }] };

describe('G1 G2 the vendor’s own SDK with a token for a key', () => {
  it('gets an answer', async () => {
    const answer = await client().chat.completions.create(ask);
    expect(answer.choices[0]?.message.content).toEqual(expect.any(String));
  });
});
