/**
 * The Bedrock runtime's simulator: API keys as Bearer, or Signature Version 4. Sources: Amazon Bedrock API Reference, Converse, ConverseStream, InvokeModel,
 * InvokeModelWithResponseStream; User Guide, "Use an Amazon Bedrock API key".
 */
import { z } from 'zod';
import { AwsError } from '../core/aws-error.ts';
import { type KnownCredentials, parseAuthorization, verifySignature } from '../core/sigv4.ts';
import { messagesOf } from './anthropic-messages.ts';
import { type Answer, jsonAnswer } from './deliver.ts';
import { encodeEvent } from './event-stream.ts';
import { countTokens, wordsOf } from './openai-like.ts';
import { bearerIn, createSimulator, type SimulatedRequest, type Simulator, type SimulatorDeps } from './simulator.ts';

const models = /^(us\.|eu\.|global\.)?(anthropic\.claude-[a-z0-9.:-]+|amazon\.nova-[a-z0-9.:-]+)$/;
const converseBody = z.looseObject({
  messages: z.array(z.looseObject({ content: z.array(z.looseObject({ text: z.string().optional() })) })).min(1),
});

const types: Readonly<Record<number, string>> = {
  400: 'ValidationException',
  401: 'UnrecognizedClientException',
  403: 'AccessDeniedException',
  404: 'ResourceNotFoundException',
  429: 'ThrottlingException',
};

function error(status: number, message = 'The request was refused.', type = types[status] ?? 'InternalServerException'): Answer {
  return jsonAnswer(status, { message }, { 'x-amzn-errortype': type });
}

export interface BedrockDeps extends SimulatorDeps {
  readonly region: string;
  /** Of sessions and users that may sign; the cloud's own. Undefined for an unknown access key. */
  credentialsOf?(accessKeyId: string): KnownCredentials | undefined;
}

export function createBedrock(deps: BedrockDeps): Simulator {
  return createSimulator(deps, {
    name: 'bedrock',
    basePath: '/bedrock',
    keyPrefix: 'ABSK',
    presented: bearerIn,
    authenticate(request, secret, keys) {
      if (secret === undefined) return refusalOfSignature(deps, request);
      if (keys.accepted(secret) !== undefined) return undefined;
      return error(403, 'Authentication failed: Please make sure your API Key is valid.');
    },
    error: (status) => error(status),
    answer(request) {
      const [, encoded, operation] = /^\/model\/([^/]+)\/([a-z-]+)$/.exec(request.path) ?? [];
      if (request.method !== 'POST' || encoded === undefined) return undefined;
      if (!models.test(decodeURIComponent(encoded))) return error(400, 'The provided model identifier is invalid.');
      if (operation === 'converse') return converse(request.body, false);
      if (operation === 'converse-stream') return converse(request.body, true);
      if (operation === 'invoke') return invoke(request.body, false);
      if (operation === 'invoke-with-response-stream') return invoke(request.body, true);
      return undefined;
    },
  });
}

function refusalOfSignature({ clock, region, credentialsOf }: BedrockDeps, request: SimulatedRequest): Answer | undefined {
  const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
  const http = { method: request.method, target: request.target, headers, body: request.bytes };
  try {
    const authorization = parseAuthorization(http);
    if (authorization.service !== 'bedrock')
      return error(403, 'Credential should be scoped to correct service: bedrock.', 'InvalidSignatureException');
    verifySignature(http, authorization, {
      region,
      clocks: [clock.now(), Date.now()],
      now: clock.now(),
      credentialsOf: (accessKeyId) => credentialsOf?.(accessKeyId),
    });
    return undefined;
  } catch (thrown) {
    if (thrown instanceof AwsError) return error(403, thrown.message, thrown.code);
    throw thrown;
  }
}

function converse(body: unknown, stream: boolean): Answer {
  const parsed = converseBody.safeParse(body);
  if (!parsed.success) return error(400, 'The messages are not valid.');
  const { messages } = parsed.data;
  const words = wordsOf(messages.length);
  const inputTokens = countTokens(messages.flatMap(({ content }) => content.map((part) => part.text ?? '')).join(' '));
  const usage = { inputTokens, outputTokens: words.length, totalTokens: inputTokens + words.length };
  const metrics = { latencyMs: 12 };
  if (!stream) {
    const output = { message: { role: 'assistant', content: [{ text: words.join(' ') }] } };
    return jsonAnswer(200, { output, stopReason: 'end_turn', usage, metrics });
  }
  return eventStream([
    encodeEvent('messageStart', { role: 'assistant' }),
    ...words.map((word, index) =>
      encodeEvent('contentBlockDelta', { contentBlockIndex: 0, delta: { text: index === 0 ? word : ` ${word}` } }),
    ),
    encodeEvent('contentBlockStop', { contentBlockIndex: 0 }),
    encodeEvent('messageStop', { stopReason: 'end_turn' }),
    encodeEvent('metadata', { usage, metrics }),
  ]);
}

function invoke(body: unknown, stream: boolean): Answer {
  const answer = messagesOf(body);
  if (answer === undefined) return error(400, 'Malformed input request.');
  const { input_tokens, output_tokens } = answer.usage;
  if (!stream) {
    const counted = {
      'x-amzn-bedrock-input-token-count': String(input_tokens),
      'x-amzn-bedrock-output-token-count': String(output_tokens),
    };
    return jsonAnswer(200, answer.message, counted);
  }
  const metrics = { inputTokenCount: input_tokens, outputTokenCount: output_tokens, invocationLatency: 12, firstByteLatency: 5 };
  const last = answer.events.length - 1;
  return eventStream(
    answer.events.map((event, index) => {
      const text = JSON.stringify(index === last ? { ...event, 'amazon-bedrock-invocationMetrics': metrics } : event);
      return encodeEvent('chunk', { bytes: Buffer.from(text).toString('base64') });
    }),
  );
}

function eventStream(pieces: readonly Buffer[]): Answer {
  return { status: 200, headers: { 'content-type': 'application/vnd.amazon.eventstream' }, pieces };
}
