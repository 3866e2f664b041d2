/** One use of each provider through the broker, as the vendor's own SDK would make it. */
import type { TestCloud } from './cloud.ts';

const asked = [{ role: 'user', content: 'one two' }];
const uses: Readonly<Record<string, { readonly path: string; readonly body: object }>> = {
  openai: { path: 'openai/chat/completions', body: { model: 'gpt-5', messages: asked } },
  'azure-openai': { path: 'azure-openai/openai/v1/chat/completions', body: { model: 'gpt-5', messages: asked } },
  mistral: { path: 'mistral/v1/chat/completions', body: { model: 'mistral-large-latest', messages: asked } },
  openrouter: { path: 'openrouter/api/v1/chat/completions', body: { model: 'openai/gpt-5', messages: asked } },
  gemini: { path: 'gemini/v1beta/models/gemini-2.5-flash:generateContent', body: { contents: [{ parts: [{ text: 'one two' }] }] } },
  anthropic: { path: 'anthropic/v1/messages', body: { model: 'claude-sonnet-4-5', max_tokens: 16, messages: asked } },
};

/** Where the vendor's own SDK puts its key. */
const headerFor: Readonly<Record<string, string>> = { 'azure-openai': 'api-key', gemini: 'x-goog-api-key' };

/** One use of a provider through the broker. The answer's body is read. */
export async function useOf(
  test: TestCloud,
  provider: string,
  token: string,
  environment = 'production',
): Promise<{ status: number; text: string }> {
  const use = uses[provider];
  if (use === undefined) throw new Error(`Nothing is known to ask of ${provider}.`);
  const response = await fetch(`${test.cloud.brokerUrl}/v1/proxy/${use.path}`, {
    method: 'POST',
    headers: {
      ...(headerFor[provider] === undefined ? { authorization: `Bearer ${token}` } : { [headerFor[provider]]: token }),
      ...{ 'content-type': 'application/json', 'x-cordon-environment': environment },
    },
    body: JSON.stringify(use.body),
  });
  return { status: response.status, text: await response.text() };
}
