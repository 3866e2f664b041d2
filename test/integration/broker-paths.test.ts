import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { usesBy } from '../support/attribution-log.ts';
import { type TestCloud, testCloud } from '../support/cloud.ts';
import { askProxy } from '../support/proxy-request.ts';
import { bringKeyIn } from '../support/supply.ts';

let test: TestCloud;
let tenantId: string;
let jwt: string;

const credentials = [
  { credentialId: 'openai-main', provider: 'openai', source: 'platform-issued', environment: 'production' },
  { credentialId: 'gemini-main', provider: 'gemini', source: 'customer-supplied', environment: 'production' },
  { credentialId: 'anthropic-main', provider: 'anthropic', source: 'customer-supplied', environment: 'production' },
];
const routing = credentials.map(({ provider, credentialId }) => ({ match: { provider, environment: 'production' }, use: credentialId }));

beforeAll(async () => {
  test = await testCloud();
  ({ tenantId } = await test.onboard({ credentials, routing }));
  for (const provider of ['gemini', 'anthropic']) await bringKeyIn(test, { tenantId, credentialId: `${provider}-main`, provider });
  jwt = await test.cloud.oidc.mint({ tenantId });
});

const errorBody = z.object({ error: z.object({ code: z.string(), requestId: z.string() }) });
const headersFor = (provider: string): Record<string, string> =>
  provider === 'gemini' ? { 'x-goog-api-key': jwt } : { authorization: `Bearer ${jwt}` };
const allRequests = (): number => Object.values(test.cloud.world.simulators).reduce((sum, one) => sum + one.requests().length, 0);

async function ask(method: string, provider: string, path: string): Promise<{ status: number; code: string | undefined }> {
  const { status, text } = await askProxy(test, `${provider}/${path}`, { method, headers: headersFor(provider) });
  return { status, code: status < 400 ? undefined : errorBody.parse(JSON.parse(text)).error.code };
}

describe('G6 a path of a provider', () => {
  it.each([
    ['GET', 'openai', 'v1/models'],
    ['GET', 'openai', 'models'],
    ['GET', 'openai', 'v1/models/gpt-5'],
    ['GET', 'gemini', 'v1beta/models'],
    ['GET', 'anthropic', 'v1/models'],
  ])('that is documented is open: %s %s/%s', async (method, provider, path) => {
    expect(await ask(method, provider, path)).toEqual({ status: 200, code: undefined });
  });

  it.each([
    ['GET', 'openai', 'v1/organization/projects'],
    ['POST', 'openai', 'v1/organization/projects'],
    ['GET', 'openai', 'organization/admin_api_keys'],
    ['DELETE', 'openai', 'v1/models/gpt-5'],
    ['GET', 'openai', 'v1/files'],
    ['GET', 'openai', 'v1/models?after=x'],
    ['GET', 'openai', 'v1/models/../organization/projects'],
    ['GET', 'openai', '../v1/models'],
    ['GET', 'openai', './v1/models'],
    ['GET', 'openai', 'v1/models/..%2forganization%2fprojects'],
    ['GET', 'openai', 'v1/models/%2e%2e/organization/projects'],
    ['GET', 'openai', 'v1/models/%252e%252e%252forganization'],
    ['GET', 'openai', 'v1%2forganization%2fprojects'],
    ['GET', 'openai', 'v1/models%00'],
    ['GET', 'openai', 'v1/models%0d%0aX-Other:%201'],
    ['GET', 'openai', 'v1/models%3fafter=x'],
    ['GET', 'openai', 'v1/models%5c..%5corganization'],
    ['GET', 'openai', 'v1//organization/projects'],
    ['GET', 'openai', 'v1/models/gpt-5;x=1'],
    ['GET', 'openai', '@127.0.0.1/v1/models'],
    ['GET', 'openai', 'http://127.0.0.1/v1/models'],
    ['GET', 'gemini', 'v1beta/files'],
    ['GET', 'gemini', 'v1beta/models?key=mine'],
    ['POST', 'gemini', 'v1beta/models/gemini-2.5-flash:generateContent:batch'],
    ['POST', 'gemini', 'v1beta/cachedContents'],
    ['GET', 'anthropic', 'v1/organizations/api_keys'],
    ['POST', 'anthropic', 'v1/messages/batches'],
  ])('that is not is closed, and nobody is asked: %s %s/%s', async (method, provider, path) => {
    const asked = allRequests();
    const { status, code } = await ask(method, provider, path);
    // Some do not get as far as the rules: they are no path of the API at all.
    expect([status, code]).toBeOneOf([
      [403, 'PATH_NOT_ALLOWED'],
      [400, 'CALL_INVALID'],
      [404, 'NOT_FOUND'],
    ]);
    expect(allRequests()).toBe(asked);
  });

  it('that is closed is on record as refused', async () => {
    await test.settled();
    const before = (await usesBy(test, tenantId)).length;
    expect(await ask('GET', 'openai', 'v1/organization/projects')).toEqual({ status: 403, code: 'PATH_NOT_ALLOWED' });
    await test.settled();
    const uses = (await usesBy(test, tenantId)).slice(before);
    expect(uses.map(({ outcome }) => outcome)).toEqual([{ result: 'refused', code: 'PATH_NOT_ALLOWED' }]);
  });
});

describe('G6 a provider', () => {
  it.each([
    'nobody',
    'constructor',
    '__proto__',
    'toString',
    'OPENAI',
    'openai.',
    'api.openai.com',
    '127.0.0.1:80',
    'openai%2f..',
    '%6fpenai',
  ])('that is none is not asked: %s', async (provider) => {
    const asked = allRequests();
    const { status, code } = await ask('GET', provider, 'v1/models');
    expect(status).toBeOneOf([400, 404]);
    expect(code).toBeOneOf(['PROVIDER_UNKNOWN', 'CALL_INVALID', 'NOT_FOUND']);
    expect(allRequests()).toBe(asked);
  });

  it.each(['Anthropic', 'anthropi%63', 'GEMINI', '%67emini', 'azure%2dopenai'])(
    'with a header of its own is not reached by another spelling: %s',
    async (provider) => {
      const asked = allRequests();
      expect((await askProxy(test, `${provider}/v1/models`, { headers: { authorization: `Bearer ${jwt}` } })).status).toBeOneOf([
        400, 401, 404,
      ]);
      expect(allRequests()).toBe(asked);
    },
  );
});
