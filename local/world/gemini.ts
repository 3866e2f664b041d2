/**
 * The Gemini and Vertex AI simulators: one way of generating, two of getting in. Sources: Gemini API reference, "Generating content", "Models", "Embeddings"; Vertex AI REST
 * reference, `publishers.models`; Google APIs, `google.rpc.Status` and `ErrorInfo`.
 */
import { z } from 'zod';
import { messagesOf } from './anthropic-messages.ts';
import { type Answer, eventsAnswer, jsonAnswer } from './deliver.ts';
import { createGeminiAdministration, type GeminiAdministration } from './gemini-admin.ts';
import { countTokens, wordsOf } from './openai-like.ts';
import type { SimulatedRequest } from './simulated-request.ts';
import { bearerIn, createSimulator, headerOf, type Simulator, type SimulatorDeps } from './simulator.ts';

const models = ['gemini-2.5-pro', 'gemini-2.5-flash', 'gemini-embedding-001'];
const contents = z.array(z.looseObject({ parts: z.array(z.looseObject({ text: z.string().optional() })) }));
const generateBody = z.looseObject({ contents: contents.min(1) });
const embedBody = z.looseObject({ content: z.looseObject({ parts: z.array(z.looseObject({ text: z.string() })) }) });
const embedManyBody = z.looseObject({ requests: z.array(embedBody).min(1) });

const statusNames: Readonly<Record<number, string>> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  409: 'ALREADY_EXISTS',
  429: 'RESOURCE_EXHAUSTED',
  503: 'UNAVAILABLE',
};

function error(code: number, message = 'The request was refused.', reason?: string, retryAfterSeconds = 1): Answer {
  const details =
    reason === undefined ? [] : [{ '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason, domain: 'googleapis.com', metadata: {} }];
  const headers: Record<string, string> = code === 429 ? { 'retry-after': String(retryAfterSeconds) } : {};
  return jsonAnswer(code, { error: { code, message, status: statusNames[code] ?? 'INTERNAL', details } }, headers);
}

export function createGemini(deps: SimulatorDeps): Simulator {
  let administration: GeminiAdministration | undefined;
  return createSimulator(deps, {
    name: 'gemini',
    basePath: '/gemini',
    keyPrefix: 'AIza',
    presented: (request) => headerOf(request, 'x-goog-api-key') ?? request.query.get('key') ?? undefined,
    authenticate(_request, secret, keys) {
      if (secret === undefined) return error(403, "Method doesn't allow unregistered callers.");
      const key = keys.accepted(secret);
      if (key === undefined) return error(400, 'API key not valid. Please pass a valid API key.', 'API_KEY_INVALID');
      if (administration?.allowsGemini(key.id) === false)
        return error(403, 'Requests to this API are blocked for this key.', 'API_KEY_SERVICE_BLOCKED');
      return undefined;
    },
    error: (status) => error(status),
    administration(admin) {
      administration = createGeminiAdministration(admin, error);
      return administration;
    },
    answer(request) {
      const [, name] = /^\/v1(?:beta)?\/models(?:\/([^/]+))?$/.exec(request.path) ?? [];
      if (request.path.endsWith('/models') && request.method === 'GET') return jsonAnswer(200, { models: models.map(modelOf) });
      if (name === undefined) return undefined;
      if (request.method === 'GET') return models.includes(name) ? jsonAnswer(200, modelOf(name)) : error(404);
      return act(request, name);
    },
  });
}

export function createVertex(deps: SimulatorDeps): Simulator {
  return createSimulator(deps, {
    name: 'vertex',
    basePath: '/vertex',
    keyPrefix: 'ya29.',
    presented: bearerIn,
    error: (status) => error(status, status === 401 ? 'Request had invalid authentication credentials.' : undefined),
    answer(request) {
      const place = /^\/v1(?:beta1)?\/projects\/[^/]+\/locations\/[^/]+\/publishers\/([^/]+)\/models\/([^/]+)$/.exec(request.path);
      const [, publisher, name = ''] = place ?? [];
      if (request.method !== 'POST' || publisher === undefined) return undefined;
      return publisher === 'anthropic' ? actAnthropic(request, name) : act(request, name);
    },
  });
}

const modelOf = (id: string): object => ({
  name: `models/${id}`,
  version: '001',
  displayName: id,
  inputTokenLimit: 1_048_576,
  outputTokenLimit: 65_536,
  supportedGenerationMethods: ['generateContent', 'countTokens'],
});

/** `{model}:{verb}`. */
function act(request: SimulatedRequest, name: string): Answer {
  const [model = '', verb] = decodeURIComponent(name).split(':');
  if (!models.includes(model)) return error(404, `models/${model} is not found.`);
  if (verb === 'embedContent' || verb === 'batchEmbedContents') return embed(request.body, verb);
  const parsed = generateBody.safeParse(request.body);
  if (!parsed.success) return error(400, 'contents is not specified');
  const prompt = parsed.data.contents.flatMap(({ parts }) => parts.map((part) => part.text ?? '')).join(' ');
  const tokens = countTokens(prompt);
  if (verb === 'countTokens') return jsonAnswer(200, { totalTokens: tokens });
  const words = wordsOf(parsed.data.contents.length);
  const piece = (text: string, count: number, last: boolean): object => ({
    candidates: [{ content: { parts: [{ text }], role: 'model' }, index: 0, ...(last && { finishReason: 'STOP' }) }],
    // Each piece carries the totals so far.
    usageMetadata: { promptTokenCount: tokens, candidatesTokenCount: count, totalTokenCount: tokens + count },
    modelVersion: model,
    responseId: 'response-1',
  });
  if (verb === 'generateContent') return jsonAnswer(200, piece(words.join(' '), words.length, true));
  if (verb !== 'streamGenerateContent') return error(404);
  const pieces = words.map((word, index) => JSON.stringify(piece(index === 0 ? word : ` ${word}`, index + 1, index === words.length - 1)));
  if (request.query.get('alt') === 'sse') return eventsAnswer(pieces.map((data) => `data: ${data}`));
  // Without `alt=sse` the stream is one JSON array, sent element by element.
  const parts = pieces.map((text, index) => `${index === 0 ? '[' : ',\r\n'}${text}`);
  return { status: 200, headers: { 'content-type': 'application/json; charset=UTF-8' }, pieces: [...parts, ']'] };
}

function embed(body: unknown, verb: 'embedContent' | 'batchEmbedContents'): Answer {
  const one = { values: [0.25, 0.5, -0.25] };
  if (verb === 'embedContent') return embedBody.safeParse(body).success ? jsonAnswer(200, { embedding: one }) : error(400);
  const many = embedManyBody.safeParse(body);
  return many.success ? jsonAnswer(200, { embeddings: many.data.requests.map(() => one) }) : error(400);
}

/** Claude on Vertex: Anthropic's bodies, by `rawPredict` and `streamRawPredict`. */
function actAnthropic(request: SimulatedRequest, name: string): Answer {
  const verb = decodeURIComponent(name).split(':')[1];
  const answer = messagesOf(request.body);
  if (answer === undefined) return error(400);
  if (verb === 'rawPredict') return jsonAnswer(200, answer.message);
  if (verb !== 'streamRawPredict') return error(404);
  return eventsAnswer(answer.events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}`));
}
