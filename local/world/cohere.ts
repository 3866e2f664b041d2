/** The Cohere simulator. Source: Cohere API reference v2: "Chat", "Chat with streaming", "Embed", "Rerank"; v1: "Check API key", "List models". */
import { z } from 'zod';
import { type Answer, eventsAnswer, jsonAnswer } from './deliver.ts';
import { countTokens, type StreamEvent, wordsOf } from './openai-like.ts';
import type { SimulatedRequest } from './simulated-request.ts';
import { bearerIn, createSimulator, type Simulator, type SimulatorDeps } from './simulator.ts';

const models = ['command-a-03-2025', 'embed-v4.0', 'rerank-v3.5'];
const model = z.string().refine((name) => models.includes(name));
const content = z.union([z.string(), z.array(z.looseObject({ text: z.string().optional() }))]);
const chatBody = z.looseObject({
  model,
  messages: z.array(z.looseObject({ role: z.string(), content })).min(1),
  stream: z.boolean().optional(),
});
const embedBody = z.looseObject({ model, texts: z.array(z.string()).min(1) });
const rerankBody = z.looseObject({ model, query: z.string(), documents: z.array(z.string()).min(1) });

const error = (status: number, message = status === 401 ? 'invalid api token' : 'invalid request'): Answer =>
  jsonAnswer(status, { id: 'simulated', message });

export function createCohere(deps: SimulatorDeps): Simulator {
  return createSimulator(deps, {
    name: 'cohere',
    basePath: '/cohere',
    keyPrefix: '',
    presented: bearerIn,
    error: (status) => error(status),
    async open(request, keys) {
      if (request.method !== 'POST' || request.path !== '/v1/check-api-key') return undefined;
      return jsonAnswer(200, { valid: keys.accepted(bearerIn(request) ?? '') !== undefined });
    },
    answer(request) {
      switch (`${request.method} ${request.path}`) {
        case 'GET /v1/models':
          return jsonAnswer(200, {
            models: models.map((name) => ({ name, endpoints: ['chat'], finetuned: false, context_length: 256_000 })),
          });
        case 'POST /v2/chat':
          return chat(request);
        case 'POST /v2/embed':
          return embed(request);
        case 'POST /v2/rerank':
          return rerank(request);
      }
      return undefined;
    },
  });
}

function chat({ body }: SimulatedRequest): Answer {
  const parsed = chatBody.safeParse(body);
  if (!parsed.success) return error(400);
  const { messages, stream } = parsed.data;
  const words = wordsOf(messages.length);
  const texts = messages.map(({ content: one }) => (typeof one === 'string' ? one : one.map((part) => part.text ?? '').join(' ')));
  const tokens = { input_tokens: countTokens(texts.join(' ')), output_tokens: words.length };
  const usage = { billed_units: tokens, tokens };
  if (stream !== true) {
    const message = { role: 'assistant', content: [{ type: 'text', text: words.join(' ') }] };
    return jsonAnswer(200, { id: 'chat-1', finish_reason: 'COMPLETE', message, usage });
  }
  const events: StreamEvent[] = [
    {
      id: 'chat-1',
      type: 'message-start',
      delta: { message: { role: 'assistant', content: [], tool_plan: '', tool_calls: [], citations: [] } },
    },
    { type: 'content-start', index: 0, delta: { message: { content: { type: 'text', text: '' } } } },
    ...words.map((word, index) => ({
      type: 'content-delta',
      index: 0,
      delta: { message: { content: { text: index === 0 ? word : ` ${word}` } } },
    })),
    { type: 'content-end', index: 0 },
    { type: 'message-end', delta: { finish_reason: 'COMPLETE', usage } },
  ];
  return eventsAnswer(events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}`));
}

function embed({ body }: SimulatedRequest): Answer {
  const parsed = embedBody.safeParse(body);
  if (!parsed.success) return error(400);
  const { texts } = parsed.data;
  const billed = { input_tokens: countTokens(texts.join(' ')) };
  return jsonAnswer(200, {
    id: 'embed-1',
    texts,
    embeddings: { float: texts.map(() => [0.25, 0.5]) },
    meta: { api_version: { version: '2' }, billed_units: billed },
  });
}

function rerank({ body }: SimulatedRequest): Answer {
  const parsed = rerankBody.safeParse(body);
  if (!parsed.success) return error(400);
  const results = parsed.data.documents.map((_, index) => ({ index, relevance_score: 1 / (index + 1) }));
  return jsonAnswer(200, { id: 'rerank-1', results, meta: { api_version: { version: '2' }, billed_units: { search_units: 1 } } });
}
