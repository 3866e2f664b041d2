/** A function's output on its way to its log group, written with the function's own role: IAM decides whether it arrives. */
import { AwsError } from '../core/aws-error.ts';
import type { Kernel } from '../core/service.ts';

export interface FunctionLog {
  /** Queues one log event. */
  write(text: string): void;
  /** Log events not written yet. */
  readonly pending: number;
}

/** CloudWatch Logs takes 256 KiB an event; what waits is bounded so that a function that only prints cannot fill the memory. */
const eventLimit = 262_144;
const queueLimit = 5_000;

/** @param report takes one line for people when the log cannot be written; the lines themselves never go there. */
export function createFunctionLog(
  kernel: Kernel,
  options: { accessKeyId: string; group: string; stream: string; report: (line: string) => void },
): FunctionLog {
  const { accessKeyId, group: logGroupName, stream: logStreamName } = options;
  let waiting: { timestamp: number; message: string }[] = [];
  let writing = 0;
  let opened = false;

  const call = async (operation: string, input: object): Promise<void> => {
    const caller = kernel.callerOf(accessKeyId);
    if (caller === undefined) throw new AwsError('ExpiredTokenException', 'the session of the function has ended', 403);
    await kernel.call(caller, 'logs', operation, { logGroupName, ...input });
  };
  const open = async (): Promise<void> => {
    if (opened) return;
    try {
      await call('CreateLogStream', { logStreamName });
    } catch (error) {
      if (!(error instanceof AwsError) || error.code !== 'ResourceNotFoundException') throw error;
      await call('CreateLogGroup', {});
      await call('CreateLogStream', { logStreamName });
    }
    opened = true;
  };
  const flush = async (): Promise<void> => {
    while (waiting.length > 0) {
      const logEvents = waiting;
      waiting = [];
      writing = logEvents.length;
      try {
        await open();
        await call('PutLogEvents', { logStreamName, logEvents });
      } catch (error) {
        // Lambda drops what it may not write, too; the function itself must not fail for it.
        options.report(`The log of ${logGroupName} was not written: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
    writing = 0;
  };

  return {
    write(text) {
      const message = text.replace(/\n$/, '').slice(0, eventLimit);
      if (message === '' || waiting.length >= queueLimit) return;
      waiting.push({ timestamp: kernel.clock.now(), message });
      if (waiting.length > 1 || writing > 0) return;
      writing = 1;
      setImmediate(() => void flush());
    },
    get pending() {
      return waiting.length + writing;
    },
  };
}
