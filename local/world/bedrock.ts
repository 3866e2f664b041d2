/**
 * The Bedrock runtime's simulator: API keys as Bearer, or Signature Version 4, of any Region; what is signed is decided by the IAM policies of
 * the signing session's own account. Sources: Amazon Bedrock API Reference, Converse, ConverseStream, InvokeModel,
 * InvokeModelWithResponseStream; User Guide, "Use an Amazon Bedrock API key".
 */
import { z } from 'zod';
import { AwsError } from '../core/aws-error.ts';
import type { HttpRequest } from '../core/protocols.ts';
import { isRegionName } from '../core/regions.ts';
import { type Authorization, parseAuthorization, verifySignature } from '../core/sigv4.ts';
import { messagesOf } from './anthropic-messages.ts';
import type { AwsAccess, SignedBy } from './aws-access.ts';
import { type Answer, jsonAnswer } from './deliver.ts';
import { encodeEvent } from './event-stream.ts';
import { countTokens, wordsOf } from './openai-like.ts';
import type { SimulatedRequest } from './simulated-request.ts';
import { bearerIn, createSimulator, type Simulator, type SimulatorDeps } from './simulator.ts';

const models = /^(us\.|eu\.|apac\.|global\.)?(anthropic\.claude-[a-z0-9.:-]+|amazon\.nova-[a-z0-9.:-]+)$/;
const modelArn = /^arn:aws:bedrock:[a-z0-9-]+:(\d{12})?:(foundation-model|inference-profile)\//;
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
  /** The cloud's; without it nobody is known who could sign. */
  readonly aws?: AwsAccess;
}

type Operation = 'InvokeModel' | 'InvokeModelWithResponseStream';
const paths: Readonly<Record<string, { readonly operation: Operation; readonly answer: (body: unknown) => Answer }>> = {
  converse: { operation: 'InvokeModel', answer: (body) => converse(body, false) },
  'converse-stream': { operation: 'InvokeModelWithResponseStream', answer: (body) => converse(body, true) },
  invoke: { operation: 'InvokeModel', answer: (body) => invoke(body, false) },
  'invoke-with-response-stream': { operation: 'InvokeModelWithResponseStream', answer: (body) => invoke(body, true) },
};

/** Undefined for what is no invocation. */
function invocationOf({ method, path }: SimulatedRequest) {
  const [, encoded, name = ''] = /^\/model\/([^/]+)\/([a-z-]+)$/.exec(path) ?? [];
  const found = Object.hasOwn(paths, name) ? paths[name] : undefined;
  const modelId = encoded === undefined ? undefined : decoded(encoded);
  return method === 'POST' && modelId !== undefined && found !== undefined ? { modelId, ...found } : undefined;
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    // Not percent-encoded UTF-8: it names nothing.
    return undefined;
  }
}

/** Where an API key is used: the simulator has one address for all Regions, and a key names none. */
const keyRegion = 'us-east-1';

export function createBedrock(deps: BedrockDeps): Simulator {
  const { aws } = deps;
  // IAM is its administration: keys are made there, and only how long they outlive their end is the simulator's own.
  let deletionDelayMs = 0;
  const simulator = createSimulator(deps, {
    name: 'bedrock',
    basePath: '/bedrock',
    keyPrefix: 'ABSK',
    presented: bearerIn,
    authenticate(request, secret, keys) {
      if (secret === undefined) return refusalOfSigned(deps, request);
      if (keys.accepted(secret) !== undefined) return undefined;
      const apiKey = aws?.apiKeyOf(secret, deletionDelayMs);
      if (apiKey !== undefined) return refusalBy(deps, request, { accessKeyId: apiKey, region: keyRegion });
      return error(403, 'Authentication failed: Please make sure your API Key is valid.');
    },
    signedBy: (request) => signedBy(deps, request, deletionDelayMs),
    error: (status) => error(status),
    answer(request) {
      const invocation = invocationOf(request);
      if (invocation === undefined) return undefined;
      if (!models.test(invocation.modelId.replace(modelArn, ''))) return error(400, 'The provided model identifier is invalid.');
      return invocation.answer(request.body);
    },
  });
  return {
    ...simulator,
    misbehave(how) {
      deletionDelayMs = how.deletionDelayMs ?? 0;
      simulator.misbehave(how);
    },
    liveKeys: (namePrefix = '') => [...simulator.liveKeys(namePrefix), ...(aws?.liveApiKeys(namePrefix, deletionDelayMs) ?? [])],
    plantedSecrets: () => [...simulator.plantedSecrets(), ...(aws?.plantedSecrets() ?? [])],
  };
}

async function refusalOfSigned(deps: BedrockDeps, request: SimulatedRequest): Promise<Answer | undefined> {
  try {
    return await refusalBy(deps, request, verified(deps, request));
  } catch (thrown) {
    if (thrown instanceof AwsError) return error(thrown.status, thrown.message, thrown.code);
    throw thrown;
  }
}

/** What IAM says to it. */
async function refusalBy(
  deps: BedrockDeps,
  request: SimulatedRequest,
  { accessKeyId, region }: Pick<Authorization, 'accessKeyId' | 'region'>,
): Promise<Answer | undefined> {
  try {
    const invocation = invocationOf(request);
    if (invocation !== undefined) await deps.aws?.invoke(accessKeyId, { ...invocation, region });
    return undefined;
  } catch (thrown) {
    if (thrown instanceof AwsError) return error(thrown.status, thrown.message, thrown.code);
    throw thrown;
  }
}

/** Throws AwsError, with status 403 for all that is wrong with a signature. */
function verified({ clock, aws }: BedrockDeps, request: SimulatedRequest): Authorization {
  const http = signedHttp(request);
  try {
    const authorization = parseAuthorization(http);
    const { service, region } = authorization;
    if (service !== 'bedrock') throw new AwsError('InvalidSignatureException', 'Credential should be scoped to correct service: bedrock.');
    verifySignature(http, authorization, {
      region: isRegionName(region) ? region : 'a valid Region',
      clocks: [clock.now(), Date.now()],
      now: clock.now(),
      credentialsOf: (accessKeyId) => aws?.credentialsOf(accessKeyId),
    });
    return authorization;
  } catch (thrown) {
    if (thrown instanceof AwsError) throw new AwsError(thrown.code, thrown.message, 403);
    throw thrown;
  }
}

/** Whose access key the request names, whether its signature is right or not: nobody's attempt goes unrecorded. */
function signedBy({ aws }: BedrockDeps, request: SimulatedRequest, deletionDelayMs: number): SignedBy | undefined {
  const apiKey = aws?.apiKeyOf(bearerIn(request) ?? '', deletionDelayMs);
  if (apiKey !== undefined) return aws?.ownerOf(apiKey);
  try {
    return aws?.ownerOf(parseAuthorization(signedHttp(request)).accessKeyId);
  } catch {
    // Not signed: an API key, or nothing that names anybody.
    return undefined;
  }
}

function signedHttp({ method, target, headers, bytes }: SimulatedRequest): HttpRequest {
  return {
    method,
    target,
    headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)])),
    body: bytes,
  };
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
