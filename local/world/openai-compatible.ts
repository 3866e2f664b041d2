/**
 * Providers that speak OpenAI's language in their own house: Azure OpenAI, Mistral, Groq, OpenRouter, and servers that customers run. Sources: Azure OpenAI REST API
 * reference; Mistral, Groq and OpenRouter API references; vLLM, "OpenAI-compatible server".
 */
import type { Administration, AdministrationDeps } from './administration.ts';
import { createAzureAdministration } from './azure-openai-admin.ts';
import { type Answer, jsonAnswer } from './deliver.ts';
import { createMistralAdministration } from './mistral-admin.ts';
import { type ApiAnswer, errorAnswer, errorOfStatus, OpenAiError } from './openai-answer.ts';
import { asAnswer } from './openai-delivery.ts';
import { answerChat, answerEmbeddings, answerResponses, type Flavour, modelList } from './openai-like.ts';
import { createOpenRouterAdministration } from './openrouter-admin.ts';
import type { SimulatedRequest } from './simulated-request.ts';
import { bearerIn, createSimulator, headerOf, type Simulator, type SimulatorDeps } from './simulator.ts';

interface House {
  readonly name: string;
  readonly basePath: string;
  readonly keyPrefix: string;
  readonly owner: string;
  readonly models: readonly string[];
  readonly streamUsage: Flavour['streamUsage'];
  readonly presented?: (request: SimulatedRequest) => string | undefined;
  readonly error?: (status: number) => Answer;
  /** The operation behind a path; undefined when it is not served. */
  readonly operation: (request: SimulatedRequest) => string | undefined;
  /** Paths of its own. */
  readonly own?: (request: SimulatedRequest) => Answer | undefined;
  /** Answered without a key. */
  readonly open?: (request: SimulatedRequest) => Answer | undefined;
  readonly administration?: (deps: AdministrationDeps) => Administration;
}

const openAiError = (status: number): Answer => asAnswer(errorAnswer(errorOfStatus(status)));
const below = (prefix: string) => (request: SimulatedRequest) =>
  request.path.startsWith(`${prefix}/`) ? request.path.slice(prefix.length + 1) : undefined;

const houses: readonly House[] = [
  {
    name: 'azure-openai',
    basePath: '/azure-openai',
    keyPrefix: '',
    owner: 'azure',
    models: ['gpt-5', 'text-embedding-3-small'],
    streamUsage: 'asked',
    presented: (request) => headerOf(request, 'api-key') ?? bearerIn(request),
    error: (status) =>
      jsonAnswer(status, { error: { code: String(status), message: azureMessages[status] ?? 'The request was refused.' } }),
    // `v1` needs no version; everything else names one (Azure OpenAI REST API reference, "API specs").
    operation(request) {
      const [, version] = /^\/openai\/v1\/(.+)$/.exec(request.path) ?? [];
      if (version !== undefined) return version;
      if (!request.query.has('api-version')) return undefined;
      return /^\/openai\/(?:deployments\/[^/]+\/)?(.+)$/.exec(request.path)?.[1];
    },
    administration: createAzureAdministration,
  },
  {
    name: 'mistral',
    basePath: '/mistral/v1',
    keyPrefix: '',
    owner: 'mistralai',
    models: ['mistral-large-latest', 'mistral-embed'],
    streamUsage: 'last-chunk',
    error: (status) =>
      jsonAnswer(
        status,
        status === 401
          ? { detail: 'Unauthorized' }
          : { object: 'error', message: 'The request was refused.', type: 'invalid_request_error', code: null },
      ),
    operation: below(''),
    administration: createMistralAdministration,
  },
  {
    name: 'groq',
    basePath: '/groq/openai/v1',
    keyPrefix: 'gsk_',
    owner: 'Meta',
    models: ['llama-3.3-70b-versatile', 'openai/gpt-oss-20b'],
    streamUsage: 'x_groq',
    operation: below(''),
  },
  {
    name: 'openrouter',
    basePath: '/openrouter/api/v1',
    keyPrefix: 'sk-or-v1-',
    owner: 'openrouter',
    models: ['openai/gpt-5', 'anthropic/claude-sonnet-4.5'],
    streamUsage: 'last-chunk',
    error: (status) =>
      jsonAnswer(status, { error: { code: status, message: status === 401 ? 'No auth credentials found' : 'The request was refused.' } }),
    operation: below(''),
    own: (request) =>
      request.method === 'GET' && request.path === '/key'
        ? jsonAnswer(200, { data: { label: 'sk-or-v1-…', usage: 0, limit: null, is_free_tier: false } })
        : undefined,
    administration: createOpenRouterAdministration,
    // Its list of models is public.
    open: (request) =>
      request.method === 'GET' && request.path === '/models' ? asAnswer(modelList(['openai/gpt-5'], 0, 'openrouter')) : undefined,
  },
  {
    name: 'self-hosted',
    basePath: '/self-hosted/v1',
    keyPrefix: 'local-',
    owner: 'vllm',
    models: ['local-model'],
    streamUsage: 'asked',
    operation: below(''),
  },
];

const azureMessages: Readonly<Record<number, string>> = {
  401: 'Access denied due to invalid subscription key or wrong API endpoint.',
  404: 'Resource not found',
  429: 'Requests have exceeded the call rate limit.',
};

export function createCompatible(deps: SimulatorDeps): Readonly<Record<string, Simulator>> {
  return Object.fromEntries(houses.map((house) => [house.name, open(deps, house)]));
}

function open(deps: SimulatorDeps, house: House): Simulator {
  const error = house.error ?? openAiError;
  return createSimulator(deps, {
    name: house.name,
    basePath: house.basePath,
    keyPrefix: house.keyPrefix,
    presented: house.presented ?? bearerIn,
    error,
    open: async (request) => house.open?.(request),
    ...(house.administration && { administration: house.administration }),
    answer(request) {
      const operation = house.operation(request);
      const found = house.own?.(request);
      if (found !== undefined || operation === undefined) return found;
      try {
        const answer = answerOperation(house, `${request.method} ${operation}`, request, Math.floor(deps.clock.now() / 1000));
        return answer && asAnswer(answer);
      } catch (thrown) {
        if (thrown instanceof OpenAiError) return house.error === undefined ? asAnswer(errorAnswer(thrown)) : error(thrown.status);
        throw thrown;
      }
    },
  });
}

function answerOperation(house: House, operation: string, request: SimulatedRequest, created: number): ApiAnswer | undefined {
  // Azure names the model by its deployment, whatever it is called.
  const models = house.name === 'azure-openai' ? undefined : house.models;
  const body = models === undefined && typeof request.body === 'object' ? { model: house.models[0], ...request.body } : request.body;
  const flavour = { models, created, streamUsage: house.streamUsage };
  if (operation === 'GET models') return modelList(house.models, created, house.owner);
  if (operation === 'POST chat/completions') return answerChat(body, flavour);
  if (operation === 'POST responses') return answerResponses(body, flavour);
  if (operation === 'POST embeddings') return answerEmbeddings(body, flavour);
  return undefined;
}
