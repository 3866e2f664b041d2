/** Messages in Anthropic's shapes, which Bedrock and Vertex pass through. Source: Claude API reference, "Messages", "Streaming Messages". */
import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { countTokens, type StreamEvent, wordsOf } from './openai-like.ts';

const content = z.union([z.string(), z.array(z.looseObject({ type: z.string(), text: z.string().optional() }))]);
const messages = z.array(z.looseObject({ role: z.enum(['user', 'assistant']), content })).min(1);
const body = z.looseObject({ model: z.string().optional(), max_tokens: z.int().min(1), messages, stream: z.boolean().optional() });
const countBody = z.looseObject({ model: z.string(), messages });

export interface MessagesAnswer {
  readonly model: string | undefined;
  readonly stream: boolean;
  /** The whole message. */
  readonly message: object;
  /** The same as the events of a stream, without the name of the event. */
  readonly events: readonly StreamEvent[];
  readonly usage: { readonly input_tokens: number; readonly output_tokens: number };
}

/** Undefined when the body is none. */
export function messagesOf(given: unknown): MessagesAnswer | undefined {
  const parsed = body.safeParse(given);
  if (!parsed.success) return undefined;
  const { model, stream = false, messages } = parsed.data;
  const words = wordsOf(messages.length);
  const input = inputTokens(messages);
  const usage = {
    input_tokens: input,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: 0,
    output_tokens: words.length,
    service_tier: 'standard',
  };
  const base = { id: `msg_${randomBytes(12).toString('hex')}`, type: 'message', role: 'assistant', model: model ?? 'claude-sonnet-4-5' };
  const start = { ...base, content: [], stop_reason: null, stop_sequence: null, usage: { ...usage, output_tokens: 1 } };
  const text = words.join(' ');
  return {
    model,
    stream,
    usage,
    message: { ...base, content: [{ type: 'text', text, citations: null }], stop_reason: 'end_turn', stop_sequence: null, usage },
    events: [
      { type: 'message_start', message: start },
      { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
      { type: 'ping' },
      ...words.map((word, index) => ({
        type: 'content_block_delta',
        index: 0,
        delta: { type: 'text_delta', text: index === 0 ? word : ` ${word}` },
      })),
      { type: 'content_block_stop', index: 0 },
      // The count is a total so far, not an increase.
      { type: 'message_delta', delta: { stop_reason: 'end_turn', stop_sequence: null }, usage: { output_tokens: words.length } },
      { type: 'message_stop' },
    ],
  };
}

/** Undefined when the body is none. */
export function tokensOf(given: unknown): number | undefined {
  const parsed = countBody.safeParse(given);
  return parsed.success ? inputTokens(parsed.data.messages) : undefined;
}

function inputTokens(list: z.infer<typeof messages>): number {
  const texts = list.map(({ content: one }) => (typeof one === 'string' ? one : one.map((part) => part.text ?? '').join(' ')));
  return countTokens(texts.join(' '));
}
