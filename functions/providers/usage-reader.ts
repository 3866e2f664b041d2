/** Reads token usage out of answers as they pass: JSON bodies, server-sent events, Bedrock's event streams. */
import type { TokenUsage, UsageReader } from './egress-adapter.ts';
import { createJsonMembers } from './usage-reader-json.ts';
import { createSseData } from './usage-reader-sse.ts';

/** Nothing to read: an image, a sound, an answer without a body. */
const noUsage: UsageReader = { push: () => undefined, end: () => undefined };

/** Top-level members that providers count tokens in. Sources: `usageIn`. */
export const usageMembers: ReadonlySet<string> = new Set(['usage', 'usageMetadata', 'meta', 'amazon-bedrock-invocationMetrics']);
const mentionsUsage = /"(?:usage|usageMetadata|meta|amazon-bedrock-invocationMetrics)"\s*:\s*\{/;

/** A reader by the answer's media type. */
export function readUsage(contentType: string): UsageReader {
  const type = (contentType.split(';', 1)[0] ?? '').trim().toLowerCase();
  if (type === 'text/event-stream') return readSse();
  if (type === 'application/json' || type.endsWith('+json')) return readJson();
  return noUsage;
}

function readJson(): UsageReader {
  const tally = createTally();
  const members = createJsonMembers(usageMembers, (name, value) => tally.add({ [name]: value }));
  return { push: (chunk) => members.push(chunk), end: () => tally.total() };
}

function readSse(): UsageReader {
  const tally = createTally();
  const events = createSseData((data) => {
    // Most events carry a piece of text only: parsing each would be the dearest thing done to a stream.
    if (mentionsUsage.test(data)) tally.add(parsed(data));
  });
  return {
    push: (chunk) => events.push(chunk),
    end() {
      events.end();
      return tally.total();
    },
  };
}

export interface Tally {
  /** Takes one parsed event or body. What comes later counts, because streams report totals so far (Claude docs, "Streaming Messages"). */
  add(event: unknown): void;
  total(): TokenUsage | undefined;
}

export function createTally(): Tally {
  let input: number | undefined;
  let output: number | undefined;
  return {
    add(event) {
      for (const counted of countsIn(event)) {
        input = counted.input ?? input;
        output = counted.output ?? output;
      }
    },
    total: () => (input === undefined && output === undefined ? undefined : { inputTokens: input ?? 0, outputTokens: output ?? 0 }),
  };
}

interface Counts {
  readonly input: number | undefined;
  readonly output: number | undefined;
}

type Members = Readonly<Record<string, unknown>>;
const membersOf = (value: unknown): Members | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;

/** Where events put what a body has at its top: OpenAI Responses, Anthropic `message_start`, Cohere `message-end`, Groq. */
const envelopes = ['response', 'message', 'delta', 'x_groq'];

function countsIn(event: unknown): readonly Counts[] {
  const top = membersOf(event);
  if (top === undefined) return [];
  const places = [top, ...envelopes.map((name) => membersOf(top[name]))];
  return places.flatMap((place) => (place === undefined ? [] : [...usageMembers].flatMap((name) => usageIn(membersOf(place[name])))));
}

/**
 * One usage object of any of the providers. OpenAI, Azure, Mistral, Groq, OpenRouter: `prompt_tokens`, `completion_tokens`, or `input_tokens`, `output_tokens`
 * (Responses). Anthropic counts cached input apart: the sum is what was read. Gemini and Vertex: `usageMetadata`, thoughts apart. Cohere: `tokens` or `billed_units`.
 * Bedrock: `inputTokens`, or `inputTokenCount` in invocation metrics.
 */
function usageIn(usage: Members | undefined): readonly Counts[] {
  if (usage === undefined) return [];
  const nested = membersOf(usage['tokens']) ?? membersOf(usage['billed_units']);
  if (nested !== undefined) return usageIn(nested);
  const input = first(usage, ['prompt_tokens', 'input_tokens', 'promptTokenCount', 'inputTokens', 'inputTokenCount']);
  const cached = sum(usage, ['cache_creation_input_tokens', 'cache_read_input_tokens', 'cacheReadInputTokens', 'cacheWriteInputTokens']);
  const tools = sum(usage, ['toolUsePromptTokenCount']);
  const output = first(usage, ['completion_tokens', 'output_tokens', 'candidatesTokenCount', 'outputTokens', 'outputTokenCount']);
  const thoughts = first(usage, ['thoughtsTokenCount']);
  return [
    {
      input: input === undefined ? undefined : input + cached + tools,
      output: output === undefined && thoughts === undefined ? undefined : (output ?? 0) + (thoughts ?? 0),
    },
  ];
}

const count = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isFinite(value) && value >= 0 ? Math.round(value) : undefined;

function first(usage: Members, names: readonly string[]): number | undefined {
  for (const name of names) {
    const found = count(usage[name]);
    if (found !== undefined) return found;
  }
  return undefined;
}

function sum(usage: Members, names: readonly string[]): number {
  return names.reduce((total, name) => total + (count(usage[name]) ?? 0), 0);
}

/** Undefined when it is no JSON: then it says nothing about usage. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
