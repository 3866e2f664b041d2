/** What the local Lambda service and a worker thread tell each other. */

export interface WorkerStart {
  readonly functionName: string;
  readonly functionArn: string;
  /** `{file}.{export}`, e.g. `index.handler`. */
  readonly handler: string;
  readonly assetDirectory: string;
  readonly memorySize: number;
  readonly logGroupName: string;
  readonly logStreamName: string;
  /** The cloud's clock: one BigInt64, the offset in milliseconds. */
  readonly clockOffset: SharedArrayBuffer;
}

export interface ToInvoke {
  readonly type: 'invoke';
  readonly requestId: string;
  /** JSON. */
  readonly event: string;
  readonly remainingMs: number;
  readonly traceId: string;
  readonly tenantId?: string;
}

export type ToWorker =
  | ToInvoke
  /** The chunk that was sent last has been taken: the stream may send the next one. */
  | { readonly type: 'taken'; readonly requestId: string }
  /** Nobody reads the response any more. */
  | { readonly type: 'abandoned'; readonly requestId: string };

export interface WorkerError {
  readonly errorType: string;
  readonly errorMessage: string;
  readonly trace?: readonly string[];
}

export type FromWorker =
  | { readonly type: 'ready' }
  | { readonly type: 'init-failed'; readonly error: WorkerError }
  | { readonly type: 'log'; readonly text: string }
  /** One write of a streamed response. */
  | { readonly type: 'chunk'; readonly requestId: string; readonly bytes: Uint8Array }
  /** The end of a streamed response and of its invocation. */
  | { readonly type: 'streamed'; readonly requestId: string }
  | { readonly type: 'result'; readonly requestId: string; readonly payload: string }
  | { readonly type: 'failure'; readonly requestId: string; readonly error: WorkerError };
