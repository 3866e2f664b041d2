/** `/models` and `/chat/completions` for project keys. Source: OpenAI API reference, "Models" and "Chat". */
import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { unknownUrl } from './openai-admin.ts';
import { type ApiAnswer, type ApiRequest, OpenAiError } from './openai-answer.ts';
import type { ApiKey } from './openai-organization.ts';

const models = ['gpt-5', 'gpt-5-mini', 'text-embedding-3-small'];
const content = z.union([z.string(), z.array(z.looseObject({ type: z.string(), text: z.string().optional() }))]);
const chatBody = z.looseObject({
  model: z.string().min(1),
  messages: z.array(z.looseObject({ role: z.string(), content })).min(1),
  stream: z.boolean().optional(),
  stream_options: z.looseObject({ include_usage: z.boolean().optional() }).nullable().optional(),
});

/** Answers a request made with a project key that is accepted. Throws OpenAiError (400, 403, 404). */
export function answerInference(key: ApiKey, request: ApiRequest, now: number): ApiAnswer {
  const path = request.segments.join('/');
  const created = Math.floor(now / 1000);
  if (request.method === 'GET' && path === 'models') {
    requireScope(key, 'api.model.read');
    return { status: 200, json: { object: 'list', data: models.map((id) => ({ id, object: 'model', created, owned_by: 'openai' })) } };
  }
  if (request.method === 'POST' && path === 'chat/completions') {
    requireScope(key, 'model.request');
    return chat(request.body, created);
  }
  throw unknownUrl(request);
}

/** A key without scopes may do everything its service account may. */
function requireScope(key: ApiKey, scope: string): void {
  if (key.scopes !== undefined && !key.scopes.includes(scope)) {
    throw new OpenAiError(403, null, `You have insufficient permissions for this operation. Missing scopes: ${scope}.`);
  }
}

function chat(body: unknown, created: number): ApiAnswer {
  const parsed = chatBody.safeParse(body);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const param = issue?.path.join('.') ?? '';
    throw new OpenAiError(400, 'invalid_value', `Invalid '${param}': ${issue?.message ?? 'not valid'}.`, { param });
  }
  const { model, messages, stream, stream_options } = parsed.data;
  if (!models.includes(model))
    throw new OpenAiError(404, 'model_not_found', `The model '${model}' does not exist or you do not have access to it.`, {
      param: 'model',
    });
  const prompt = messages.map((message) => textOf(message.content)).join(' ');
  const words = ['The', 'simulator', 'read', `${messages.length}`, messages.length === 1 ? 'message.' : 'messages.'];
  const usage = usageOf(countTokens(prompt), words.length);
  const base = { id: `chatcmpl-${randomBytes(12).toString('hex')}`, created, model };
  if (stream !== true) {
    const message = { role: 'assistant', content: words.join(' '), refusal: null };
    return {
      status: 200,
      json: { ...base, object: 'chat.completion', choices: [{ index: 0, message, logprobs: null, finish_reason: 'stop' }], usage },
    };
  }
  const includeUsage = stream_options?.include_usage === true;
  const chunk = (choices: readonly object[], extra: object = includeUsage ? { usage: null } : {}): string =>
    JSON.stringify({ ...base, object: 'chat.completion.chunk', choices, ...extra });
  const delta = (piece: object, finish: string | null): readonly object[] => [
    { index: 0, delta: piece, logprobs: null, finish_reason: finish },
  ];
  const events = [
    chunk(delta({ role: 'assistant', content: '' }, null)),
    ...words.map((word, index) => chunk(delta({ content: index === 0 ? word : ` ${word}` }, null))),
    chunk(delta({}, 'stop')),
    // The usage chunk comes last, with no choices, and only when asked for.
    ...(includeUsage ? [chunk([], { usage })] : []),
    '[DONE]',
  ];
  return { status: 200, events };
}

function textOf(value: z.infer<typeof content>): string {
  return typeof value === 'string' ? value : value.map((part) => part.text ?? '').join(' ');
}

/** Words, not real tokens: enough to compare what was used with what was recorded. */
function countTokens(text: string): number {
  return text.split(/\s+/).filter((word) => word !== '').length;
}

function usageOf(prompt: number, completion: number): object {
  return { prompt_tokens: prompt, completion_tokens: completion, total_tokens: prompt + completion };
}
