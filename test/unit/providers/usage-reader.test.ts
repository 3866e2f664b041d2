import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { UsageReader } from '../../../functions/providers/egress-adapter.ts';
import { egressAdapters } from '../../../functions/providers/egress-adapters.ts';
import { readUsage } from '../../../functions/providers/usage-reader.ts';
import { readEventStream } from '../../../functions/providers/usage-reader-event-stream.ts';
import { createJsonMembers } from '../../../functions/providers/usage-reader-json.ts';
import { createSseData } from '../../../functions/providers/usage-reader-sse.ts';
import { encodeEvent } from '../../../local/world/event-stream.ts';

function read(reader: UsageReader, bytes: Buffer, size = bytes.length): ReturnType<UsageReader['end']> {
  for (let at = 0; at < bytes.length; at += Math.max(1, size)) reader.push(bytes.subarray(at, at + Math.max(1, size)));
  return reader.end();
}

const json = (body: unknown, size?: number) => read(readUsage('application/json; charset=utf-8'), Buffer.from(JSON.stringify(body)), size);
const sse = (text: string, size?: number) => read(readUsage('text/event-stream'), Buffer.from(text), size);
const events = (...all: object[]) => all.map((event) => `data: ${JSON.stringify(event)}\n\n`).join('');

describe('I11 usage in a JSON answer', () => {
  it.each<[string, object, number, number]>([
    ['OpenAI chat', { id: 'x', choices: [], usage: { prompt_tokens: 3, completion_tokens: 5, total_tokens: 8 } }, 3, 5],
    ['OpenAI embeddings', { data: [{ embedding: [0.1] }], usage: { prompt_tokens: 7, total_tokens: 7 } }, 7, 0],
    ['OpenAI responses', { usage: { input_tokens: 4, output_tokens: 6, input_tokens_details: { cached_tokens: 2 } } }, 4, 6],
    [
      'Anthropic, cached input counted',
      { usage: { input_tokens: 1, cache_creation_input_tokens: 10, cache_read_input_tokens: 100, output_tokens: 2 } },
      111,
      2,
    ],
    ['Gemini, thoughts counted', { usageMetadata: { promptTokenCount: 5, candidatesTokenCount: 6, thoughtsTokenCount: 10 } }, 5, 16],
    [
      'Cohere chat',
      { usage: { billed_units: { input_tokens: 1, output_tokens: 1 }, tokens: { input_tokens: 9, output_tokens: 8 } } },
      9,
      8,
    ],
    ['Cohere embed', { embeddings: {}, meta: { billed_units: { input_tokens: 11 } } }, 11, 0],
    ['Bedrock Converse', { output: {}, usage: { inputTokens: 2, outputTokens: 3, totalTokens: 5 } }, 2, 3],
  ])('%s', (_, body, inputTokens, outputTokens) => {
    expect(json(body)).toEqual({ inputTokens, outputTokens });
    expect(json(body, 1)).toEqual({ inputTokens, outputTokens });
  });

  it('is the last of a top-level array (Gemini without alt=sse)', () => {
    expect(
      json([
        { usageMetadata: { promptTokenCount: 5, candidatesTokenCount: 1 } },
        { usageMetadata: { promptTokenCount: 5, candidatesTokenCount: 9 } },
      ]),
    ).toEqual({
      inputTokens: 5,
      outputTokens: 9,
    });
  });

  it('is not what a model says about itself, nor what stands deeper', () => {
    const text = '"usage":{"prompt_tokens":99,"completion_tokens":99}';
    expect(json({ choices: [{ message: { content: text } }], note: text })).toBeUndefined();
    expect(json({ data: { usage: { prompt_tokens: 99, completion_tokens: 99 } } })).toBeUndefined();
    expect(json({ tool: 'usage', usage: 'none', meta: null })).toBeUndefined();
  });

  it.each([
    '',
    '<html>',
    '{"usage":',
    '{"usage":{"prompt_tokens":"x"}}',
    '{"usage":{"prompt_tokens":-1}}',
    '}}]]{"a":1}',
    '"usage"',
    'null',
  ])('is none when there is none to read: %s', (text) =>
    expect(read(readUsage('application/json'), Buffer.from(text))?.inputTokens).toBeUndefined(),
  );

  it('is none for an answer of another kind', () => {
    expect(read(readUsage('audio/mpeg'), Buffer.from('{"usage":{"prompt_tokens":1}}'))).toBeUndefined();
    expect(read(readUsage(''), Buffer.from('{"usage":{"prompt_tokens":1}}'))).toBeUndefined();
  });

  it('finds members of any JSON as JSON.parse does, however it is cut', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.oneof(fc.constant('usage'), fc.constant('meta'), fc.string()), fc.jsonValue({ maxDepth: 3 })),
        fc.integer({ min: 1, max: 20 }),
        fc.boolean(),
        (body, size, pretty) => {
          const found: Record<string, unknown> = {};
          const members = createJsonMembers(new Set(['usage', 'meta']), (name, value) => {
            found[name] = value;
          });
          const bytes = Buffer.from(JSON.stringify(body, undefined, pretty ? 2 : undefined));
          for (let at = 0; at < bytes.length; at += size) members.push(bytes.subarray(at, at + size));
          const expected: Record<string, unknown> = {};
          for (const name of ['usage', 'meta']) if (Object.hasOwn(body, name)) expected[name] = JSON.parse(JSON.stringify(body[name]));
          expect(found).toEqual(expected);
        },
      ),
    );
  });
});

describe('I11 usage in server-sent events', () => {
  const delta = { choices: [{ delta: { content: 'word' } }], usage: null };
  it.each<[string, string, number, number]>([
    [
      'OpenAI chat with include_usage',
      `${events(delta, delta, { choices: [], usage: { prompt_tokens: 3, completion_tokens: 5 } })}data: [DONE]\n\n`,
      3,
      5,
    ],
    [
      'OpenAI responses',
      events(
        { type: 'response.created', response: { usage: null } },
        { type: 'response.completed', response: { usage: { input_tokens: 4, output_tokens: 6 } } },
      ),
      4,
      6,
    ],
    [
      'Anthropic',
      events(
        { type: 'message_start', message: { usage: { input_tokens: 25, cache_read_input_tokens: 5, output_tokens: 1 } } },
        { type: 'content_block_delta', delta: { text: '"usage":{' } },
        { type: 'message_delta', delta: {}, usage: { output_tokens: 15 } },
      ),
      30,
      15,
    ],
    [
      'Gemini',
      events({ usageMetadata: { promptTokenCount: 5 } }, { usageMetadata: { promptTokenCount: 5, candidatesTokenCount: 7 } }),
      5,
      7,
    ],
    ['Cohere', events({ type: 'message-end', delta: { usage: { tokens: { input_tokens: 2, output_tokens: 3 } } } }), 2, 3],
    ['Groq', events(delta, { choices: [], x_groq: { usage: { prompt_tokens: 8, completion_tokens: 9 } } }), 8, 9],
  ])('%s', (_, text, inputTokens, outputTokens) => {
    for (const size of [text.length, 1, 7]) expect(sse(text, size)).toEqual({ inputTokens, outputTokens });
    expect(sse(text.replaceAll('\n', '\r\n'), 3)).toEqual({ inputTokens, outputTokens });
    expect(sse(text.replaceAll('\n', '\r'), 5)).toEqual({ inputTokens, outputTokens });
    expect(sse(text.replace(/\n\n$/, ''))).toEqual({ inputTokens, outputTokens });
  });

  it('is undefined for a stream that does not tell', () =>
    expect(sse(`: ping\n\n${events(delta, delta)}data: [DONE]\n\n`)).toBeUndefined());

  it('survives an event without end', () => {
    const endless = Buffer.alloc(2_000_000, 'x');
    const reader = readUsage('text/event-stream');
    reader.push(Buffer.from('data: '));
    reader.push(endless);
    reader.push(Buffer.from(`\n\n${events({ usage: { prompt_tokens: 1, completion_tokens: 2 } })}`));
    expect(reader.end()).toEqual({ inputTokens: 1, outputTokens: 2 });
  });

  it('is cut into events as the standard says', () => {
    const cut = (text: string, size: number): string[] => {
      const found: string[] = [];
      const parser = createSseData((data) => found.push(data));
      const bytes = Buffer.from(text);
      for (let at = 0; at < bytes.length; at += size) parser.push(bytes.subarray(at, at + size));
      parser.end();
      return found;
    };
    const text = ':c\r\ndata: a\r\ndata:b\r\n\r\nevent: x\r\ndata:  ü\r\r\ndata\n\ndata: z';
    for (let size = 1; size < 20; size += 1) expect(cut(text, size)).toEqual(['a\nb', ' ü', 'z']);
  });
});

describe('I11 usage at Bedrock', () => {
  it('is read from the headers of InvokeModel', () => {
    const reader = egressAdapters.bedrock.usage('application/json', {
      'x-amzn-bedrock-input-token-count': '12',
      'x-amzn-bedrock-output-token-count': '34',
    });
    expect(reader.end()).toEqual({ inputTokens: 12, outputTokens: 34 });
  });

  it('is read from the event stream, however it is cut, also after a message too large to look at', () => {
    const large = encodeEvent('contentBlockDelta', { delta: { text: 'x'.repeat(300_000) } });
    const metadata = encodeEvent('metadata', { usage: { inputTokens: 5, outputTokens: 6 }, metrics: { latencyMs: 1 } });
    const chunk = encodeEvent('chunk', {
      bytes: Buffer.from(
        JSON.stringify({ type: 'message_stop', 'amazon-bedrock-invocationMetrics': { inputTokenCount: 7, outputTokenCount: 8 } }),
      ).toString('base64'),
    });
    for (const size of [1, 13, 65_536]) {
      if (size > 1) expect(read(readEventStream(), Buffer.concat([large, metadata]), size)).toEqual({ inputTokens: 5, outputTokens: 6 });
      expect(read(readEventStream(), Buffer.concat([encodeEvent('messageStart', { role: 'assistant' }), metadata]), size)).toEqual({
        inputTokens: 5,
        outputTokens: 6,
      });
      expect(read(egressAdapters.bedrock.usage('application/vnd.amazon.eventstream'), chunk, size)).toEqual({
        inputTokens: 7,
        outputTokens: 8,
      });
    }
  });

  it('is undefined for what is no event stream', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 100 })), (chunks) => {
        const reader = readEventStream();
        for (const chunk of chunks) reader.push(chunk);
        expect(reader.end()).toBeUndefined();
      }),
    );
  });
});
