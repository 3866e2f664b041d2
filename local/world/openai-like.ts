/**
 * Chat completions, responses and embeddings in OpenAI's shapes, which several providers share. Source: OpenAI API reference, "Chat", "Responses", "Embeddings".
 */
import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { type ApiAnswer, OpenAiError } from './openai-answer.ts';

const content = z.union([z.string(), z.array(z.looseObject({ type: z.string(), text: z.string().optional() }))]);
const chatBody = z.looseObject({
  model: z.string().min(1),
  messages: z.array(z.looseObject({ role: z.string(), content })).min(1),
  stream: z.boolean().optional(),
  stream_options: z.looseObject({ include_usage: z.boolean().optional() }).nullable().optional(),
});
const responseBody = z.looseObject({
  model: z.string().min(1),
  input: z.union([z.string(), z.array(z.looseObject({ content: content.optional() }))]),
  stream: z.boolean().optional(),
});
const embeddingBody = z.looseObject({
  model: z.string().min(1),
  input: z.union([z.string(), z.array(z.string()).min(1)]),
  encoding_format: z.enum(['float', 'base64']).optional(),
});

/** An event as providers send it: its type and whatever belongs to it. */
export interface StreamEvent {
  readonly type: string;
  readonly [member: string]: unknown;
}

export interface Flavour {
  /** Undefined: any name will do. */
  readonly models: readonly string[] | undefined;
  /** Seconds since the epoch. */
  readonly created: number;
  /** Counts in streams: when asked for (OpenAI), always in the last chunk (Mistral, OpenRouter), or in `x_groq`. */
  readonly streamUsage: 'asked' | 'last-chunk' | 'x_groq';
}

export function modelList(models: readonly string[], created: number, owner: string): ApiAnswer {
  return { status: 200, json: { object: 'list', data: models.map((id) => ({ id, object: 'model', created, owned_by: owner })) } };
}

/** Throws OpenAiError (400, 404). */
export function answerChat(body: unknown, flavour: Flavour): ApiAnswer {
  const { model, messages, stream, stream_options } = parse(chatBody, body, flavour);
  const words = wordsOf(messages.length);
  const prompt = messages.map((message) => textOf(message.content)).join(' ');
  const [input, output] = [countTokens(prompt), words.length];
  const usage = { prompt_tokens: input, completion_tokens: output, total_tokens: input + output };
  const base = { id: `chatcmpl-${randomBytes(12).toString('hex')}`, created: flavour.created, model };
  if (stream !== true) {
    const message = { role: 'assistant', content: words.join(' '), refusal: null };
    const choices = [{ index: 0, message, logprobs: null, finish_reason: 'stop' }];
    return { status: 200, json: { ...base, object: 'chat.completion', choices, usage } };
  }
  const asked = flavour.streamUsage === 'asked' && stream_options?.include_usage === true;
  const chunk = (choices: readonly object[], extra: object = asked ? { usage: null } : {}): string =>
    JSON.stringify({ ...base, object: 'chat.completion.chunk', choices, ...extra });
  const delta = (piece: object, finish: string | null): readonly object[] => [
    { index: 0, delta: piece, logprobs: null, finish_reason: finish },
  ];
  const last = { 'last-chunk': { usage }, x_groq: { x_groq: { id: 'req_1', usage } }, asked: undefined }[flavour.streamUsage];
  const events = [
    chunk(delta({ role: 'assistant', content: '' }, null)),
    ...words.map((word, index) => chunk(delta({ content: index === 0 ? word : ` ${word}` }, null))),
    chunk(delta({}, 'stop'), last),
    // The usage chunk comes last, with no choices, and only when asked for.
    ...(asked ? [chunk([], { usage })] : []),
    '[DONE]',
  ];
  return { status: 200, events: events.map((data) => `data: ${data}`) };
}

/** Throws OpenAiError (400, 404). */
export function answerResponses(body: unknown, flavour: Flavour): ApiAnswer {
  const { model, input, stream } = parse(responseBody, body, flavour);
  const words = wordsOf(typeof input === 'string' ? 1 : input.length);
  const text = words.join(' ');
  const read = typeof input === 'string' ? input : input.map((item) => textOf(item.content ?? '')).join(' ');
  const [inputTokens, outputTokens] = [countTokens(read), words.length];
  const id = randomBytes(12).toString('hex');
  const part = { type: 'output_text', text, annotations: [] };
  const item = { type: 'message', id: `msg_${id}`, status: 'completed', role: 'assistant', content: [part] };
  const base = { id: `resp_${id}`, object: 'response', created_at: flavour.created, model, error: null, incomplete_details: null };
  const usage = {
    input_tokens: inputTokens,
    input_tokens_details: { cached_tokens: 0 },
    output_tokens: outputTokens,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: inputTokens + outputTokens,
  };
  const done = { ...base, status: 'completed', output: [item], usage };
  if (stream !== true) return { status: 200, json: done };
  const begun = { ...base, status: 'in_progress', output: [], usage: null };
  const place = { item_id: item.id, output_index: 0, content_index: 0 };
  const events: StreamEvent[] = [
    { type: 'response.created', response: begun },
    { type: 'response.output_item.added', output_index: 0, item: { ...item, status: 'in_progress', content: [] } },
    { type: 'response.content_part.added', ...place, part: { ...part, text: '' } },
    ...words.map((word, index) => ({ type: 'response.output_text.delta', ...place, delta: index === 0 ? word : ` ${word}` })),
    { type: 'response.output_text.done', ...place, text },
    { type: 'response.content_part.done', ...place, part },
    { type: 'response.output_item.done', output_index: 0, item },
    { type: 'response.completed', response: done },
  ];
  const texts = events.map((event, index) => `event: ${event.type}\ndata: ${JSON.stringify({ ...event, sequence_number: index })}`);
  return { status: 200, events: texts };
}

/** Throws OpenAiError (400, 404). */
export function answerEmbeddings(body: unknown, flavour: Flavour): ApiAnswer {
  const { model, input, encoding_format } = parse(embeddingBody, body, flavour);
  const texts = typeof input === 'string' ? [input] : input;
  const data = texts.map((text, index) => {
    const vector = Float32Array.from([text.length / 100, 0.5, -0.25]);
    const embedding = encoding_format === 'base64' ? Buffer.from(vector.buffer).toString('base64') : [...vector];
    return { object: 'embedding', index, embedding };
  });
  const tokens = countTokens(texts.join(' '));
  return { status: 200, json: { object: 'list', data, model, usage: { prompt_tokens: tokens, total_tokens: tokens } } };
}

function parse<T extends { model: string }>(schema: z.ZodType<T>, body: unknown, { models }: Flavour): T {
  const parsed = schema.safeParse(body ?? {});
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const param = issue?.path.join('.') ?? '';
    throw new OpenAiError(400, 'invalid_value', `Invalid '${param}': ${issue?.message ?? 'not valid'}.`, { param });
  }
  const { model } = parsed.data;
  if (models !== undefined && !models.includes(model)) {
    throw new OpenAiError(404, 'model_not_found', `The model '${model}' does not exist or you do not have access to it.`, {
      param: 'model',
    });
  }
  return parsed.data;
}

function textOf(value: z.infer<typeof content>): string {
  return typeof value === 'string' ? value : value.map((part) => part.text ?? '').join(' ');
}

/** What every simulator says. */
export function wordsOf(messages: number): readonly string[] {
  return ['The', 'simulator', 'read', `${messages}`, messages === 1 ? 'message.' : 'messages.'];
}

/** Words, not real tokens: enough to compare what was used with what was recorded. */
export function countTokens(text: string): number {
  return text.split(/\s+/).filter((word) => word !== '').length;
}
