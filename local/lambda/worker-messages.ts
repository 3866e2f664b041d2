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

export interface ToWorker {
  readonly requestId: string;
  /** JSON. */
  readonly event: string;
  readonly remainingMs: number;
  readonly traceId: string;
}

export interface WorkerError {
  readonly errorType: string;
  readonly errorMessage: string;
  readonly trace?: readonly string[];
}

export type FromWorker =
  | { readonly type: 'ready' }
  | { readonly type: 'init-failed'; readonly error: WorkerError }
  | { readonly type: 'log'; readonly text: string }
  | { readonly type: 'result'; readonly requestId: string; readonly payload: string }
  | { readonly type: 'failure'; readonly requestId: string; readonly error: WorkerError };
