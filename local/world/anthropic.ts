/** The Anthropic simulator. Source: Claude API reference: "Messages", "Models", "Errors"; Claude docs, "Workload identity federation". */
import { z } from 'zod';
import { createAnthropicAdministration } from './anthropic-admin.ts';
import { messagesOf, tokensOf } from './anthropic-messages.ts';
import { type Answer, eventsAnswer, jsonAnswer } from './deliver.ts';
import { createFederation, type Federation } from './federation.ts';
import type { SimulatedRequest } from './simulated-request.ts';
import { bearerIn, createSimulator, headerOf, type Simulator, type SimulatorDeps } from './simulator.ts';

const models = ['claude-opus-5-5', 'claude-sonnet-5-5', 'claude-haiku-4-5', 'claude-sonnet-4-5'];
const exchangeBody = z.object({
  grant_type: z.literal('urn:ietf:params:oauth:grant-type:jwt-bearer'),
  assertion: z.string(),
  federation_rule_id: z.string(),
  organization_id: z.string(),
});
const tokenSeconds = 3600;

const errorTypes: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  529: 'overloaded_error',
};

function error(status: number, message = errorTypes[status] ?? 'api_error', retryAfterSeconds = 1): Answer {
  const body = { type: 'error', error: { type: errorTypes[status] ?? 'api_error', message }, request_id: 'req_simulated' };
  return jsonAnswer(status, body, status === 429 ? { 'retry-after': String(retryAfterSeconds) } : {});
}

const betasOf = (request: SimulatedRequest): readonly string[] =>
  (headerOf(request, 'anthropic-beta') ?? '').split(',').map((name) => name.trim());

export function createAnthropic(deps: SimulatorDeps): Simulator & { readonly federation: Federation } {
  const federation = createFederation(deps.clock);
  const simulator = createSimulator(deps, {
    name: 'anthropic',
    basePath: '/anthropic',
    keyPrefix: 'sk-ant-api03-',
    presented: (request) => headerOf(request, 'x-api-key') ?? bearerIn(request),
    authenticate(request, secret, keys) {
      const key = secret === undefined ? undefined : keys.accepted(secret);
      if (key === undefined) return error(401, 'invalid x-api-key');
      // A key is taken from either header (clients differ in which they send); a token from `Authorization` only, and with the beta.
      const inKeyHeader = headerOf(request, 'x-api-key') !== undefined;
      if (key.kind === 'token' && (inKeyHeader || !betasOf(request).includes('oauth-2025-04-20')))
        return error(401, 'OAuth authentication is currently not supported.');
      return headerOf(request, 'anthropic-version') === undefined ? error(400, 'anthropic-version: header is required') : undefined;
    },
    error: (status) => error(status),
    administration: (admin) => createAnthropicAdministration(admin, error),
    async open(request, keys) {
      if (request.method !== 'POST' || request.path !== '/v1/oauth/token') return undefined;
      const parsed = exchangeBody.safeParse(request.body);
      if (!parsed.success || !betasOf(request).includes('oidc-federation-2026-04-01'))
        return jsonAnswer(400, { error: 'invalid_request', error_description: 'The request is missing a parameter or a beta header.' });
      if (!(await federation.accepts(parsed.data.federation_rule_id, parsed.data.assertion)))
        return jsonAnswer(401, { error: 'invalid_grant', error_description: 'No federation rule matches the assertion.' });
      const token = keys.issue({ kind: 'token', prefix: 'sk-ant-oat01-', expiresInSeconds: tokenSeconds });
      return jsonAnswer(200, { access_token: token, token_type: 'Bearer', expires_in: tokenSeconds, scope: 'workspace:inference' });
    },
    answer(request) {
      const route = `${request.method} ${request.path}`;
      if (route === 'POST /v1/messages') return messages(request.body);
      if (route === 'POST /v1/messages/count_tokens') {
        const tokens = tokensOf(request.body);
        return tokens === undefined ? error(400) : jsonAnswer(200, { input_tokens: tokens });
      }
      if (route === 'GET /v1/models')
        return jsonAnswer(200, { data: models.map(model), has_more: false, first_id: models[0], last_id: models.at(-1) });
      const [, id] = /^GET \/v1\/models\/([^/]+)$/.exec(route) ?? [];
      if (id !== undefined) return models.includes(id) ? jsonAnswer(200, model(id)) : error(404, `model: ${id}`);
      // A key for inference is not one for administration.
      return request.path.startsWith('/v1/organizations/') ? error(401, 'invalid x-api-key') : undefined;
    },
  });
  return Object.assign(simulator, { federation });
}

const model = (id: string): object => ({ type: 'model', id, display_name: id, created_at: '2025-09-29T00:00:00Z' });

function messages(body: unknown): Answer {
  const answer = messagesOf(body);
  if (answer === undefined) return error(400, 'messages: Field required');
  if (!models.includes(answer.model ?? '')) return error(404, `model: ${answer.model}`);
  if (!answer.stream) return jsonAnswer(200, answer.message);
  return eventsAnswer(answer.events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}`));
}
