/**
 * Calls AWS without an SDK client: one synchronous signature, one request over a kept connection. For functions where the SDK's import time and its 270 µs per call
 * would be most of the work. Errors carry AWS's code as their name, as the SDK's do, so that `aws()` and `isAwsError()` read both.
 * Source: IAM User Guide, "Create a signed AWS API request".
 */
import http from 'node:http';
import https from 'node:https';
import { type SigningCredentials, signedHeaders } from './aws-signed-signature.ts';

export type { SigningCredentials };

export interface SignedCall {
  readonly service: 'dynamodb' | 'lambda' | 'secretsmanager' | 'sts';
  /** @default `/` */
  readonly path?: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** ASCII: then it is its own bytes, and its length theirs. */
  readonly body: string;
  /** From the first byte sent to the last one received, in milliseconds. */
  readonly timeoutMs: number;
}

export interface AwsAnswer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

/** Resolves with any answer, also one that is an error; rejects with an Error without status when there is none. */
export type SendSigned = (credentials: SigningCredentials, call: SignedCall) => Promise<AwsAnswer>;

/** What AWS answered instead of a result. `name` is its error code; `message` is AWS's own and may name ARNs: it is for `cause`, not for callers. */
export class AwsCallError extends Error {
  override readonly name: string;
  readonly $metadata: { readonly httpStatusCode: number };

  constructor(code: string, status: number, message: string) {
    super(message);
    this.name = code;
    this.$metadata = { httpStatusCode: status };
  }
}

/** No answer of the calls made here is larger: a page of a query has 1 MB. */
const maxAnswerBytes = 16 * 1024 * 1024;

/**
 * @param endpoint where AWS is, e.g. `http://127.0.0.1:4566`; undefined for AWS itself
 */
export function createSignedSender({ region, endpoint }: { region: string; endpoint: string | undefined }): SendSigned {
  const base = endpoint === undefined ? undefined : new URL(endpoint);
  const plain = base?.protocol === 'http:';
  const agent = plain ? new http.Agent({ keepAlive: true }) : new https.Agent({ keepAlive: true });
  const begin = plain ? http.request : https.request;

  return (credentials, call) => {
    const hostname = base?.hostname ?? `${call.service}.${region}.amazonaws.com`;
    const port = base?.port ?? '';
    const path = call.path ?? '/';
    const host = port === '' ? hostname : `${hostname}:${port}`;
    const { service, headers, body } = call;
    const signed = signedHeaders(credentials, { service, region, path, host, headers, body, now: Date.now() });
    const options = {
      hostname: hostname.replace(/^\[|\]$/g, ''),
      ...(port !== '' && { port }),
      method: 'POST',
      path,
      headers: { ...signed, 'content-length': body.length },
      agent,
    };
    return exchange(begin, options, call);
  };
}

function exchange(begin: typeof http.request, options: http.RequestOptions, call: SignedCall): Promise<AwsAnswer> {
  return new Promise((resolve, reject) => {
    let request: http.ClientRequest;
    let repeated = false;
    const timer = setTimeout(() => request.destroy(timedOut(call)), call.timeoutMs);
    const fail = (error: Error): void => {
      clearTimeout(timer);
      reject(error);
    };
    const attempt = (): void => {
      let answered = false;
      request = begin(options, (response) => {
        answered = true;
        const chunks: Buffer[] = [];
        let size = 0;
        response.on('data', (chunk: Buffer) => {
          size += chunk.length;
          if (size > maxAnswerBytes) response.destroy(new Error('the answer is too large'));
          else chunks.push(chunk);
        });
        response.on('error', fail);
        // A connection that ends too soon is an error of the response, not its end. Source: Node.js, http.IncomingMessage.
        response.on('end', () => {
          clearTimeout(timer);
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks).toString('utf8') });
        });
      });
      request.on('error', (error: Error & { code?: string }) => {
        // A kept connection that the other side had closed meanwhile, e.g. while the environment was frozen: the call was not begun. All calls made here may be repeated.
        if (!answered && !repeated && request.reusedSocket && (error.code === 'ECONNRESET' || error.code === 'EPIPE')) {
          repeated = true;
          attempt();
        } else fail(error);
      });
      // One write with the headers, and no conversion: the body is ASCII.
      request.end(call.body, 'latin1');
    };
    attempt();
  });
}

function timedOut(call: SignedCall): Error {
  return Object.assign(new Error(`${call.service} did not answer within ${call.timeoutMs} ms`), { name: 'TimeoutError' });
}
