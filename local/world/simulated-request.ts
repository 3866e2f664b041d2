import type { IncomingMessage } from 'node:http';

/** A request below the simulator's base path. */
export interface SimulatedRequest {
  readonly method: string;
  /** Still encoded, with a leading slash. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  /** Path and query as they were sent, base path included: what a signature covers. */
  readonly target: string;
  readonly bytes: Buffer;
  /** Undefined when the body is empty or no JSON. */
  readonly body: unknown;
}
