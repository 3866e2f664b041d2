/** The cloud's HTTP front: one loopback listener for all services. Who calls is told by the signature, which service by its credential scope. */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import { AwsError, notImplemented } from './aws-error.ts';
import { isAnswerLost } from './faults.ts';
import type { LocalKernel } from './kernel.ts';
import type { HttpAnswer, HttpRequest } from './protocols.ts';
import { answerOf, errorAnswerOf, isQuery, parseRequest } from './protocols.ts';
import { isRegionName } from './regions.ts';
import { restXmlCodes } from './rest-xml-protocol.ts';
import type { LocalService } from './service.ts';
import { parseAuthorization, verifySignature } from './sigv4.ts';

export interface LocalServer {
  /** `http://127.0.0.1:{port}` */
  readonly endpoint: string;
  readonly port: number;
  close(): Promise<void>;
}

const maxBodyBytes = 10 * 1024 * 1024;

export interface ServerOptions {
  /** 0 picks a free one. */
  readonly port: number;
  /** For how long a connection is kept that nothing comes over; a minute when left out. */
  readonly keepAliveMs?: number | undefined;
  /** Gets one line (with the stack) for every defect of the local cloud that a request has hit; goes to stderr by default. */
  readonly reportDefect?: (text: string) => void;
}

/** Rejects when the port is taken. */
export async function startServer(kernel: LocalKernel, options: ServerOptions): Promise<LocalServer> {
  const reportDefect = options.reportDefect ?? ((text: string) => process.stderr.write(`${text}\n`));
  const server = createServer({ keepAliveTimeout: options.keepAliveMs ?? 60_000 }, (incoming, response) => {
    handle(kernel, reportDefect, incoming, response).catch(() => incoming.socket.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return {
    endpoint: `http://127.0.0.1:${address.port}`,
    port: address.port,
    close: () =>
      new Promise((resolve, reject) => {
        server.close((error) => (error === undefined ? resolve() : reject(error)));
        server.closeAllConnections();
      }),
  };
}

async function handle(
  kernel: LocalKernel,
  reportDefect: (text: string) => void,
  incoming: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const requestId = randomUUID();
  // SDK clients set their own clock by this header when a call was refused for its time.
  response.setHeader('date', new Date(kernel.clock.now()).toUTCString());
  const body = await readBody(incoming);
  const request: HttpRequest = {
    method: incoming.method ?? '',
    target: incoming.url ?? '/',
    headers: flatHeaders(incoming),
    body: body ?? new Uint8Array(),
  };
  if (body === undefined) {
    const tooLarge = new AwsError('RequestEntityTooLarge', `The request body is larger than ${maxBodyBytes} bytes.`, 413);
    return send(response, errorAnswerOf(undefined, tooLarge, request, requestId));
  }
  const answer = await answerTo(kernel, request, requestId, reportDefect);
  // The work was done; the caller is not to know.
  if (answer === undefined) incoming.socket.destroy();
  else send(response, answer);
}

/** Undefined: no answer may be sent. */
async function answerTo(
  kernel: LocalKernel,
  request: HttpRequest,
  requestId: string,
  reportDefect: (text: string) => void,
): Promise<HttpAnswer | undefined> {
  let service: LocalService | undefined;
  try {
    service = unsignedServiceOf(kernel, request);
    if (service !== undefined) {
      const { operation, input } = parseRequest(service, request);
      const result = await kernel.call(kernel.anonymousCaller(), service.signingName, operation, input, { requestId });
      return answerOf(service, operation, result, request, requestId);
    }
    const authorization = parseAuthorization(request);
    service = kernel.service(authorization.service);
    const now = kernel.clock.now();
    const region = service?.everyRegion === true && isRegionName(authorization.region) ? authorization.region : kernel.region;
    verifySignature(request, authorization, {
      region,
      clocks: [now, Date.now()],
      now,
      credentialsOf: (accessKeyId) => kernel.secretOf(accessKeyId),
    });
    if (service === undefined) throw notImplemented(`the service ${authorization.service}`);
    const caller = kernel.callerOf(authorization.accessKeyId);
    if (caller === undefined) throw new AwsError('InvalidClientTokenId', 'The security token included in the request is invalid.', 403);
    const { operation, input } = parseRequest(service, request);
    const result = await kernel.call(caller, service.signingName, operation, input, { requestId, region });
    return answerOf(service, operation, result, request, requestId);
  } catch (error) {
    if (isAnswerLost(error)) return undefined;
    return errorAnswerOf(service, inProtocol(service, asAwsError(error, requestId, reportDefect), request), request, requestId);
  }
}

/** The service that takes this request although nobody has signed it; undefined for a signed or presigned one. */
function unsignedServiceOf(kernel: LocalKernel, { method, target, headers }: HttpRequest): LocalService | undefined {
  if (headers['authorization'] !== undefined || target.includes('X-Amz-')) return undefined;
  return kernel.services().find(({ takesUnsigned }) => takesUnsigned?.(method, target) === true);
}

/** A defect of the local cloud: reported by its request ID, never to the caller. */
function asAwsError(error: unknown, requestId: string, reportDefect: (text: string) => void): AwsError {
  if (error instanceof AwsError) return error;
  reportDefect(`local cloud: request ${requestId} failed: ${error instanceof Error ? error.stack : String(error)}`);
  return new AwsError('InternalFailure', `The local cloud has failed; see its log for request ${requestId}.`, 500);
}

/** The JSON services' names for what the query protocol calls otherwise ("Common errors" of each API reference). */
const jsonCodes: Readonly<Record<string, string>> = {
  MissingAuthenticationToken: 'MissingAuthenticationTokenException',
  IncompleteSignature: 'IncompleteSignatureException',
  SignatureDoesNotMatch: 'InvalidSignatureException',
  InvalidClientTokenId: 'UnrecognizedClientException',
  ExpiredToken: 'ExpiredTokenException',
};

function inProtocol(service: LocalService | undefined, error: AwsError, request: HttpRequest): AwsError {
  const [xmlCode, xmlStatus] = (service?.protocol === 'rest-xml' ? restXmlCodes[error.code] : undefined) ?? [];
  if (xmlCode !== undefined) return new AwsError(xmlCode, error.message, xmlStatus, error.extra);
  if (service?.protocol === 'rest-xml') return error;
  const jsonCode = jsonCodes[error.code];
  if (jsonCode === undefined || isQuery(service, request)) return error;
  return new AwsError(jsonCode, error.message, service?.protocol === 'rest-json' ? 403 : 400, error.extra);
}

/** Undefined when it is too large; the rest is read and dropped, so that the client sees the answer. */
async function readBody(incoming: IncomingMessage): Promise<Uint8Array | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of incoming) {
    const bytes: Buffer = chunk;
    size += bytes.length;
    if (size <= maxBodyBytes) chunks.push(bytes);
    else chunks.length = 0;
  }
  return size <= maxBodyBytes ? Buffer.concat(chunks) : undefined;
}

function flatHeaders(incoming: IncomingMessage): Record<string, string> {
  const pairs = Object.entries(incoming.headersDistinct).map(([name, values]): [string, string] => [name, (values ?? []).join(',')]);
  return Object.fromEntries(pairs);
}

function send(response: ServerResponse, answer: HttpAnswer): void {
  const body = typeof answer.body === 'string' ? Buffer.from(answer.body) : answer.body;
  response.writeHead(answer.status, { ...answer.headers, 'content-length': body.length });
  response.end(body);
}
